"""Reasons as documents of the API."""

from consumers.roles.serve.answers import ClickBehind, DecayedCount, ExplainedItem, ItemReason
from consumers.serving.recommender import Explanation
from gsr.reasons.reason import ClickReason, Counts, Reason
from gsr.reasons.words import in_words


def explained_item(why: Explanation) -> ExplainedItem:
    """Return an item of a list with its reason, as facts and in words."""
    return ExplainedItem(
        item_id=why.item_id,
        score=why.score,
        words=in_words(why.reason),
        reason=_facts(why.reason),
        parts=dict(why.parts),
    )


def _facts(reason: Reason) -> ItemReason:
    return ItemReason(
        kind=reason.kind,
        click=None if reason.click is None else _click(reason.click),
        clicks=_counted(reason.clicks),
        popular_on_seconds=reason.popular_on,
        last_click_seconds=reason.last_click_seconds,
        sequence_share=reason.sequence_share,
    )


def _click(click: ClickReason) -> ClickBehind:
    return ClickBehind(
        item_id=click.item_id,
        clicked_at=click.clicked_at,
        share_lost=click.share_lost,
        followed=_counted(click.followed),
        together=_counted(click.together),
    )


def _counted(counts: Counts) -> list[DecayedCount]:
    return [
        DecayedCount(half_life_seconds=half_life, count=count)
        for half_life, count in counts.items()
    ]

"""Items of lists as documents of the API: with their titles, and with reasons where asked for."""

from collections.abc import Iterable, Mapping, Sequence

from consumers.roles.serve.answers import (
    ClickBehind,
    DecayedCount,
    ExplainedItem,
    ItemReason,
    ListedItem,
)
from consumers.serving.item_titles import ItemTitles, names_in_words
from consumers.serving.recommender import Explanation
from gsr.reasons.reason import ClickReason, Counts, Reason
from gsr.reasons.words import in_words


def listed_items(items: Iterable[tuple[str, float]], titles: ItemTitles) -> list[ListedItem]:
    """Return items and scores as documents."""
    scored = list(items)
    known = titles.of(item for item, _ in scored)
    return [ListedItem(item_id=item, title=known.get(item), score=score) for item, score in scored]


def explained_items(reasons: Sequence[Explanation], titles: ItemTitles) -> list[ExplainedItem]:
    """Return items of a list with their reasons, as facts and in words."""
    clicked = (why.reason.click.item_id for why in reasons if why.reason.click is not None)
    known = titles.of([*(why.item_id for why in reasons), *clicked])
    return [
        ExplainedItem(
            item_id=why.item_id,
            title=known.get(why.item_id),
            score=why.score,
            words=in_words(why.reason, names_in_words(known)),
            reason=_facts(why.reason, known),
            parts=dict(why.parts),
        )
        for why in reasons
    ]


def _facts(reason: Reason, titles: Mapping[str, str]) -> ItemReason:
    return ItemReason(
        kind=reason.kind,
        click=None if reason.click is None else _click(reason.click, titles),
        clicks=_counted(reason.clicks),
        popular_on_seconds=reason.popular_on,
        last_click_seconds=reason.last_click_seconds,
        sequence_share=reason.sequence_share,
    )


def _click(click: ClickReason, titles: Mapping[str, str]) -> ClickBehind:
    return ClickBehind(
        item_id=click.item_id,
        title=titles.get(click.item_id),
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

"""Reasons are said in words that their numbers bear out."""

from collections.abc import Mapping

import pytest

from gsr.reasons.reason import ClickReason, Reason, ReasonKind
from gsr.reasons.words import in_words

DAY = 86_400.0
NOTHING = {600.0: 0.0, DAY: 0.0, 30 * DAY: 0.0, 365 * DAY: 0.0}


def _reason(
    kind: ReasonKind,
    *,
    click: ClickReason | None = None,
    popular_on: float = DAY,
    last_click: float = 90.0,
) -> Reason:
    return Reason(
        kind=kind,
        click=click,
        clicks=NOTHING,
        popular_on=popular_on,
        last_click_seconds=last_click,
        sequence_share=None,
    )


def _click(followed: Mapping[float, float], together: Mapping[float, float]) -> ClickReason:
    return ClickReason(
        item_id="tea",
        clicked_at=0.0,
        share_lost=0.5,
        followed=NOTHING | dict(followed),
        together={DAY: 0.0} | dict(together),
    )


@pytest.mark.parametrize(
    ("followed", "together", "words"),
    [
        ({DAY: 30.7, 30 * DAY: 90.0}, {}, "people went on from tea to this about 31 times today"),
        ({600.0: 9.0, DAY: 1.2, 30 * DAY: 4.4}, {}, "about 4 times this month"),
        ({DAY: 0.9, 30 * DAY: 1.0, 365 * DAY: 1.2}, {}, "about once today"),
        ({DAY: 0.1, 30 * DAY: 0.8, 365 * DAY: 1.4}, {}, "about once this month"),
        ({600.0: 9.0, DAY: 0.1, 30 * DAY: 0.4}, {}, "went on from tea to this now and then"),
        ({DAY: 1.6}, {}, "about twice today"),
        ({DAY: 1234.0}, {}, "about 1,234 times today"),
        ({}, {DAY: 7.0}, "people clicked both close together about 7 times today"),
        ({}, {DAY: 0.2}, "people clicked both close together now and then"),
        ({}, {}, "people with clicks like yours choose this"),
    ],
)
def test_a_click_is_named_with_what_others_did(
    followed: Mapping[float, float], together: Mapping[float, float], words: str
) -> None:
    """On the shortest scale from a day on that has counted it more than once, else at all."""
    found = in_words(_reason("click", click=_click(followed, together)))
    assert found.startswith("because you clicked tea; ")
    assert found.endswith(words)


def test_items_have_titles_where_there_are_any() -> None:
    """Wherever they are named."""
    reason = _reason("click", click=_click({DAY: 2.0}, {}))
    assert "clicked TEA; people went on from TEA to" in in_words(reason, str.upper)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (_reason("popular", popular_on=600.0), "popular right now"),
        (_reason("popular"), "popular today"),
        (_reason("popular", popular_on=7 * DAY), "popular this week"),
        (_reason("popular", popular_on=30 * DAY), "popular this month"),
        (_reason("popular", popular_on=365 * DAY), "popular all year"),
        (_reason("fresh", last_click=30.0), "somebody clicked it a moment ago"),
        (_reason("fresh", last_click=60.0), "somebody clicked it 1 minute ago"),
        (_reason("fresh", last_click=3 * DAY), "somebody clicked it 3 days ago"),
        (_reason("new"), "new here: few people have clicked it yet"),
        (_reason("again"), "you clicked it before"),
        (_reason("clicks"), "goes with your clicks as a whole, no single one decides"),
        (_reason("rest"), "among the best of what is left"),
    ],
)
def test_without_a_click_something_else_is_said(reason: Reason, words: str) -> None:
    """What is popular, fresh or new, or nothing in particular."""
    assert in_words(reason) == words

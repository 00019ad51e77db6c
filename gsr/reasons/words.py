"""Why an item is in a list, in words that people read."""

import math
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from gsr.ranker.features import DAY_SECONDS, HOUR_SECONDS
from gsr.reasons.reason import ClickReason, Counts, Reason, ReasonKind


class _Span(NamedTuple):
    """How people call the time that a count with a half-life looks back on."""

    longest: float
    counted: str
    popular: str


_SPANS: Final = (
    _Span(2 * HOUR_SECONDS, "in the last hour", "right now"),
    _Span(2 * DAY_SECONDS, "today", "today"),
    _Span(10 * DAY_SECONDS, "this week", "this week"),
    _Span(60 * DAY_SECONDS, "this month", "this month"),
    _Span(math.inf, "this year", "all year"),
)

_WITHOUT_A_CLICK: Final[Mapping[ReasonKind, str]] = {
    "clicks": "goes with your clicks as a whole, no single one decides",
    "popular": "popular {span}",
    "fresh": "somebody clicked it {ago}",
    "new": "new here: few people have clicked it yet",
    "again": "you clicked it before",
    "rest": "among the best of what is left",
}

_SHORTEST_COUNTED: Final = DAY_SECONDS / 2
"""A count of minutes is gone before anybody has read it."""


def in_words(reason: Reason, title: Callable[[str], str] = str) -> str:
    """Return the reason as one clause for people.

    Parameters
    ----------
    reason
        See `Reason`.
    title
        What people call an item of this id.
    """
    if reason.click is not None:
        clicked = title(reason.click.item_id)
        return f"because you clicked {clicked}; {_support(reason.click, clicked)}"
    return _WITHOUT_A_CLICK[reason.kind].format(
        span=_span(reason.popular_on).popular, ago=_ago(reason.last_click_seconds)
    )


def _support(click: ClickReason, clicked: str) -> str:
    """Return what people did who clicked it too."""
    if any(click.followed.values()):
        return f"people went on from {clicked} to this {_often(click.followed)}"
    if any(click.together.values()):
        return f"people clicked both close together {_often(click.together)}"
    return "people with clicks like yours choose this"


def _often(counts: Counts) -> str:
    """Return the count of the shortest time, from a day on, in which it was more than once.

    Where it never was, the shortest time in which it was once.
    """
    times = {span: round(counts[span]) for span in sorted(counts) if span >= _SHORTEST_COUNTED}
    for span, count in times.items():
        if count > 1:
            times_said = "twice" if count == 2 else f"{count:,} times"  # noqa: PLR2004
            return f"about {times_said} {_span(span).counted}"
    seen = [span for span, count in times.items() if count == 1]
    return f"about once {_span(seen[0]).counted}" if seen else "now and then"


def _span(half_life: float) -> _Span:
    return next(one for one in _SPANS if half_life <= one.longest)


def _ago(seconds: float) -> str:
    """Return how long ago something was.

    >>> _ago(30.0), _ago(7200.0), _ago(86400.0)
    ('a moment ago', '2 hours ago', '1 day ago')
    """
    for unit, size in (("day", DAY_SECONDS), ("hour", HOUR_SECONDS), ("minute", 60.0)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count:,} {unit}{'s' * (count > 1)} ago"
    return "a moment ago"

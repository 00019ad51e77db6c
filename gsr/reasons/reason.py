"""Why an item is in a list, as facts that programs read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ReasonKind = Literal["click", "clicks", "popular", "fresh", "new", "again", "rest"]
"""What carries an item: one click of the user; their clicks together, none of them alone; how
popular it is; how lately others clicked it; that it is new; the user's own clicks on it, where
lists may repeat these; or nothing more than what is left."""

Counts = Mapping[float, float]
"""Half-life in seconds → decayed count: a click counts half when the half-life has gone by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickReason:
    """The click that does most for an item.

    Parameters
    ----------
    item_id, clicked_at
        The clicked item, and the user's newest click on it, seconds since the epoch.
    share_lost
        Which part of its share among the candidates the listed item would lose without it, see
        `gsr.ranker.leaving_out`.
    followed
        How often people clicked the listed item after the clicked one; weighted as edges are
        (`state.window_weights`, `events.weights`).
    together
        How often one person clicked both close by, before or after.
    """

    item_id: str
    clicked_at: float
    share_lost: float
    followed: Counts
    together: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why an item is in a list.

    Parameters
    ----------
    kind
        See `ReasonKind`.
    click
        The click that does most for the item; None where `kind` is not "click".
    clicks
        Clicks on the item, by everybody.
    popular_on
        The half-life on which these stand out most among the candidates.
    last_click_seconds
        Since anybody clicked it last.
    sequence_share
        Of what the user's clicks do for the score, the part that is due to learned vectors of the
        sequence, 0 to 1; the rest is due to counts of the item graph. None where they do nothing.
    """

    kind: ReasonKind
    click: ClickReason | None
    clicks: Counts
    popular_on: float
    last_click_seconds: float
    sequence_share: float | None

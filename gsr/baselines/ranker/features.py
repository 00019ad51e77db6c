"""Features of the ranker: what the counters say of a candidate, and of the user in front of it.

Every feature of a candidate is the natural logarithm of a positive number, so that a network can
multiply and divide what was counted. Kernels write the numbers, `OFFSETS` included; the logarithms
are taken for many candidates at once.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.ranker.features import (
    CLICK_OFFSET,
    COUNT_OFFSET,
    DAY_SECONDS,
    SHARE_OFFSET,
    Feature,
    switched_on_among,
)

HALF_LIVES: Final = (
    600.0,
    3600.0,
    DAY_SECONDS,
    7 * DAY_SECONDS,
    30 * DAY_SECONDS,
    365 * DAY_SECONDS,
)
"""Of popularity and votes, in seconds: 10 min, 1 h, 1 d, 7 d, 30 d, 365 d."""

SCALES: Final = len(HALF_LIVES)
HOUR, DAY, YEAR = 1, 2, 5
"""Places in `HALF_LIVES`."""

SHARED_HALF_LIVES: Final = (DAY_SECONDS, 365 * DAY_SECONDS)
"""Of items clicked close to each other: taste changes slowly."""

SHARED_SCALES: Final = len(SHARED_HALF_LIVES)

_NAMES: Final = ("10min", "1h", "1d", "7d", "30d", "1y")


FEATURES: Final = (
    *(Feature(f"popularity_{name}", "popularity", CLICK_OFFSET) for name in _NAMES),
    *(Feature(f"recent_{name}", "recent votes", COUNT_OFFSET) for name in _NAMES),
    *(Feature(f"recent_share_{name}", "vote shares", SHARE_OFFSET) for name in ("1h", "1d", "1y")),
    *(Feature(f"last_share_{name}", "last click", SHARE_OFFSET) for name in ("1h", "1y")),
    *(Feature(f"history_{name}", "history", COUNT_OFFSET) for name in ("1d", "1y")),
    *(Feature(f"history_share_{name}", "history", SHARE_OFFSET) for name in ("1d", "1y")),
    *(Feature(f"together_{name}", "together", SHARE_OFFSET) for name in ("1d", "1y")),
    Feature("own_clicks", "own clicks", 1.0),
    Feature("own_recency", "own clicks", 1.0),
    Feature("since_last_click", "last click on the item", 1.0),
    Feature("hour_of_day", "hour of day", 0.0),
    Feature("new", "new items", 1.0),
)
"""All features of a candidate, in order.

- ``popularity``: decayed clicks on the item, by half-life.
- ``recent``: votes of the user's five newest clicks, each counting half as much as the next newer.
- ``recent_share``, ``last_share``: the same, and of the newest click alone, as shares of all that
  followed the click that votes.
- ``history``, ``history_share``: votes and shares of the 32 newest clicks.
- ``together``: cosine between the item and the 20 newest clicks, of who clicked both close by.
- ``own_clicks``, ``own_recency``: the user's own clicks on the item: those that are
  not left out of the ranking.
- ``since_last_click``: of anybody, on the item.
- ``hour_of_day``: the share of the item's clicks at about this hour.
- ``new``: whether the item has had fewer than ten clicks.
"""

GROUPS: Final = tuple(dict.fromkeys(feature.group for feature in FEATURES))
"""What can be switched off."""

NAMES: Final = tuple(feature.name for feature in FEATURES)
OFFSETS: Final = tuple(feature.offset for feature in FEATURES)

POPULARITY: Final = 0
VOTES: Final = SCALES
"""The first feature that is summed over the clicks of a history, see `VOTE_COLUMNS`."""

RECENT: Final = 0
RECENT_SHARES: Final = RECENT + SCALES
LAST_SHARES: Final = RECENT_SHARES + 3
HISTORY: Final = LAST_SHARES + 2
HISTORY_SHARES: Final = HISTORY + 2
TOGETHER: Final = HISTORY_SHARES + 2
OWN_CLICKS: Final = TOGETHER + 2
OWN_RECENCY: Final = OWN_CLICKS + 1
VOTE_COLUMNS: Final = OWN_RECENCY + 1
"""Columns of votes; they stand beside each other in `FEATURES`, from `VOTES` on."""

SINCE_LAST_CLICK: Final = VOTES + VOTE_COLUMNS
HOUR_OF_DAY: Final = SINCE_LAST_CLICK + 1
NEW: Final = HOUR_OF_DAY + 1


def switched_on(without: Iterable[str]) -> npt.NDArray[np.bool_]:
    """Return which features remain, bool [features], without the groups that are named.

    Raises
    ------
    ValueError
        There is no such group.

    Examples
    --------
    >>> [name for name, on in zip(NAMES, switched_on(["own clicks"]), strict=True) if not on]
    ['own_clicks', 'own_recency']
    """
    return switched_on_among(FEATURES, GROUPS, without)

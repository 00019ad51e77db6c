"""Features of the ranker: what the counters say of a candidate, and of the user in front of it.

Every counted feature of a candidate is the natural logarithm of a positive number, so that a
network can multiply and divide what was counted. Kernels write the numbers, offsets included; the
logarithms are taken for many candidates at once.

With S time scales of the graph and C of what is clicked close by:

- ``popularity_*``: decayed clicks on the item, on each of the S time scales.
- ``recent_*``: votes of the user's five newest clicks, each counting half as much as the next
  newer, on each of the S time scales.
- ``recent_share_*``, ``last_share_*``: the same, and of the newest click alone, as shares of all
  that followed the click that votes.
- ``history_*``, ``history_share_*``: votes and shares of the whole history that is read.
- ``together_*``: cosine between the item and the 20 newest clicks, of who clicked both close by,
  on each of the C time scales.
- ``own_clicks``, ``own_recency``: the user's own clicks on the item, where it may be listed again.
- ``since_last_click``: of anybody, on the item.
- ``new``: whether the item has had few clicks.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

HOUR_SECONDS: Final = 3600.0
DAY_SECONDS: Final = 86_400.0

COUNT_OFFSET: Final = 0.05
CLICK_OFFSET: Final = 0.01
SHARE_OFFSET: Final = 0.002
"""Added before the logarithm: what counts as next to nothing."""

MARKED: Final = math.e
"""What a feature that is true is the logarithm of; one that is false is that of 1."""

CONTEXT: Final = (
    "pause",
    "length",
    "hour_sine",
    "hour_cosine",
    "last_popularity",
    "last_mass",
    "reach",
)
"""What is known of the user: pause since the newest click, length of the history, hour of day,
popularity of the newest item and mass of its votes, and how many items have votes."""

LENGTH: Final = CONTEXT.index("length")
"""0 for users without clicks, and for no others."""

GROUPS: Final = (
    "popularity",
    "recent votes",
    "vote shares",
    "last click",
    "history",
    "together",
    "own clicks",
    "last click on the item",
    "new items",
)
"""What can be switched off."""


class Places(NamedTuple):
    """Where kernels find time scales and features; every number is a place.

    Parameters
    ----------
    short, day, long
        The time scales nearest to an hour and to a day, and the longest one.
    recent, recent_shares, last_shares, history, history_shares, together, own_clicks
        Columns of votes: the first of each kind.
    votes
        Columns of votes altogether (V).
    first_vote, since_last_click, new
        Features: popularity stands first, then votes, then these.
    features
        Counted features altogether (F).
    """

    short: int
    day: int
    long: int
    recent: int
    recent_shares: int
    last_shares: int
    history: int
    history_shares: int
    together: int
    own_clicks: int
    votes: int
    first_vote: int
    since_last_click: int
    new: int
    features: int


class Feature(NamedTuple):
    """A feature of a candidate.

    Parameters
    ----------
    name, group
        Its name, and what is switched off together with it.
    offset
        Added before the logarithm.
    """

    name: str
    group: str
    offset: float


def switched_on_among(
    features: Sequence[Feature], groups: Sequence[str], without: Iterable[str]
) -> npt.NDArray[np.bool_]:
    """Return which features remain, bool [F], without those of `groups` that are named.

    Raises
    ------
    ValueError
        There is no such group.
    """
    off = set(without)
    if not off <= set(groups):
        raise ValueError(f"no groups of features: {sorted(off - set(groups))}; there are {groups}")
    return np.array([feature.group not in off for feature in features])


class FeatureLayout(NamedTuple):
    """Features and where they stand, for given time scales.

    Parameters
    ----------
    features
        All counted features, in order.
    places
        See `Places`.
    offsets
        float32 [F].
    channels
        int64, the columns of votes whose best are candidates, beside the most popular items.
    close_scales
        int64 [C], the time scale of popularity that goes with each one of what is clicked close by.
    """

    features: tuple[Feature, ...]
    places: Places
    offsets: npt.NDArray[np.float32]
    channels: npt.NDArray[np.int64]
    close_scales: npt.NDArray[np.int64]

    def switched_on(self, without: Iterable[str]) -> npt.NDArray[np.bool_]:
        """Return which features remain, bool [F], without the groups that are named.

        Raises
        ------
        ValueError
            There is no such group.
        """
        return switched_on_among(self.features, GROUPS, without)


def feature_layout(half_lives: Sequence[float], close_half_lives: Sequence[float]) -> FeatureLayout:
    """Return the features for S and C time scales, in seconds.

    Examples
    --------
    >>> layout = feature_layout([3600.0, 86400.0], [])
    >>> [feature.name for feature in layout.features][:4]
    ['popularity_1h', 'popularity_1d', 'recent_1h', 'recent_1d']
    """
    scales, close = len(half_lives), len(close_half_lives)
    short, day = nearest_scale(half_lives, HOUR_SECONDS), nearest_scale(half_lives, DAY_SECONDS)
    long = int(np.argmax(half_lives))
    names = [span(seconds) for seconds in half_lives]
    s, d, y = names[short], names[day], names[long]
    features = (
        *(Feature(f"popularity_{name}", "popularity", CLICK_OFFSET) for name in names),
        *(Feature(f"recent_{name}", "recent votes", COUNT_OFFSET) for name in names),
        *(Feature(f"recent_share_{name}", "vote shares", SHARE_OFFSET) for name in (s, d, y)),
        *(Feature(f"last_share_{name}", "last click", SHARE_OFFSET) for name in (s, y)),
        *(Feature(f"history_{name}", "history", COUNT_OFFSET) for name in (d, y)),
        *(Feature(f"history_share_{name}", "history", SHARE_OFFSET) for name in (d, y)),
        *(
            Feature(f"together_{span(seconds)}", "together", SHARE_OFFSET)
            for seconds in close_half_lives
        ),
        Feature("own_clicks", "own clicks", 1.0),
        Feature("own_recency", "own clicks", 1.0),
        Feature("since_last_click", "last click on the item", 1.0),
        Feature("new", "new items", 0.0),
    )
    recent_shares = scales
    last_shares = recent_shares + 3
    history = last_shares + 2
    history_shares = history + 2
    together = history_shares + 2
    own_clicks = together + close
    votes = own_clicks + 2
    places = Places(
        short=short,
        day=day,
        long=long,
        recent=0,
        recent_shares=recent_shares,
        last_shares=last_shares,
        history=history,
        history_shares=history_shares,
        together=together,
        own_clicks=own_clicks,
        votes=votes,
        first_vote=scales,
        since_last_click=scales + votes,
        new=scales + votes + 1,
        features=len(features),
    )
    channels = (
        *dict.fromkeys((short, day, long)),
        recent_shares + 2,
        history_shares + 1,
        *range(together, own_clicks),
        own_clicks,
    )
    return FeatureLayout(
        features,
        places,
        np.array([feature.offset for feature in features], dtype=np.float32),
        np.array(channels, dtype=np.int64),
        np.array([nearest_scale(half_lives, one) for one in close_half_lives], dtype=np.int64),
    )


def nearest_scale(half_lives: Sequence[float] | npt.NDArray[np.float64], wanted: float) -> int:
    """Return the place of the half-life that is the fewest times longer or shorter."""
    return int(np.argmin(np.abs(np.log(np.asarray(half_lives) / wanted))))


def span(seconds: float) -> str:
    """Return a time scale as names have it.

    >>> span(600.0), span(86400.0), span(31536000.0)
    ('10min', '1d', '365d')
    """
    for unit, size in (("d", DAY_SECONDS), ("h", HOUR_SECONDS), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"

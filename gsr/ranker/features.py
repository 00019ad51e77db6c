"""Features of the ranker: what the counters say of a candidate, and of the user in front of it.

Every counted feature of a candidate is the natural logarithm of a positive number, so that a
network can multiply and divide what was counted. Kernels write the numbers, offsets included; the
logarithms are taken for many candidates at once.

With S time scales of the graph and C of what is clicked close by:

- ``popularity_*``: decayed clicks on the item, on each of the S time scales.
- ``last_share_*``: votes of the newest click, as shares of all that followed it, on a short, a
  middle and the longest time scale.
- ``history_*``, ``history_share_*``: votes and shares of the whole history that is read, each click
  counting a tenth less than the next newer, on the middle and the longest time scale.
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
popularity of the newest item and mass of its votes, and how many items are neighbours of clicked
ones."""

LENGTH: Final = CONTEXT.index("length")
"""0 for users without clicks, and for no others."""

GROUPS: Final = (
    "popularity",
    "last click",
    "history",
    "together",
    "own clicks",
    "last click on the item",
    "new items",
)
"""What can be switched off."""


LAST_SHARES: Final = 0
HISTORY: Final = 3
HISTORY_SHARES: Final = 5
TOGETHER: Final = 7
"""Columns of votes, the first of each kind: the same for all time scales, so that kernels are
compiled for them. Own clicks stand last. Before `HISTORY` only the newest click has votes."""


class Places(NamedTuple):
    """Where kernels find time scales and features; every number is a place.

    Parameters
    ----------
    short, middle, long
        Time scales: of all but the longest one that nearest to an hour; of those between it and
        the longest one that nearest to a day, or of these two where none lies between them; and
        the longest one.
    own_clicks
        The first column of own clicks among the votes; what was clicked close by ends there.
    votes
        Columns of votes altogether (V).
    first_vote, since_last_click, new
        Features: popularity stands first, then votes, then these.
    features
        Counted features altogether (F).
    """

    short: int
    middle: int
    long: int
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
    ['popularity_1h', 'popularity_1d', 'last_share_1h', 'last_share_1d']
    """
    scales, close = len(half_lives), len(close_half_lives)
    short, middle, long = _named_scales(half_lives)
    names = [span(seconds) for seconds in half_lives]
    three, two = (names[short], names[middle], names[long]), (names[middle], names[long])
    features = (
        *(Feature(f"popularity_{name}", "popularity", CLICK_OFFSET) for name in names),
        *(Feature(f"last_share_{name}", "last click", SHARE_OFFSET) for name in three),
        *(Feature(f"history_{name}", "history", COUNT_OFFSET) for name in two),
        *(Feature(f"history_share_{name}", "history", SHARE_OFFSET) for name in two),
        *(
            Feature(f"together_{span(seconds)}", "together", SHARE_OFFSET)
            for seconds in close_half_lives
        ),
        Feature("own_clicks", "own clicks", 1.0),
        Feature("own_recency", "own clicks", 1.0),
        Feature("since_last_click", "last click on the item", 1.0),
        Feature("new", "new items", 0.0),
    )
    own_clicks = TOGETHER + close
    votes = own_clicks + 2
    places = Places(
        short=short,
        middle=middle,
        long=long,
        own_clicks=own_clicks,
        votes=votes,
        first_vote=scales,
        since_last_click=scales + votes,
        new=scales + votes + 1,
        features=len(features),
    )
    channels = range(own_clicks + 1)
    return FeatureLayout(
        features,
        places,
        np.array([feature.offset for feature in features], dtype=np.float32),
        np.array(channels, dtype=np.int64),
        np.array([nearest_scale(half_lives, one) for one in close_half_lives], dtype=np.int64),
    )


def _named_scales(half_lives: Sequence[float]) -> tuple[int, int, int]:
    """Return the places of the short, the middle and the longest time scale."""
    *others, long = np.argsort(half_lives, kind="stable").tolist()
    if not others:
        return long, long, long
    short = others[nearest_scale([half_lives[place] for place in others], HOUR_SECONDS)]
    between = others[others.index(short) + 1 :] or [short, long]
    middle = between[nearest_scale([half_lives[place] for place in between], DAY_SECONDS)]
    return short, middle, long


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

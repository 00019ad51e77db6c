"""Which clicks of a window are tested, and what was clicked before each. Imports no torch."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from consumers.offline.windows.log import WindowedLog, places_within
from consumers.offline.windows.options import WindowOptions


class Cases(NamedTuple):
    """What is tested of a log of n clicks.

    Parameters
    ----------
    read
        bool [n], clicks that count in a test: all, or those on items that were known before.
    tested
        bool [n], which of them are to be predicted.
    """

    read: npt.NDArray[np.bool_]
    tested: npt.NDArray[np.bool_]


class Prefixes(NamedTuple):
    """What was clicked before each of c clicks, oldest first; at most L clicks.

    Parameters
    ----------
    items, times
        int64 and float64 [c, L], left-aligned; -1 and 0 where there is none.
    lengths
        int64 [c].
    """

    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    lengths: npt.NDArray[np.int64]


def choose_cases(log: WindowedLog, options: WindowOptions, rng: np.random.Generator) -> Cases:
    """Return what is tested of `log`; `rng` draws the share of it."""
    windows = log.window_of
    read = windows >= options.first_tested
    if options.known_items_only:
        learned = np.full(len(log.item_ids), len(log.numbers))
        np.minimum.at(learned, log.items, windows)
        read &= learned[log.items] < windows
    rows = np.flatnonzero(read)
    places = places_within(log.sessions[rows])
    wanted = places > 0
    if options.tested == "last":
        sizes = np.bincount(log.sessions[rows])
        wanted &= places == sizes[log.sessions[rows]] - 1
    tested = np.zeros(len(read), dtype=np.bool_)
    tested[rows[wanted]] = True
    if options.share < 1.0:
        tested &= rng.random(len(tested)) < options.share
    return Cases(read, tested)


def prefixes(
    groups: npt.NDArray[np.int64],
    items: npt.NDArray[np.int64],
    times: npt.NDArray[np.float64],
    asked: npt.NDArray[np.bool_],
    longest: int,
) -> Prefixes:
    """Return the newest clicks of the same group before each asked one.

    Parameters
    ----------
    groups, items, times
        int64, int64 and float64 [n], clicks in order; those on an item -1 are not listed.
    asked
        bool [n], c of them.
    longest
        How many clicks are listed at most (L).

    Examples
    --------
    >>> groups, items = np.array([0, 1, 0, 0]), np.array([5, 6, -1, 7])
    >>> found = prefixes(groups, items, np.arange(4.0), np.array([0, 0, 1, 1], bool), 2)
    >>> found.items.tolist(), found.lengths.tolist()
    ([[5, -1], [5, -1]], [1, 1])
    """
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    known = items[order] >= 0
    before: npt.NDArray[np.int64] = np.cumsum(known) - known
    first: npt.NDArray[np.int64] = before[np.searchsorted(ordered, ordered, side="left")]
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    rows = place[asked]
    stops: npt.NDArray[np.int64] = before[rows]
    lengths = np.minimum(stops - first[rows], longest)
    inside = np.arange(longest) < lengths[:, None]
    found = Prefixes(
        items=np.full(inside.shape, -1, dtype=np.int64),
        times=np.zeros(inside.shape),
        lengths=lengths,
    )
    sources = order[known][((stops - lengths)[:, None] + np.arange(longest))[inside]]
    found.items[inside], found.times[inside] = items[sources], times[sources]
    return found

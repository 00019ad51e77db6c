"""What a click graph says at many positions of many histories at once. Imports no torch.

A position stands for the question what its user clicks there, given the clicks before it. The graph
may hold the very click that is asked for: whatever the user has added to it, edges and popularity,
is left out of all that is said about that user's positions (cross-fitting).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.counters.interactions import Interactions
from gsr.counters.item_graph import ItemGraph
from gsr.votes.channels import (
    BASE_CONTEXT,
    FLOOR_LOG2,
    LN2,
    MASS_PRIOR,
    NEW_ITEM_CLICKS,
    RECENT_CLICKS,
    RECENT_DECAY,
    SQUASH,
    context_count,
    graph_channel_count,
)
from gsr.votes.click_graph import BACKWARD, FORWARD, ClickGraph

FIRST_ENTRIES: Final = 1 << 16
_NOTHING: Final = 1e-5
"""What rounding may leave of an edge of which every part was the user's own."""


@dataclass(frozen=True, slots=True)
class PositionFeatures:
    """Channels and context of m positions.

    Parameters
    ----------
    rows
        int64 [K], position of each entry, ascending.
    items
        int64 [K], item of each entry; an item has at most one entry per position.
    values
        float32 [K, 3S + 1], its graph channels (see `gsr.votes.channels`).
    context
        float32 [m, F], context features.
    moments
        int64 [m], the row of `RecentPopularity` that tells of each position's time.
    """

    rows: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    context: npt.NDArray[np.float32]
    moments: npt.NDArray[np.int64]


class _Counted(NamedTuple):
    """Clicks and what a graph counts of them: see `Interactions` and `ClickGraph`.

    `recent` is float32 [T, N], the popularity channel of what was popular lately.
    """

    starts: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    ends: npt.NDArray[np.int64]
    own_counts: npt.NDArray[np.int64]
    window: npt.NDArray[np.float64]
    recent: npt.NDArray[np.float32]


class _Asked(NamedTuple):
    """The m positions: see `PositionReader.read` and `PositionFeatures`."""

    users: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    moments: npt.NDArray[np.int64]


class _Votes(NamedTuple):
    """How many of the newest clicks vote, and by how much less each: see `PositionReader`."""

    history: int
    decay: float
    source_power: float


class PositionReader:
    """Reads features of positions from one click graph; keeps its working memory.

    Parameters
    ----------
    interactions
        The clicks.
    counted
        The graph.
    history, decay
        How many of the newest clicks vote in the history channels, and by how much less each.
    source_power
        A click's votes are divided by its item's clicks, of others, to this power.
    """

    def __init__(
        self,
        interactions: Interactions,
        counted: ClickGraph,
        history: int,
        decay: float,
        source_power: float = 0.0,
    ) -> None:
        self._graph = counted.graph
        self._clicks = _Counted(
            interactions.starts,
            interactions.items,
            interactions.times,
            counted.ends,
            counted.own_counts,
            np.array(counted.window_weights),
            popularity_level(counted.recent.counts),
        )
        self._recent = counted.recent
        self._votes = _Votes(history, decay, source_power)
        self._scales = counted.graph.scales
        channels = graph_channel_count(self._scales)
        self._dense = np.zeros((counted.graph.items, channels), np.float32)
        self._touched = np.zeros(counted.graph.items, np.int64)
        self._items = np.zeros(FIRST_ENTRIES, np.int64)
        self._values = np.zeros((FIRST_ENTRIES, channels), np.float32)

    def read(
        self,
        users: npt.NDArray[np.int64],
        positions: npt.NDArray[np.int64],
        targets: npt.NDArray[np.int64],
    ) -> PositionFeatures:
        """Return the features of m positions.

        Parameters
        ----------
        users, positions
            int64 [m], whose, and where in `Interactions.items`.
        targets
            int64 [m], the item that was clicked there, whose popularity leaves out the user's own
            clicks; -1 where it must not be known.
        """
        stops = np.zeros(len(positions) + 1, np.int64)
        context = np.zeros((len(positions), context_count(self._scales)), np.float32)
        moments = self._recent.rows(self._clicks.times[positions - 1])
        asked = _Asked(users, positions, targets, moments)
        while True:
            count = _read(
                self._graph,
                self._clicks,
                asked,
                self._votes,
                self._dense,
                self._touched,
                self._items,
                self._values,
                stops,
                context,
            )
            if count <= len(self._items):
                break
            self._items = np.zeros(count * 5 // 4, np.int64)
            self._values = np.zeros((count * 5 // 4, self._dense.shape[1]), np.float32)
        rows = np.repeat(np.arange(len(positions)), np.diff(stops))
        return PositionFeatures(rows, self._items[:count], self._values[:count], context, moments)


def popularity_level(counts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the popularity channel of items with so many clicks (see `gsr.votes.channels`)."""
    found: npt.NDArray[np.float32] = np.log(np.maximum(counts, 2.0**FLOOR_LOG2)).astype(np.float32)
    return found


@kernel
def _level(popularity: float) -> float:  # pragma: no cover
    """Return the popularity channel of an item with so many clicks."""
    if popularity <= 0.0:
        return float(FLOOR_LOG2 * LN2)
    return float(max(np.log(popularity), FLOOR_LOG2 * LN2))


@kernel
def _leave_out(
    clicks: _Counted,
    user: int,
    click: int,
    recent: float,
    faded: float,
    dense: npt.NDArray[np.float32],
    scales: int,
) -> None:  # pragma: no cover
    """Take the edges that the user's own counted `click` is an end of back out of the votes."""
    items = clicks.items
    for distance in range(1, len(clicks.window) + 1):
        weight = clicks.window[distance - 1]
        later, earlier = click + distance, click - distance
        if later < clicks.ends[user] and items[later] != items[click]:
            dense[items[later], FORWARD] -= recent * weight
            dense[items[later], scales + FORWARD] -= faded * weight
        if earlier >= clicks.starts[user] and items[earlier] != items[click]:
            dense[items[earlier], BACKWARD] -= recent * weight
            dense[items[earlier], scales + BACKWARD] -= faded * weight


@kernel
def _vote(
    graph: ItemGraph,
    clicks: _Counted,
    user: int,
    click: int,
    recent: float,
    faded: float,
    dense: npt.NDArray[np.float32],
    touched: npt.NDArray[np.int64],
    count: int,
) -> int:  # pragma: no cover
    """Add one click's votes by everybody else; return how many items have been touched so far."""
    scales = len(graph.half_lives)
    source = clicks.items[click]
    start = graph.row_starts[source]
    for slot in range(start, start + graph.row_lengths[source]):
        item = graph.neighbours[slot]
        # The last column marks what has been touched.
        if dense[item, 3 * scales] == 0.0:
            dense[item, 3 * scales] = 1.0
            touched[count] = item
            count += 1
        for s in range(scales):
            dense[item, s] += recent * graph.weights[slot, s]
            dense[item, scales + s] += faded * graph.weights[slot, s]
    if clicks.own_counts[click] == 1 and click < clicks.ends[user]:
        _leave_out(clicks, user, click, recent, faded, dense, scales)
    elif clicks.own_counts[click] > 0:
        for other in range(clicks.starts[user], clicks.ends[user]):
            if clicks.items[other] == source:
                _leave_out(clicks, user, other, recent, faded, dense, scales)
    return count


@kernel
def _describe(
    graph: ItemGraph,
    clicks: _Counted,
    click: int,
    length: int,
    worth: float,
    dense: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
) -> None:  # pragma: no cover
    """Fill the context (`gsr.votes.channels.context_features`) once only the newest click voted.

    Its votes were multiplied by `worth`.
    """
    scales = len(graph.half_lives)
    source = clicks.items[click]
    out[0] = 1.0
    out[1] = np.log1p(length)
    if length > 1:
        pause = max(clicks.times[click] - clicks.times[click - 1], 0.0)
        out[3] = 0.3 * np.log1p(pause / 10.0)
    start = graph.row_starts[source]
    for s in range(scales):
        mass = heaviest = 0.0
        for slot in range(start, start + graph.row_lengths[source]):
            weight = max(dense[graph.neighbours[slot], scales + s], np.float32(0.0)) / worth
            mass += weight
            heaviest = max(heaviest, weight)
        at = BASE_CONTEXT + 3 * s
        out[at] = 0.3 * _level(graph.popularity[source, s] - clicks.own_counts[click])
        out[at + 1] = 0.5 * np.log1p(mass)
        out[at + 2] = heaviest / (mass + MASS_PRIOR)


@kernel
def _enter(
    votes: npt.NDArray[np.float32],
    popularity: float,
    recent: float,
    out: npt.NDArray[np.float32],
) -> None:  # pragma: no cover
    """Fill one item's channels from its votes [3S + 1], its clicks, and its recent popularity."""
    scales = (len(out) - 1) // 3
    for c in range(2 * scales):
        out[c] = np.log1p(SQUASH * max(votes[c], np.float32(0.0)))
    out[2 * scales] = _level(popularity) - FLOOR_LOG2 * LN2
    for s in range(1, scales):
        out[2 * scales + s] = recent - FLOOR_LOG2 * LN2
    out[3 * scales] = 1.0 if popularity < NEW_ITEM_CLICKS else 0.0


@kernel
def _read(
    graph: ItemGraph,
    clicks: _Counted,
    asked: _Asked,
    votes: _Votes,
    dense: npt.NDArray[np.float32],
    touched: npt.NDArray[np.int64],
    items: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
    stops: npt.NDArray[np.int64],
    context: npt.NDArray[np.float32],
) -> int:  # pragma: no cover
    """Fill the features of all positions; return how many entries they need."""
    scales = len(graph.half_lives)
    used = 0
    for m in range(len(asked.positions)):
        user, position = asked.users[m], asked.positions[m]
        length = position - clicks.starts[user]
        count = 0
        for back in range(min(length, votes.history)):
            click = position - 1 - back
            known = graph.popularity[clicks.items[click], 0] - clicks.own_counts[click]
            worth = max(known, np.float32(1.0)) ** -votes.source_power
            recent = worth * RECENT_DECAY**back if back < RECENT_CLICKS else 0.0
            faded = worth * votes.decay**back
            count = _vote(graph, clicks, user, click, recent, faded, dense, touched, count)
            if back == 0:
                _describe(graph, clicks, click, length, worth, dense, context[m])
        for i in range(count):
            item = touched[i]
            if dense[item, : 2 * scales].max() > _NOTHING:
                if used < len(items):
                    own = clicks.own_counts[position] if item == asked.targets[m] else 0
                    items[used] = item
                    known = graph.popularity[item, 0] - own
                    _enter(dense[item], known, clicks.recent[asked.moments[m], item], values[used])
                used += 1
            dense[item] = 0.0
        stops[m + 1] = used
    return used

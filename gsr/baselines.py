"""The counters to beat: decayed popularity, the item graph alone, and their equal mix.

Each is kept at every half-life of a grid and updated after every single click, so that a model
that learns in cycles is compared with rivals that are never stale. The counters are independent
of the state's: exact sums in float64, without the state's time scales.

A baseline scores an item ``j`` for a user at a half-life by

- *popularity*: the decayed number of clicks on ``j``;
- *graph*: ``Σ_b decay**b * w(a_b → j)`` over the user's newest clicks ``a_0, a_1, …``, with the
  decayed edge weights ``w``;
- *mix*: the sum of both, each divided by its own total.

Ties count against the clicked item. Popularity needs no pass over the catalogue: a click moves
one item only, so a sorted list of all values answers every rank by bisection.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.item_graph import ItemGraph
from gsr.prequential import MISS

HALF_LIVES: Final = (
    3600.0,
    4 * 3600.0,
    24 * 3600.0,
    7 * 86_400.0,
    30 * 86_400.0,
    365 * 86_400.0,
)
"""The grid, in seconds: 1 h, 4 h, 24 h, 7 d, 30 d, 365 d."""

KINDS: Final = ("popularity", "graph", "mix")

HISTORY: Final = 5
DECAY: Final = 0.5
ROW_CAPACITY: Final = 512
FIRST_CAPACITY: Final = 4
LARGEST_EXPONENT: Final = 500.0
"""Half-lives past the reference after which everything is scaled back (float64 holds 1023)."""


_START, _LENGTH, _CAPACITY = 0, 1, 2  # columns of the table of graph rows
_KNOWN, _USED = 0, 1  # items with a click; slots of the pool of edges that rows have taken


class Clicks(NamedTuple):
    """Clicks in order, each with what was known just before it; n rows.

    Parameters
    ----------
    targets, times, weights
        int64, float64 and float64 [n]: item row, event time, weight; a weight of 0 or less adds
        no popularity.
    histories, lengths
        int64 [n, L] and [n]: the user's item rows before the click, oldest first, -1 where there
        is none.
    edge_starts
        int64 [n + 1]: click i adds the edges ``edge_starts[i] : edge_starts[i + 1]``.
    edge_sources, edge_targets, edge_weights, edge_times
        int64, int64, float64 and float64: the edges.
    """

    targets: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    histories: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    edge_starts: npt.NDArray[np.int64]
    edge_sources: npt.NDArray[np.int64]
    edge_targets: npt.NDArray[np.int64]
    edge_weights: npt.NDArray[np.float64]
    edge_times: npt.NDArray[np.float64]


class BaselineCounters:
    """Popularity and item graph at several half-lives, with the rank of every next click.

    Parameters
    ----------
    half_lives
        The grid, in seconds (H of them).

    Examples
    --------
    >>> counters = BaselineCounters((3600.0,))
    >>> one = np.ones(2)
    >>> ranks = counters.rank_and_add(
    ...     Clicks(
    ...         targets=np.array([0, 1, 1]),
    ...         times=np.array([0.0, 10.0, 20.0]),
    ...         weights=np.ones(3),
    ...         histories=np.array([[-1], [0], [0]]),
    ...         lengths=np.array([0, 1, 1]),
    ...         edge_starts=np.array([0, 0, 1, 2]),
    ...         edge_sources=np.array([0, 0]),
    ...         edge_targets=np.array([1, 1]),
    ...         edge_weights=np.ones(2),
    ...         edge_times=np.array([10.0, 20.0]),
    ...     ),
    ...     scored=np.array([False, True, True]),
    ...     mask_history=True,
    ... )
    >>> bool(ranks[1, 0] == MISS), ranks[2].tolist()
    (True, [1, 1, 1])
    """

    def __init__(self, half_lives: tuple[float, ...] = HALF_LIVES) -> None:
        self.half_lives: npt.NDArray[np.float64] = np.array(half_lives, dtype=np.float64)
        scales = len(half_lives)
        self._started = False
        self._references = np.zeros(scales)
        self._popularity = np.zeros((scales, 1024))
        self._sorted = np.zeros((scales, 1024))  # the known items' popularity, ascending
        self._totals = np.zeros(scales)
        self._clicks = np.zeros(1024, dtype=np.int64)
        self._rows = np.zeros((1024, 3), dtype=np.int64)
        self._neighbours = np.zeros(1 << 14, dtype=np.int32)
        self._weights = np.zeros((1 << 14, scales))
        self._counts = np.zeros(2, dtype=np.int64)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of the ranks: ``KIND@SECONDS`` (3 H of them)."""
        return tuple(f"{kind}@{h:g}" for kind in KINDS for h in self.half_lives)

    def rank_and_add(
        self, clicks: Clicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank each click by the counters before it, then add it.

        Parameters
        ----------
        clicks
            n clicks, in order.
        scored
            bool [n], which of them to rank.
        mask_history
            Whether the items of the history are left out of the ranking.

        Returns
        -------
        int32 [n, 3 H], ranks from 1 in the order of `names`; `MISS` for an item without a click
        before, and for clicks that are not scored.
        """
        ranks = np.full((len(clicks.targets), len(self.names)), MISS, dtype=np.int32)
        if len(clicks.targets) == 0:
            return ranks
        if not self._started:
            self._references[:] = np.floor(clicks.times[0] / self.half_lives)
            self._started = True
        highest = max(int(clicks.targets.max()), int(clicks.edge_targets.max(initial=-1)))
        self._reserve_items(max(highest, int(clicks.edge_sources.max(initial=-1))) + 1)
        done = 0
        while done < len(clicks.targets):
            done = _rank_and_add(
                done,
                clicks,
                scored,
                mask_history,
                self.half_lives,
                self._references,
                self._popularity,
                self._sorted,
                self._totals,
                self._clicks,
                self._rows,
                self._neighbours,
                self._weights,
                self._counts,
                ranks,
            )
            if done < len(clicks.targets):
                self._make_room()
        return ranks

    def clicks_before(self, targets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return how many clicks each of the coming `targets` will have had before its turn."""
        order = np.argsort(targets, kind="stable")
        ordered = targets[order]
        first = np.searchsorted(ordered, ordered)
        before = np.empty(len(targets), dtype=np.int64)
        before[order] = np.arange(len(targets)) - first
        known = targets < len(self._clicks)
        before[known] += self._clicks[targets[known]]
        return before

    def seed(self, graph: ItemGraph) -> None:
        """Begin with what `graph` holds, on the same half-lives, instead of with nothing.

        How often an item was clicked is taken from its popularity on the longest time scale.

        Raises
        ------
        ValueError
            The half-lives differ, or something was counted already.
        """
        if self._started or not np.array_equal(graph.half_lives, self.half_lives):
            raise ValueError("only empty counters can be seeded, by a graph of equal half-lives")
        rows = np.flatnonzero(graph.alive)
        if len(rows) == 0:
            return
        self._started = True
        self._references[:] = np.floor(graph.last_clicks[rows].max() / self.half_lives)
        self._reserve_items(graph.items)
        ages = graph.popularity_references[rows] - self._references
        self._popularity[:, rows] = (graph.popularity[rows] * np.exp2(ages)).T
        self._totals[:] = self._popularity.sum(axis=1)
        longest = int(np.argmax(self.half_lives))
        now = float(graph.last_clicks[rows].max()) / self.half_lives[longest]
        counted = self._popularity[longest, rows] * 2.0 ** (self._references[longest] - now)
        self._clicks[rows] = np.maximum(np.rint(counted), 1.0).astype(np.int64)
        self._counts[_KNOWN] = len(rows)
        self._sorted[:, : len(rows)] = np.sort(self._popularity[:, rows], axis=1)
        self._seed_rows(graph)

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Forget the items of `rows`, which are to be given to other items."""
        rows = rows[rows < len(self._clicks)]
        rows = rows[self._clicks[rows] > 0]
        if len(rows) == 0:
            return
        self._totals -= self._popularity[:, rows].sum(axis=1)
        self._popularity[:, rows] = 0.0
        self._clicks[rows] = 0
        self._rows[rows, _LENGTH] = 0
        self._counts[_KNOWN] -= len(rows)
        known = self._counts[_KNOWN]
        for scale in range(len(self.half_lives)):
            self._sorted[scale, :known] = np.sort(self._popularity[scale, self._clicks > 0])
        used = self._counts[_USED]
        self._weights[:used][np.isin(self._neighbours[:used], rows)] = 0.0

    def _seed_rows(self, graph: ItemGraph) -> None:
        lengths = np.minimum(graph.row_lengths, ROW_CAPACITY).astype(np.int64)
        used = int(lengths.sum())
        self._rows[: len(lengths), _START] = np.cumsum(lengths) - lengths
        self._rows[: len(lengths), _LENGTH] = lengths
        self._rows[: len(lengths), _CAPACITY] = lengths
        self._neighbours = np.zeros(max(used, len(self._neighbours)), dtype=np.int32)
        self._weights = np.zeros((len(self._neighbours), len(self.half_lives)))
        self._counts[_USED] = used
        _copy_rows(
            graph.row_starts,
            graph.row_references,
            graph.neighbours,
            graph.weights,
            self._references,
            self._rows,
            self._neighbours,
            self._weights,
        )

    def _reserve_items(self, items: int) -> None:
        size = len(self._clicks)
        if items <= size:
            return
        more = max(items, 2 * size) - size
        self._popularity = np.pad(self._popularity, ((0, 0), (0, more)))
        self._sorted = np.pad(self._sorted, ((0, 0), (0, more)))
        self._clicks = np.pad(self._clicks, (0, more))
        self._rows = np.pad(self._rows, ((0, more), (0, 0)))

    def _make_room(self) -> None:
        """Close the gaps that moved rows left, or enlarge the pool of edges where few are left."""
        used, live = int(self._counts[_USED]), int(self._rows[:, _CAPACITY].sum())
        if used - live > used // 4:
            order = np.argsort(self._rows[:, _START], kind="stable")
            order = order[self._rows[order, _CAPACITY] > 0]
            _close_gaps(order, self._rows, self._neighbours, self._weights)
            self._counts[_USED] = live
        else:
            more = max(len(self._neighbours) // 2, 1 << 16)
            self._neighbours = np.pad(self._neighbours, (0, more))
            self._weights = np.pad(self._weights, ((0, more), (0, 0)))


@kernel
def _copy_rows(
    starts: npt.NDArray[np.int64],
    row_references: npt.NDArray[np.int64],
    sources: npt.NDArray[np.uint32],
    stored: npt.NDArray[np.float32],
    references: npt.NDArray[np.float64],
    rows: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
) -> None:
    for row in range(len(starts)):
        for scale in range(len(references)):
            factor = 2.0 ** max(row_references[row, scale] - references[scale], -1000.0)
            for slot in range(rows[row, _LENGTH]):
                place = rows[row, _START] + slot
                neighbours[place] = sources[starts[row] + slot]
                weights[place, scale] = stored[starts[row] + slot, scale] * factor


@kernel
def _close_gaps(
    order: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
) -> None:
    end = 0
    for row in order:
        start = rows[row, _START]
        for slot in range(rows[row, _LENGTH]):
            neighbours[end + slot] = neighbours[start + slot]
            weights[end + slot] = weights[start + slot]
        rows[row, _START] = end
        end += rows[row, _CAPACITY]


@kernel
def _at_least(ordered: npt.NDArray[np.float64], known: int, value: float) -> int:
    """Return how many of the first `known` ordered values are `value` or more."""
    low, high = 0, known
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] < value:
            low = middle + 1
        else:
            high = middle
    return int(known - low)


@kernel
def _vote(
    history: npt.NDArray[np.int64],
    length: int,
    rows: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
    dense: npt.NDArray[np.float64],
    reached: npt.NDArray[np.bool_],
    touched: npt.NDArray[np.int64],
) -> int:
    """Add the graph scores of one history to `dense` [N, H]; return how many items it reached."""
    count = 0
    share = 1.0
    for back in range(min(length, HISTORY)):
        source = history[length - 1 - back]
        if source >= 0:
            start = rows[source, _START]
            for slot in range(start, start + rows[source, _LENGTH]):
                item = neighbours[slot]
                if not reached[item]:
                    reached[item] = True
                    touched[count] = item
                    count += 1
                for scale in range(dense.shape[1]):
                    dense[item, scale] += share * weights[slot, scale]
        share *= DECAY
    return count


@kernel
def _rank(
    target: int,
    masked: npt.NDArray[np.int64],
    masks: int,
    touched: npt.NDArray[np.int64],
    count: int,
    hidden: npt.NDArray[np.bool_],
    reached: npt.NDArray[np.bool_],
    dense: npt.NDArray[np.float64],
    popularity: npt.NDArray[np.float64],
    ordered: npt.NDArray[np.float64],
    totals: npt.NDArray[np.float64],
    known: int,
    ranks: npt.NDArray[np.int32],
) -> None:
    scales = len(totals)
    for scale in range(scales):
        own = popularity[scale, target]
        above = _at_least(ordered[scale], known, own)
        for m in range(masks):
            above -= popularity[scale, masked[m]] >= own
        ranks[scale] = above

        votes = 0.0
        voted = dense[target, scale]
        above = 0
        for t in range(count):
            item = touched[t]
            votes += dense[item, scale]
            above += dense[item, scale] >= voted and not hidden[item]
        ranks[scales + scale] = above if voted > 0.0 else known - masks

        # Untouched items keep exactly their popularity, so bisection ranks them consistently.
        exchange = totals[scale] / votes if votes > 0.0 else 0.0
        mixed = own + exchange * voted
        above = _at_least(ordered[scale], known, mixed)
        for t in range(count):
            item = touched[t]
            above -= popularity[scale, item] >= mixed
            above += (
                popularity[scale, item] + exchange * dense[item, scale] >= mixed
                and not hidden[item]
            )
        for m in range(masks):
            above -= popularity[scale, masked[m]] >= mixed and not reached[masked[m]]
        ranks[2 * scales + scale] = above


@kernel
def _raise(
    ordered: npt.NDArray[np.float64], known: int, old: float, new: float, fresh: bool
) -> None:
    """Replace `old` by the larger `new` among the first `known` values, or insert it."""
    place = known - _at_least(ordered, known, new)
    if fresh:
        for i in range(known, place, -1):
            ordered[i] = ordered[i - 1]
        ordered[place] = new
    else:
        for i in range(known - _at_least(ordered, known, old), place - 1):
            ordered[i] = ordered[i + 1]
        ordered[place - 1] = new


@kernel
def _trim(
    row: int,
    rows: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
) -> None:
    """Drop the half of a full row that matters least over all half-lives together."""
    start, length = rows[row, _START], rows[row, _LENGTH]
    shares = np.zeros(length)
    for scale in range(weights.shape[1]):
        total = weights[start : start + length, scale].sum()
        if total > 0.0:
            for slot in range(length):
                shares[slot] += weights[start + slot, scale] / total
    order = np.sort(np.argsort(-shares, kind="mergesort")[: length // 2])
    for place, slot in enumerate(order):
        neighbours[start + place] = neighbours[start + slot]
        weights[start + place] = weights[start + slot]
    rows[row, _LENGTH] = len(order)


@kernel
def _slot_of(
    source: int,
    target: int,
    rows: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
) -> int:
    """Return the slot of an edge, made if missing."""
    start, length = rows[source, _START], rows[source, _LENGTH]
    for slot in range(start, start + length):
        if neighbours[slot] == target:
            return int(slot)
    if length == ROW_CAPACITY:
        _trim(source, rows, neighbours, weights)
    elif length == rows[source, _CAPACITY]:
        moved = counts[_USED]
        for slot in range(length):
            neighbours[moved + slot] = neighbours[start + slot]
            weights[moved + slot] = weights[start + slot]
        rows[source, _START] = moved
        rows[source, _CAPACITY] = min(max(2 * length, FIRST_CAPACITY), ROW_CAPACITY)
        counts[_USED] += rows[source, _CAPACITY]
    slot = rows[source, _START] + rows[source, _LENGTH]
    neighbours[slot] = target
    weights[slot] = 0.0
    rows[source, _LENGTH] += 1
    return int(slot)


@kernel
def _amount(
    time: float,
    scale: int,
    half_lives: npt.NDArray[np.float64],
    references: npt.NDArray[np.float64],
    popularity: npt.NDArray[np.float64],
    ordered: npt.NDArray[np.float64],
    totals: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
) -> float:
    """Return what one click at `time` adds, after moving the reference where it lies too far."""
    exponent = time / half_lives[scale] - references[scale]
    if exponent > LARGEST_EXPONENT:
        moved = math.floor(exponent)
        factor = 2.0 ** -min(moved, 1100.0)
        references[scale] += moved
        popularity[scale] *= factor
        ordered[scale] *= factor
        totals[scale] *= factor
        weights[:, scale] *= factor
        exponent -= moved
    return float(2.0 ** max(exponent, -1000.0))


@kernel
def _rank_and_add(
    start: int,
    clicks: Clicks,
    scored: npt.NDArray[np.bool_],
    mask_history: bool,
    half_lives: npt.NDArray[np.float64],
    references: npt.NDArray[np.float64],
    popularity: npt.NDArray[np.float64],
    ordered: npt.NDArray[np.float64],
    totals: npt.NDArray[np.float64],
    clicks_of: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
    ranks: npt.NDArray[np.int32],
) -> int:
    """Work from click `start` on; return the first click for which there was no more room."""
    items, scales = len(clicks_of), len(half_lives)
    dense = np.zeros((items, scales))
    reached = np.zeros(items, np.bool_)
    hidden = np.zeros(items, np.bool_)
    touched = np.empty(items, np.int64)
    masked = np.empty(clicks.histories.shape[1], np.int64)
    for i in range(start, len(clicks.targets)):
        first, last = clicks.edge_starts[i], clicks.edge_starts[i + 1]
        if counts[_USED] + (last - first) * ROW_CAPACITY > len(neighbours):
            return i
        target, length = clicks.targets[i], clicks.lengths[i]

        if scored[i] and clicks_of[target] > 0:
            masks = 0
            for k in range(length if mask_history else 0):
                item = clicks.histories[i, k]
                if item >= 0 and not hidden[item] and clicks_of[item] > 0:
                    hidden[item] = True
                    masked[masks] = item
                    masks += 1
            count = _vote(
                clicks.histories[i], length, rows, neighbours, weights, dense, reached, touched
            )
            _rank(
                target,
                masked,
                masks,
                touched,
                count,
                hidden,
                reached,
                dense,
                popularity,
                ordered,
                totals,
                counts[_KNOWN],
                ranks[i],
            )
            for m in range(masks):
                hidden[masked[m]] = False
            for t in range(count):
                reached[touched[t]] = False
                dense[touched[t]] = 0.0

        fresh = clicks_of[target] == 0
        clicks_of[target] += 1
        for scale in range(scales):
            amount = max(clicks.weights[i], 0.0) * _amount(
                clicks.times[i], scale, half_lives, references, popularity, ordered, totals, weights
            )
            old = popularity[scale, target]
            _raise(ordered[scale], counts[_KNOWN], old, old + amount, fresh)
            popularity[scale, target] = old + amount
            totals[scale] += amount
        counts[_KNOWN] += fresh
        for edge in range(first, last):
            slot = _slot_of(
                clicks.edge_sources[edge],
                clicks.edge_targets[edge],
                rows,
                neighbours,
                weights,
                counts,
            )
            for scale in range(scales):
                weights[slot, scale] += clicks.edge_weights[edge] * _amount(
                    clicks.edge_times[edge],
                    scale,
                    half_lives,
                    references,
                    popularity,
                    ordered,
                    totals,
                    weights,
                )
    return len(clicks.targets)

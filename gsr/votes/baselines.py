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

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.item_graph import ItemGraph
from gsr.quality.ranking_metrics import MISS
from gsr.votes.baseline_kernels import (
    CAPACITY,
    KNOWN,
    LENGTH,
    ROW_CAPACITY,
    START,
    USED,
    Clicks,
    close_gaps,
    copy_rows,
    rank_and_add,
)

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
            done = rank_and_add(
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
        self._counts[KNOWN] = len(rows)
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
        self._rows[rows, LENGTH] = 0
        self._counts[KNOWN] -= len(rows)
        known = self._counts[KNOWN]
        for scale in range(len(self.half_lives)):
            self._sorted[scale, :known] = np.sort(self._popularity[scale, self._clicks > 0])
        used = self._counts[USED]
        self._weights[:used][np.isin(self._neighbours[:used], rows)] = 0.0

    def _seed_rows(self, graph: ItemGraph) -> None:
        lengths = np.minimum(graph.row_lengths, ROW_CAPACITY).astype(np.int64)
        used = int(lengths.sum())
        self._rows[: len(lengths), START] = np.cumsum(lengths) - lengths
        self._rows[: len(lengths), LENGTH] = lengths
        self._rows[: len(lengths), CAPACITY] = lengths
        self._neighbours = np.zeros(max(used, len(self._neighbours)), dtype=np.int32)
        self._weights = np.zeros((len(self._neighbours), len(self.half_lives)))
        self._counts[USED] = used
        copy_rows(
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
        used, live = int(self._counts[USED]), int(self._rows[:, CAPACITY].sum())
        if used - live > used // 4:
            order = np.argsort(self._rows[:, START], kind="stable")
            order = order[self._rows[order, CAPACITY] > 0]
            close_gaps(order, self._rows, self._neighbours, self._weights)
            self._counts[USED] = live
        else:
            more = max(len(self._neighbours) // 2, 1 << 16)
            self._neighbours = np.pad(self._neighbours, (0, more))
            self._weights = np.pad(self._weights, ((0, more), (0, 0)))

"""Baselines: decayed popularity, the item graph alone, and their equal mix.

They are the counters of `gsr.counters` at other half-lives, a whole grid of them, and updated after
every single click, so that a model that learns in cycles is compared with rivals that are never
stale. They count in float64 and keep long rows: a rival is not to lose by rounding or trimming.
(An edge a thousand half-lives older than the newest of its row counts as nothing even so.)

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

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.counter_ranks import (
    Standings,
    Workspace,
    enter_item,
    rank_all,
    rank_and_add,
)
from gsr.counters.items.edge_kernel import graph_of, new_scratch
from gsr.counters.items.item_columns import ROWS
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.items.item_rows import ItemRows
from gsr.counters.items.merge_kernel import clear_rows, merge_items
from gsr.counters.progress import new_progress
from gsr.counters.rules import EdgeRules
from gsr.quality.ranking_metrics import MISS

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

ROW_SLOTS: Final = 512
"""Neighbours of a full row: four times those of the state's, see above."""

_EDGES_AT_ONCE: Final = 16
"""Full rows that the edges grow by at least."""


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
    ...     CountedClicks(
    ...         targets=np.array([0, 1, 1]),
    ...         times=np.array([0.0, 10.0, 20.0]),
    ...         weights=np.ones(3),
    ...         users=np.array([0, 0, 1], dtype=np.uint64),
    ...         histories=np.array([[-1], [0], [0]]),
    ...         lengths=np.array([0, 1, 1]),
    ...         history_times=np.zeros((3, 1)),
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
        self._items = ItemRows(scales, np.float64)
        self._rules = EdgeRules(
            weights=np.zeros(0),  # each click brings its own
            half_lives=self.half_lives,
            row_slots=ROW_SLOTS,
            kept_per_scale=max(1, (ROW_SLOTS - 1) // scales),
            room_per_click=0,
        )
        self._progress = new_progress()
        self._scratch = new_scratch(scales, ROW_SLOTS, np.float64)
        self._standings = Standings(
            references=np.zeros(scales, dtype=np.int64),
            popularity=np.zeros((0, scales)),
            ordered=np.zeros((scales, 0)),
            totals=np.zeros(scales),
            known=np.zeros(1, dtype=np.int64),
        )
        self._workspace = Workspace(
            votes=np.zeros((0, scales + 1)),
            touched=np.zeros(0, dtype=np.int64),
            factors=np.zeros(scales),
            hidden=np.zeros(0, dtype=np.bool_),
            masked=np.zeros(0, dtype=np.int64),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of the ranks: ``KIND@SECONDS`` (3 H of them)."""
        return tuple(f"{kind}@{h:g}" for kind in KINDS for h in self.half_lives)

    def rank_and_add(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
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
        rows = (clicks.targets, clicks.edge_sources, clicks.edge_targets)
        self._reserve_items(max(int(column.max(initial=-1)) for column in rows) + 1)
        most = int(np.diff(clicks.edge_starts).max())
        rules = self._rules._replace(room_per_click=most * ROW_SLOTS)
        done = 0
        while done < len(clicks.targets):
            done = rank_and_add(
                done,
                clicks,
                scored,
                mask_history,
                self._items.columns,
                self._items.edges,
                rules,
                self._progress,
                self._scratch,
                self._standings,
                self._workspace,
                ranks,
            )
            if done < len(clicks.targets):
                self._items.reserve_edges(_EDGES_AT_ONCE * rules.room_per_click)
        return ranks

    def rank(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank each click by the counters as they are, and count none (see `rank_and_add`)."""
        ranks = np.full((len(clicks.targets), len(self.names)), MISS, dtype=np.int32)
        if scored.any() and self._items.used:
            rank_all(
                clicks,
                scored,
                mask_history,
                self._items.columns,
                self._items.edges,
                self._rules,
                self._standings,
                self._workspace,
                ranks,
            )
        return ranks

    def graph(self) -> ItemGraph:
        """Return views of the counters, in float64, valid until the next change."""
        return graph_of(self.half_lives, self._items.columns, self._items.edges)

    def seed(self, graph: ItemGraph) -> None:
        """Begin with what `graph` holds, on the same half-lives, instead of with nothing.

        Raises
        ------
        ValueError
            The half-lives differ, or something was counted already.
        """
        if self._items.used or not np.array_equal(graph.half_lives, self.half_lives):
            raise ValueError("only empty counters can be seeded, by a graph of equal half-lives")
        rows = np.flatnonzero(graph.alive)
        if len(rows) == 0:
            return
        self._reserve_items(graph.items)
        columns = self._items.columns
        room = 2 * ROW_SLOTS  # of a row that grows block by block
        done = 0
        while done < graph.items:
            self._items.reserve_edges(_EDGES_AT_ONCE * room)
            done = merge_items(
                columns,
                self._items.edges,
                self._rules,
                self._scratch,
                np.arange(graph.items),
                graph.last_clicks,
                graph,
                done,
                room,
            )
        columns.alive[: graph.items] = graph.alive
        newest = float(graph.last_clicks[rows].max())
        self._standings.references[:] = np.floor(newest / self.half_lives)
        for row in rows.tolist():
            enter_item(columns, self._standings, row)
        self._standings.totals[:] = self._standings.popularity.sum(axis=0)
        self._order_again()

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Forget the items of `rows`, which are to be given to other items."""
        rows = rows[rows < self._items.used]
        columns, standings = self._items.columns, self._standings
        rows = rows[columns.alive[rows]]
        if len(rows) == 0:
            return
        standings.totals[:] -= standings.popularity[rows].sum(axis=0)
        standings.popularity[rows] = 0.0
        leaving = np.zeros(self._items.used, dtype=np.bool_)
        leaving[rows] = True
        clear_rows(columns, self._items.edges, rows, leaving)
        self._order_again()

    def _reserve_items(self, items: int) -> None:
        """Make room for the items of the rows below `items`."""
        if items <= self._items.used:
            return
        self._items.reserve(items - self._items.used)
        self._items.columns.counts[ROWS] = items
        room, size = len(self._items.columns.alive), len(self._standings.popularity)
        if room > size:
            more = room - size
            self._standings = self._standings._replace(
                popularity=np.pad(self._standings.popularity, ((0, more), (0, 0))),
                ordered=np.pad(self._standings.ordered, ((0, 0), (0, more))),
            )
            self._workspace = Workspace(
                votes=np.zeros((room, len(self.half_lives) + 1)),
                touched=np.zeros(room, dtype=np.int64),
                factors=np.zeros(len(self.half_lives)),
                hidden=np.zeros(room, dtype=np.bool_),
                masked=np.zeros(room, dtype=np.int64),
            )

    def _order_again(self) -> None:
        """Sort the known items' popularity on every scale."""
        standings = self._standings
        known = np.flatnonzero(self._items.columns.alive)
        standings.ordered[:, : len(known)] = np.sort(standings.popularity[known].T, axis=1)
        standings.known[0] = len(known)

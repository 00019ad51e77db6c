"""Baselines: decayed popularity, the item graph alone, and fixed mixes of the two.

They are the counters of `gsr.counters` at other half-lives, a whole grid of them, and updated after
every single click, so that a model that learns in cycles is compared with rivals that are never
stale. They count in float64 and keep long rows: a rival is not to lose by rounding or trimming.
(An edge a thousand half-lives older than the newest of its row counts as nothing even so.)

A baseline scores an item ``j`` for a user by

- *popularity* at a half-life: the decayed number of clicks on ``j``;
- *graph* at a half-life: ``Σ_b decay**b * w(a_b → j)`` over the user's newest clicks ``a_0, a_1,
  …``, with the decayed edge weights ``w``; items of equal scores, above all those without any, are
  ordered by their popularity at the half-life that is nearest to a day;
- *mix*: the sum of popularity at one half-life and the graph at the same or another one, each
  divided by its own total and multiplied by its share.

Ties that remain count against the clicked item. Ranks are exact up to
`gsr.baselines.counter_ranks.DEEPEST` and `MISS` beyond.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.counter_ranks import (
    DEEPEST,
    Columns,
    new_workspace,
    rank_all,
    rank_and_add,
)
from gsr.baselines.long_rows import EDGES_AT_ONCE, ROW_SLOTS, long_row_rules
from gsr.baselines.standings import enter_item, new_standings, order_again
from gsr.counters.items.edge_rows import graph_of, new_scratch
from gsr.counters.items.item_columns import ROWS
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.items.item_rows import ItemRows
from gsr.counters.items.merge_kernel import merge_items
from gsr.counters.progress import new_progress
from gsr.quality.ranking_metrics import MISS

MINUTE: Final = 60.0
HOUR: Final = 3600.0
DAY: Final = 86_400.0

HALF_LIVES: Final = (
    *(2 * MINUTE, 6 * MINUTE, 15 * MINUTE, 30 * MINUTE),
    *(HOUR, 4 * HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY),
)
"""The grid, in seconds: 2, 6, 15 and 30 min, 1 h, 4 h, 1 d, 7 d, 30 d, 365 d."""


class Mix(NamedTuple):
    """A fixed mix of the graph and popularity.

    Parameters
    ----------
    graph, popularity
        The half-life of each, in seconds.
    share
        The graph's share, between 0 and 1; popularity has the rest.
    """

    graph: float
    popularity: float
    share: float

    @property
    def name(self) -> str:
        """Name of its column: ``mix@SECONDS`` for an equal mix at one half-life."""
        if self == (self.graph, self.graph, 0.5):
            return f"mix@{self.graph:g}"
        return f"mix@{self.graph:g}:{self.popularity:g}:{self.share:g}"


MIXES: Final = tuple(
    Mix(graph, popularity, share)
    for graph, popularity in (
        (15 * MINUTE, 2 * MINUTE),
        (30 * MINUTE, 2 * MINUTE),
        (4 * HOUR, 30 * MINUTE),
        (DAY, 4 * HOUR),
        (30 * DAY, DAY),
        (365 * DAY, DAY),
        (365 * DAY, 7 * DAY),
    )
    for share in (0.35, 0.5, 0.65, 0.8)
)
"""Mixes on the grid, from news to ratings: an edge is counted more rarely than an item, so that
popularity does best at the shorter half-life. On four logs, of news, shopping and films (two), the
best of all 600 mixes on the grid was among these, or ahead by less than .0003 of MRR@20."""

KINDS: Final = ("popularity", "graph", "mix")


class BaselineCounters:
    """Popularity and item graph at several half-lives, with the rank of every next click.

    Parameters
    ----------
    half_lives
        The grid, in seconds (H of them).
    mixes
        The mixes, at half-lives of the grid (X of them); None: an equal one at each half-life.

    Raises
    ------
    ValueError
        A mix is at a half-life that is not of the grid, or a share is not between 0 and 1.

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

    def __init__(
        self, half_lives: Sequence[float] = HALF_LIVES, mixes: Sequence[Mix] | None = None
    ) -> None:
        self.half_lives: npt.NDArray[np.float64] = np.array(half_lives, dtype=np.float64)
        self.mixes = tuple(Mix(h, h, 0.5) for h in half_lives) if mixes is None else tuple(mixes)
        scales = len(half_lives)
        self._columns = _columns(self.half_lives, self.mixes)
        self._items = ItemRows(scales, np.float64)
        self._rules = long_row_rules(self.half_lives)
        self._progress = new_progress()
        self._scratch = new_scratch(scales, ROW_SLOTS, np.float64)
        self._standings = new_standings(scales)
        self._workspace = new_workspace(0, scales, ROW_SLOTS, 0)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of the ranks: ``KIND@SECONDS``, and those of the mixes."""
        single = tuple(f"{kind}@{h:g}" for kind in KINDS[:2] for h in self.half_lives)
        return (*single, *(mix.name for mix in self.mixes))

    def rank_and_add(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank each click by the counters before it, then add it (see `Baseline`).

        Ranks beyond `DEEPEST` are `MISS`.
        """
        ranks = np.full((len(clicks.targets), len(self.names)), MISS, dtype=np.int32)
        if len(clicks.targets) == 0:
            return ranks
        rows = (clicks.targets, clicks.edge_sources, clicks.edge_targets)
        self._reserve_items(max(int(column.max(initial=-1)) for column in rows) + 1)
        self._reserve_places(clicks.histories.shape[1])
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
                self._columns,
                self._workspace,
                ranks,
            )
            if done < len(clicks.targets):
                self._items.reserve_edges(EDGES_AT_ONCE * rules.room_per_click)
        return ranks

    def rank(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank each click by the counters as they are, and count none (see `rank_and_add`)."""
        ranks = np.full((len(clicks.targets), len(self.names)), MISS, dtype=np.int32)
        if scored.any() and self._items.used:
            self._reserve_places(clicks.histories.shape[1])
            rank_all(
                clicks,
                scored,
                mask_history,
                self._items.columns,
                self._items.edges,
                self._rules,
                self._standings,
                self._columns,
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
            self._items.reserve_edges(EDGES_AT_ONCE * room)
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
        rows = self._items.clear(rows)
        if len(rows) == 0:
            return
        standings = self._standings
        standings.totals[:] -= standings.popularity[rows].sum(axis=0)
        standings.popularity[rows] = 0.0
        self._order_again()

    def _reserve_items(self, items: int) -> None:
        """Make room for the items of the rows below `items`."""
        if items <= self._items.used:
            return
        self._items.reserve(items - self._items.used)
        self._items.columns.counts[ROWS] = items
        more = len(self._items.columns.alive) - len(self._standings.popularity)
        if more > 0:
            popularity = np.pad(self._standings.popularity, ((0, more), (0, 0)))
            self._standings = self._standings._replace(popularity=popularity)
            self._new_workspace(len(self._workspace.masked))

    def _reserve_places(self, longest: int) -> None:
        """Make room for histories of `longest` items; so many more values are to be in order."""
        places = DEEPEST + 1 + longest
        if places > self._standings.highest.shape[1]:
            known = np.flatnonzero(self._items.columns.alive)
            self._standings = order_again(self._standings, known, places)
            self._new_workspace(longest)

    def _new_workspace(self, longest: int) -> None:
        items, scales = self._standings.popularity.shape
        self._workspace = new_workspace(items, scales, ROW_SLOTS, longest)

    def _order_again(self) -> None:
        """Find the highest popularity of the known items on every scale."""
        known = np.flatnonzero(self._items.columns.alive)
        self._standings = order_again(self._standings, known)


def tie_scale(half_lives: npt.NDArray[np.float64]) -> int:
    """Return the place of the half-life at which popularity orders items of equal graph scores.

    >>> tie_scale(np.array([3600.0, 40_000.0, 1e7]))
    1
    """
    return int(np.argmin(np.abs(np.log(half_lives / DAY))))


def _columns(half_lives: npt.NDArray[np.float64], mixes: Sequence[Mix]) -> Columns:
    """Return what is ranked by, as positions among the half-lives."""
    place = {half_life: s for s, half_life in enumerate(half_lives.tolist())}
    for mix in mixes:
        if not {mix.graph, mix.popularity} <= set(place) or not 0.0 < mix.share < 1.0:
            raise ValueError(f"{mix} needs half-lives of the grid and a share between 0 and 1")
    return Columns(
        ties=np.array([tie_scale(half_lives)], dtype=np.int64),
        mix_graphs=np.array([place[mix.graph] for mix in mixes], dtype=np.int64),
        mix_popularities=np.array([place[mix.popularity] for mix in mixes], dtype=np.int64),
        mix_ratios=np.array([mix.share / (1.0 - mix.share) for mix in mixes], dtype=np.float64),
    )

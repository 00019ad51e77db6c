"""What the ranker counts: popularity and followers, items clicked close by, own clicks.

Popularity and followers are the counters of `gsr.counters` at the ranker's half-lives. Items that
one user clicks within `CLOSE_BY` clicks of each other are edges of a second graph, in both
directions. Everything is counted in float64, as the other baselines do.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.baselines.ranker.features import HALF_LIVES, SHARED_HALF_LIVES
from gsr.baselines.ranker.own_clicks import OwnClicks, forget_items, no_own_clicks
from gsr.counters.items.edge_rows import Edges, Scratch, new_scratch
from gsr.counters.items.item_columns import ROWS, ItemColumns
from gsr.counters.items.item_rows import ItemRows
from gsr.counters.items.merge_kernel import clear_rows
from gsr.counters.progress import StreamProgress, new_progress
from gsr.counters.rules import EdgeRules
from gsr.ranker.popular_items import PopularItems, list_again, no_popular_items

ROW_SLOTS: Final = 512
"""Neighbours of a full row: four times those of the state's, as the other baselines have."""

CLOSE_BY: Final = 10
"""Clicks that are at most so many apart are close by."""

HOURS: Final = 24
HOUR_SECONDS: Final = 3600.0

_EDGES_AT_ONCE: Final = 16
"""Clicks with full rows that the edges grow by at least."""


class Graph(NamedTuple):
    """A graph as kernels take it, with what they need to add to it."""

    items: ItemColumns
    edges: Edges
    rules: EdgeRules
    scratch: Scratch
    progress: StreamProgress


class Counts(NamedTuple):
    """All counts as kernels take them, valid until there is more room.

    Parameters
    ----------
    followers
        What followed each item, and popularity.
    shared
        What was clicked close to each item.
    hours
        float32 [N, 24], clicks on each item by the hour of day (UTC).
    clicks
        int64 [N], clicks on each item.
    popular
        The most popular items.
    own
        Everybody's newest clicks.
    new_sources, new_targets, new_weights, new_times
        int64, int64, float64 and float64 [2 * CLOSE_BY], edges of `shared` that a click adds.
    """

    followers: Graph
    shared: Graph
    hours: npt.NDArray[np.float32]
    clicks: npt.NDArray[np.int64]
    popular: PopularItems
    own: OwnClicks
    new_sources: npt.NDArray[np.int64]
    new_targets: npt.NDArray[np.int64]
    new_weights: npt.NDArray[np.float64]
    new_times: npt.NDArray[np.float64]


class RankerCounts:
    """The counts, with room that grows.

    Parameters
    ----------
    listed
        Popular items that are listed on every time scale.
    """

    def __init__(self, listed: int) -> None:
        self._followers = _Growing(HALF_LIVES)
        self._shared = _Growing(SHARED_HALF_LIVES)
        self._hours = np.zeros((0, HOURS), dtype=np.float32)
        self._clicks = np.zeros(0, dtype=np.int64)
        self._popular = no_popular_items(len(HALF_LIVES), listed)
        self._own = no_own_clicks()
        width = 2 * CLOSE_BY
        self._new = (
            np.zeros(width, dtype=np.int64),
            np.zeros(width, dtype=np.int64),
            np.ones(width),
            np.zeros(width),
        )

    @property
    def room(self) -> int:
        """Item rows that there is room for."""
        return len(self._clicks)

    def arrays(self) -> Counts:
        """Return the arrays."""
        return Counts(
            self._followers.graph(),
            self._shared.graph(),
            self._hours,
            self._clicks,
            self._popular,
            self._own,
            *self._new,
        )

    def reserve_items(self, items: int) -> None:
        """Make room for the items of the rows below `items`."""
        self._followers.reserve_items(items)
        self._shared.reserve_items(items)
        room = len(self._followers.rows.columns.alive)
        if room > len(self._clicks):
            more = room - len(self._clicks)
            self._clicks = np.pad(self._clicks, (0, more))
            self._hours = np.pad(self._hours, ((0, more), (0, 0)))

    def reserve_edges(self, most: int) -> None:
        """Make room for the edges of clicks with at most `most` followers' edges each."""
        self._followers.reserve_edges(most)
        self._shared.reserve_edges(2 * CLOSE_BY)

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Forget the items of `rows`."""
        used = self._followers.rows.used
        rows = rows[rows < used]
        rows = rows[self._followers.rows.columns.alive[rows]]
        if len(rows) == 0:
            return
        leaving = np.zeros(used, dtype=np.bool_)
        leaving[rows] = True
        for growing in (self._followers, self._shared):
            clear_rows(growing.rows.columns, growing.rows.edges, rows, leaving)
        self._hours[rows] = 0.0
        self._clicks[rows] = 0
        forget_items(self._own, rows)
        list_again(self._popular, self._followers.rows.columns, used)


class _Growing:
    """A graph whose arrays grow."""

    def __init__(self, half_lives: tuple[float, ...]) -> None:
        scales = len(half_lives)
        self.rows = ItemRows(scales, np.float64)
        self._rules = EdgeRules(
            weights=np.zeros(0),  # each click brings its own
            half_lives=np.array(half_lives, dtype=np.float64),
            row_slots=ROW_SLOTS,
            kept_per_scale=max(1, (ROW_SLOTS - 1) // scales),
            room_per_click=0,
        )
        self._scratch = new_scratch(scales, ROW_SLOTS, np.float64)
        self._progress = new_progress()

    def graph(self) -> Graph:
        """Return the graph's arrays."""
        return Graph(self.rows.columns, self.rows.edges, self._rules, self._scratch, self._progress)

    def reserve_items(self, items: int) -> None:
        """Make room for the items of the rows below `items`."""
        if items > self.rows.used:
            self.rows.reserve(items - self.rows.used)
            self.rows.columns.counts[ROWS] = items

    def reserve_edges(self, most: int) -> None:
        """Make room for clicks with at most `most` edges each."""
        self._rules = self._rules._replace(room_per_click=most * ROW_SLOTS)
        free = len(self.rows.edges.neighbours.slots) - int(self.rows.edges.neighbours.top[0])
        if free < self._rules.room_per_click:
            self.rows.reserve_edges(_EDGES_AT_ONCE * self._rules.room_per_click)

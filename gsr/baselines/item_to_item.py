"""Cosine item-kNN and sequential rules, kept up to date click by click.

Both look ten clicks back. A *rule* ``i → j`` weighs a click on ``j`` that came ``d`` clicks after
one on ``i`` by ``1 / d``; *co-occurrence* counts clicks on both, in either order. With the user's
newest clicks ``a_1, a_2, …`` an item ``j`` scores

- *rules*: ``Σ_d w(a_d → j) / (d · mass(a_d))``, with the mass of all rules from ``a_d``;
- *item-knn*: ``Σ_d 0.8**d · c(a_d, j) / √(p(a_d) · p(j))``, with the items' clicks ``p``.

Everything decays. Items of equal score are ordered by popularity with a half-life of a day; ties
count against the clicked item.

Sources: Ludewig and Jannach, "Evaluation of session-based recommendation algorithms" (2018), for
sequential rules; Sarwar et al., "Item-based collaborative filtering recommendation algorithms"
(2001), for the cosine.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.counters import DAY
from gsr.baselines.item_to_item_ranks import Workspace, rank_all, rank_and_add
from gsr.baselines.long_rows import EDGES_AT_ONCE, ROW_SLOTS, long_row_rules
from gsr.counters.items.edge_rows import new_scratch
from gsr.counters.items.item_columns import ROWS
from gsr.counters.items.item_rows import ItemRows
from gsr.counters.progress import new_progress
from gsr.quality.ranking_metrics import MISS

HALF_LIVES: Final = (DAY, 365 * DAY)
"""Of rules, co-occurrence and clicks; popularity that orders equals has the first one."""

WINDOW: Final = 10
"""Clicks back to which an item is related."""


class ItemToItem:
    """Rules and item-kNN as a `Baseline`.

    Parameters
    ----------
    half_lives
        In seconds (H of them).

    Examples
    --------
    >>> ItemToItem((60.0,)).names
    ('rules@60', 'item-knn@60')
    """

    def __init__(self, half_lives: tuple[float, ...] = HALF_LIVES) -> None:
        self.half_lives: npt.NDArray[np.float64] = np.array(half_lives, dtype=np.float64)
        scales = len(half_lives)
        # Each has popularity too; that of the rules counts the clicks.
        self._followers = ItemRows(scales, np.float64)
        self._together = ItemRows(scales, np.float64)
        self._rules = long_row_rules(self.half_lives, 2 * WINDOW)
        self._progress = (new_progress(), new_progress())
        self._scratch = new_scratch(scales, ROW_SLOTS, np.float64)
        self._work = self._workspace(0)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of the ranks: ``KIND@SECONDS`` (2 H of them)."""
        return tuple(f"{kind}@{h:g}" for kind in ("rules", "item-knn") for h in self.half_lives)

    def rank(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank clicks by the counters as they are, and count none (see `Baseline`)."""
        ranks = np.full((len(clicks.targets), len(self.names)), MISS, dtype=np.int32)
        if scored.any() and self._followers.used:
            rank_all(
                clicks,
                scored,
                mask_history,
                len(self.half_lives),
                self._followers.columns,
                self._followers.edges,
                self._together.edges,
                self._together.columns,
                self._work,
                ranks,
            )
        return ranks

    def rank_and_add(
        self, clicks: CountedClicks, *, scored: npt.NDArray[np.bool_], mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank each click, then count it (see `Baseline`)."""
        count = len(clicks.targets)
        ranks = np.full((count, len(self.names)), MISS, dtype=np.int32)
        if count == 0:
            return ranks
        highest = max(int(clicks.targets.max()), int(clicks.histories.max(initial=-1)))
        self._reserve_items(highest + 1)
        done = 0
        while done < count:
            done = rank_and_add(
                done,
                clicks,
                scored,
                mask_history,
                WINDOW,
                self._followers.columns,
                self._followers.edges,
                self._together.columns,
                self._together.edges,
                self._rules,
                self._progress[0],
                self._progress[1],
                self._scratch,
                self._work,
                ranks,
            )
            if done < count:
                for rows in (self._followers, self._together):
                    rows.reserve_edges(EDGES_AT_ONCE * self._rules.room_per_click)
        return ranks

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Forget the items of `rows`, which are to be given to other items."""
        self._followers.clear(rows)
        self._together.clear(rows)

    def _reserve_items(self, items: int) -> None:
        """Make room for the items of the rows below `items`."""
        for counted in (self._followers, self._together):
            if items > counted.used:
                counted.reserve(items - counted.used)
                counted.columns.counts[ROWS] = items
        room = len(self._followers.columns.alive)
        if room > len(self._work.touched):
            self._work = self._workspace(room)

    def _workspace(self, rows: int) -> Workspace:
        return Workspace(
            scores=np.zeros((rows, 2 * len(self.half_lives))),
            touched=np.zeros(rows, dtype=np.int64),
            seen=np.zeros(rows, dtype=np.bool_),
            hidden=np.zeros(rows, dtype=np.bool_),
            sources=np.zeros(2 * WINDOW, dtype=np.int64),
            targets=np.zeros(2 * WINDOW, dtype=np.int64),
            weights=np.zeros(2 * WINDOW),
            times=np.zeros(2 * WINDOW),
        )

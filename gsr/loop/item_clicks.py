"""Clicks by item: since the beginning, and over a span of the stream."""

import numpy as np
import numpy.typing as npt

from gsr.counters.items.item_graph import ItemGraph
from gsr.votes.popularity import popularity_at


class ItemTotals:
    """Counts all clicks by item row.

    Examples
    --------
    >>> totals = ItemTotals()
    >>> totals.add(np.array([0, 2, 0])).tolist(), totals.add(np.array([0, 1])).tolist()
    ([0, 0, 1], [2, 0])
    """

    def __init__(self) -> None:
        self._clicks: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def add(self, targets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Count clicks on `targets`, int64 [n]; return how many each had before its turn."""
        self._reserve(int(targets.max(initial=-1)) + 1)
        order = np.argsort(targets, kind="stable")
        ordered = targets[order]
        before = np.empty(len(targets), dtype=np.int64)
        before[order] = np.arange(len(targets)) - np.searchsorted(ordered, ordered)
        before += self._clicks[targets]
        np.add.at(self._clicks, targets, 1)
        return before

    def counts(self, items: int) -> npt.NDArray[np.int64]:
        """Return a copy of the clicks of the first `items` rows, int64 [items]."""
        counts: npt.NDArray[np.int64] = np.zeros(items, dtype=np.int64)
        known = self._clicks[:items]
        counts[: len(known)] = known
        return counts

    def seed(self, graph: ItemGraph) -> None:
        """Take over totals from the popularity that `graph` holds on the longest time scale."""
        rows = np.flatnonzero(graph.alive)
        if len(rows) == 0:
            return
        self._reserve(graph.items)
        newest = float(graph.last_clicks[rows].max())
        counted = popularity_at(graph, int(np.argmax(graph.half_lives)), newest)[rows]
        self._clicks[rows] = np.maximum(np.rint(counted), 1.0).astype(np.int64)

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Forget the items of `rows`, int64, which are to be given to other items."""
        self._clicks[rows[rows < len(self._clicks)]] = 0

    def _reserve(self, items: int) -> None:
        if items > len(self._clicks):
            self._clicks = np.pad(self._clicks, (0, 2 * items - len(self._clicks)))


class ItemClicks:
    """Counts clicks by item row, and clicks on items without any before, since the last `take`.

    Examples
    --------
    >>> clicks = ItemClicks()
    >>> clicks.add(np.array([0, 2, 2]), clicks_before=np.array([5, 0, 1]), items=3)
    >>> counts, new_share = clicks.take()
    >>> counts[:3].tolist(), round(new_share, 2)
    ([1.0, 0.0, 2.0], 0.33)
    """

    def __init__(self) -> None:
        self._by_item: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._clicks = 0
        self._first_clicks = 0

    def add(
        self, targets: npt.NDArray[np.int64], clicks_before: npt.NDArray[np.int64], items: int
    ) -> None:
        """Count clicks on `targets`, which had `clicks_before`, among `items` rows."""
        if items > len(self._by_item):
            self._by_item = np.pad(self._by_item, (0, 2 * items - len(self._by_item)))
        np.add.at(self._by_item, targets, 1)  # looks at these items alone
        self._clicks += len(targets)
        self._first_clicks += int((clicks_before == 0).sum())

    def take(self) -> tuple[npt.NDArray[np.float64], float]:
        """Return clicks by row and the share of first clicks on an item; begin a new span."""
        counts, share = self._by_item.astype(np.float64), self._first_clicks / max(self._clicks, 1)
        self._by_item = np.zeros_like(self._by_item)
        self._clicks = self._first_clicks = 0
        return counts, share

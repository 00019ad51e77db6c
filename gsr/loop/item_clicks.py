"""Clicks by item over a span of the stream."""

import numpy as np
import numpy.typing as npt


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
        self._by_item += np.bincount(targets, minlength=len(self._by_item))
        self._clicks += len(targets)
        self._first_clicks += int((clicks_before == 0).sum())

    def take(self) -> tuple[npt.NDArray[np.float64], float]:
        """Return clicks by row and the share of first clicks on an item; begin a new span."""
        counts, share = self._by_item.astype(np.float64), self._first_clicks / max(self._clicks, 1)
        self._by_item = np.zeros_like(self._by_item)
        self._clicks = self._first_clicks = 0
        return counts, share

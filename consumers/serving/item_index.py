"""Rows of a serving view, found by item id or by the fingerprints of a seen filter."""

from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt

from consumers.serving.view import ServingView
from gsr.counters.ids.fingerprint import fingerprint
from gsr.counters.ids.fingerprint_index import FingerprintIndex


class ItemIndex:
    """Finds the rows of items, by id or by the fingerprint that a seen filter holds.

    It follows one view after the other and looks only at what changed, because most of a
    catalogue stays as it is from one view to the next.

    Attributes
    ----------
    by_fingerprint
        Rows by the fingerprints of their items.

    Examples
    --------
    >>> index = ItemIndex()
    >>> index.rows_of(["unknown"])
    array([-1])
    """

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._rows: dict[str, int] = {}
        self.by_fingerprint = FingerprintIndex(np.zeros(0, dtype=np.uint32))

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def fingerprints(self) -> npt.NDArray[np.uint32]:
        """uint32 [N], of each row's item id; 0 where the row is free."""
        return self.by_fingerprint.fingerprints

    @property
    def item_ids(self) -> Sequence[str]:
        """The item of each row, "" where the row is free."""
        return self._ids

    def follow(self, view: ServingView) -> None:
        """Take over the rows of a newer view."""
        before, after = self._ids, view.item_ids
        if after is before:
            return
        common = min(len(before), len(after))
        changed = [row for row in range(common) if before[row] != after[row]]
        gone = changed + list(range(common, len(before)))
        come = changed + list(range(common, len(after)))
        if not gone and not come:
            return
        for row in gone:
            if self._rows.get(before[row]) == row:
                del self._rows[before[row]]
        fingerprints = np.zeros(len(after), dtype=np.uint32)
        fingerprints[:common] = self.fingerprints[:common]
        for row in come:
            item = after[row]
            fingerprints[row] = fingerprint(item) if item else 0
            if item:
                self._rows[item] = row
        self._ids = after
        self.by_fingerprint = FingerprintIndex(fingerprints)

    def row_of(self, item_id: str) -> int:
        """Return the item's row, -1 where the view does not know it."""
        return self._rows.get(item_id, -1)

    def rows_of(self, item_ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return int64 [n], each item's row, -1 where the view does not know it."""
        rows = map(self._rows.get, item_ids, repeat(-1))
        return np.fromiter(rows, np.int64, len(item_ids))

    def mask(self, item_ids: Iterable[str]) -> npt.NDArray[np.bool_]:
        """Return bool [N], True in the rows of `item_ids`."""
        mask = np.zeros(len(self._ids), dtype=np.bool_)
        rows = np.array([row for row in map(self.row_of, item_ids) if row >= 0], dtype=np.int64)
        mask[rows] = True
        return mask

"""Item ids of one view after the other, of which most stay what they were."""

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel

Bytes = npt.NDArray[np.uint8]
Bounds = npt.NDArray[np.int64]


class ItemIds:
    """Makes strings of the ids in a view, anew of those alone that are not those of the last one.

    Examples
    --------
    >>> ids = ItemIds()
    >>> ids.follow(np.frombuffer(b"teajam", dtype=np.uint8), np.array([0, 3, 6]))
    ['tea', 'jam']
    """

    def __init__(self) -> None:
        self._block: Bytes = np.zeros(0, dtype=np.uint8)
        self._bounds: Bounds = np.zeros(1, dtype=np.int64)
        self._ids: list[str] = []

    def follow(self, block: Bytes, bounds: Bounds) -> list[str]:
        """Return the ids of a newer view; the list that was returned last, where it has the same.

        Parameters
        ----------
        block
            uint8 [B], all ids as UTF-8, one behind the other.
        bounds
            int64 [N + 1], where each row's begins and ends.

        Raises
        ------
        ValueError
            They do not belong together, or are no UTF-8.
        """
        if not _within(block, bounds):
            raise ValueError("the bounds of the item ids lie outside of them")
        rows = _other_rows(block, bounds, self._block, self._bounds)
        if len(rows) or len(bounds) != len(self._bounds):
            ids = self._ids[: len(bounds) - 1]
            ids += [""] * (len(bounds) - 1 - len(ids))
            data = block.tobytes()
            begins, ends = bounds[rows].tolist(), bounds[rows + 1].tolist()
            for row, begin, end in zip(rows.tolist(), begins, ends, strict=True):
                ids[row] = data[begin:end].decode()
            self._ids = ids
        self._block, self._bounds = block, bounds
        return self._ids


def _within(block: Bytes, bounds: Bounds) -> bool:
    if block.dtype != np.uint8 or bounds.dtype != np.int64 or block.ndim != 1 or bounds.ndim != 1:
        return False
    if not len(bounds) or bounds[0] < 0 or bounds[-1] > len(block):
        return False
    return bool((bounds[1:] >= bounds[:-1]).all())


@kernel
def _other_rows(
    block: Bytes, bounds: Bounds, before: Bytes, bounds_before: Bounds
) -> npt.NDArray[np.int64]:
    """Return the rows whose bytes are not what they were, or that were not there."""
    rows = np.empty(len(bounds) - 1, dtype=np.int64)
    count = 0
    for row in range(len(rows)):
        same = row + 1 < len(bounds_before)
        if same:
            begin, begin_before = bounds[row], bounds_before[row]
            length = bounds[row + 1] - begin
            same = length == bounds_before[row + 1] - begin_before
            place = 0
            while same and place < length:
                same = block[begin + place] == before[begin_before + place]
                place += 1
        if not same:
            rows[count] = row
            count += 1
    return rows[:count]

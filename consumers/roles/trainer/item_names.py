"""Item ids by a partition's item index, also of items that have left."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gsr.counters.ids.id_column import IdColumn, join_ids


class ItemNames:
    """Item index → item id, of every item seen in the checkpoints that were read.

    Examples
    --------
    >>> names = ItemNames()
    >>> names.learn(0, [(0, "tea"), (2, "jam")])
    >>> list(names.of(np.array([2, 1, 0])))
    ['jam', '', 'tea']
    """

    def __init__(self) -> None:
        self._indexes: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        # The last one is that of unknown indexes.
        self._ids = IdColumn.of([""])

    def __len__(self) -> int:
        return len(self._indexes)

    def learn(self, start: int, vocabulary: Sequence[tuple[int, str]]) -> None:
        """Take over the items with indexes from `start` on, ascending; what was there is dropped.

        A state that was built anew may have given indexes to other items.
        """
        kept = int(np.searchsorted(self._indexes, start))
        if kept == len(self) and not vocabulary:
            return
        fresh = np.fromiter((index for index, _ in vocabulary), np.int64, len(vocabulary))
        self._indexes = np.concatenate((self._indexes[:kept], fresh))
        ids = IdColumn.of([*(item_id for _, item_id in vocabulary), ""])
        self._ids = join_ids([self._ids[:kept], ids])

    def of(self, indexes: npt.NDArray[np.int64]) -> IdColumn:
        """Return the id of each index, int64 [n]; "" where it is unknown."""
        places = np.searchsorted(self._indexes, indexes)
        unknown = np.append(self._indexes, -1)[places] != indexes
        return self._ids.rows(np.where(unknown, len(self), places))

"""Items of a partition by row: ids, counters and edges, with room for more items."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsr.counters.arena import block_places, new_arena
from gsr.counters.cache_lines import copy_columns
from gsr.counters.ids.fingerprint import fingerprints_of
from gsr.counters.ids.id_column import IdColumn
from gsr.counters.ids.id_table import IdTable
from gsr.counters.items.edge_rows import Edges
from gsr.counters.items.item_columns import (
    FREE,
    ITEMS,
    NEXT_INDEX,
    NO_INDEX,
    ROWS,
    claim_rows,
    new_item_columns,
)
from gsr.counters.items.merge_kernel import clear_rows, remove_rows
from gsr.errors import CountersFullError

_FIRST_ROWS = 1024
_FIRST_EDGES = 8192
_LARGEST_ARENA = 2**32
STORED_OF_ITEMS: Final = (
    *("created_at", "last_clicks", "alive", "popularity", "popularity_references"),
    "row_lengths",
)
"""Columns that `ItemRows.arrays` tells of each item."""


class ItemRows:
    """All items of a partition, their counters and their edges.

    Parameters
    ----------
    scales
        Time scales of popularity and of what followed (S).
    dtype
        Of popularity and weights.
    close_scales
        Time scales of close clicks (C).
    """

    def __init__(
        self, scales: int, dtype: npt.DTypeLike = np.float32, close_scales: int = 0
    ) -> None:
        self.columns = new_item_columns(_FIRST_ROWS, _FIRST_ROWS, scales, dtype, close_scales)
        self.edges = Edges(
            neighbours=new_arena(_FIRST_EDGES),
            weights=np.zeros((_FIRST_EDGES, scales + close_scales), dtype=dtype),
        )
        self.table = IdTable(_FIRST_ROWS)
        self.removed_indexes: list[int] = []
        self._names: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.table)

    @property
    def used(self) -> int:
        """Rows that were ever handed out."""
        return int(self.columns.counts[ROWS])

    @property
    def next_index(self) -> int:
        """The index that the next new item gets."""
        return int(self.columns.counts[NEXT_INDEX])

    def id_of(self, row: int) -> str | None:
        """Return the id of the item in a row, None where the row is free."""
        name = self._names.get(row)
        if name is None:
            name = self.table.id_of(row)
            if name is not None:
                self._names[row] = name
        return name

    def find(self, item_id: str) -> int:
        """Return an item's row, -1 for an unknown item."""
        return self.table.find_one(item_id)

    def find_all(self, item_ids: IdColumn) -> tuple[npt.NDArray[np.int64], IdColumn]:
        """Return each item's row, and the unknown items.

        Returns
        -------
        int64 [n], rows, or ``-1 - k`` for entry k of the second; the unknown item ids, each once.
        """
        rows = self.table.find(item_ids)
        missing = np.flatnonzero(rows < 0)
        unknown = item_ids.rows(missing)
        numbers = np.full(len(missing), -1, dtype=np.int64)
        firsts = IdTable(len(missing)).add_missing(unknown, numbers, np.arange(len(missing)))
        rows[missing] = -1 - numbers
        return rows, unknown.rows(firsts)

    def name(self, rows: npt.NDArray[np.int64], item_ids: IdColumn) -> None:
        """Note the ids of items that the kernel made; a row of -1 was not made."""
        made = np.flatnonzero(rows >= 0)
        if len(made) > 0:
            self.table.add(item_ids.rows(made), rows[made])

    def add(
        self, item_ids: Sequence[str], indexes: npt.NDArray[np.int64] | None = None
    ) -> npt.NDArray[np.int64]:
        """Return each item's row; unknown items get one.

        Parameters
        ----------
        item_ids
            n item ids, no two alike.
        indexes
            int64 [n], the indexes that new items get; None: the next ones.
        """
        rows, unknown = self.find_all(IdColumn.of(item_ids))
        new = np.flatnonzero(rows < 0)
        if indexes is None:
            indexes = np.full(len(item_ids), -1, dtype=np.int64)
        self.reserve(len(unknown), int(indexes.max(initial=-1)) + 1)
        made = np.empty(len(unknown), dtype=np.int64)
        claim_rows(self.columns, fingerprints_of(unknown), indexes[new], made)
        self.name(made, unknown)
        rows[new] = made
        return rows

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all that goes on: by row, who is there; by item, all else."""
        columns = self.columns
        rows = np.flatnonzero(columns.indexes[: self.used] >= 0)
        slots = block_places(columns.row_starts[rows], columns.row_lengths[rows])
        names = self.table.ids_of(rows).compact()
        references = columns.row_references[rows]
        references[columns.row_lengths[rows] == 0] = 0  # they mean nothing
        return {
            "id_bytes": names.data,
            "id_lengths": names.lengths,
            "neighbours": self.edges.neighbours.slots[slots],
            "weights": self.edges.weights[slots],
            "free_rows": columns.free_rows[: columns.counts[FREE]].copy(),
            "next_index": np.array([self.next_index]),
            "row_references": references,
            "indexes": columns.indexes[: self.used].copy(),
            **{name: getattr(columns, name)[rows] for name in STORED_OF_ITEMS},
        }

    def claim_as_before(
        self,
        item_ids: IdColumn,
        indexes: npt.NDArray[np.int64],
        free_rows: npt.NDArray[np.int64],
        next_index: int,
    ) -> None:
        """Give items the rows and indexes that they had elsewhere; there must be no items yet.

        Parameters
        ----------
        item_ids
            Of the rows that are not free, in the order of the rows.
        indexes
            int64 [R], by row; -1 where the row is free.
        free_rows
            int64 [free], in the order in which they became free.
        next_index
            The index that the next new item gets.
        """
        self.reserve(len(indexes), next_index)
        columns, rows = self.columns, np.flatnonzero(indexes >= 0)
        columns.indexes[: len(indexes)] = indexes
        columns.rows[indexes[rows]] = rows
        columns.fingerprints[rows] = fingerprints_of(item_ids)
        columns.free_rows[: len(free_rows)] = free_rows
        columns.counts[[ROWS, FREE, ITEMS, NEXT_INDEX]] = (
            *(len(indexes), len(free_rows), len(rows)),
            next_index,
        )
        self.table.add(item_ids, rows)

    def number_from(self, index: int) -> None:
        """Let the next new item get this index, if it is not smaller than the next one is."""
        self.reserve(0, index)
        self.columns.counts[NEXT_INDEX] = max(index, self.next_index)

    def reserve(self, rows: int, indexes: int = 0) -> None:
        """Make room for `rows` more rows and indexes, and for indexes below `indexes`."""
        old = self.columns
        more_rows = int(old.counts[ROWS]) - int(old.counts[FREE]) + rows
        more_indexes = max(self.next_index + rows, indexes)
        if more_indexes >= NO_INDEX:
            raise CountersFullError(
                f"{self.next_index} different items were seen, more than 32 bits can number"
            )
        if more_rows > len(old.indexes) or more_indexes > len(old.rows):
            scales = old.popularity.shape[1]
            self.columns = new_item_columns(
                _enough(more_rows, len(old.indexes)),
                _enough(more_indexes, len(old.rows)),
                scales,
                old.popularity.dtype,
                old.row_references.shape[1] - scales,
            )
            copy_columns(old, self.columns)

    def reserve_edges(self, space: int) -> None:
        """Make room for `space` more slots of neighbours."""
        arena, weights = self.edges
        needed = int(arena.top[0]) + space
        if needed <= len(arena.slots):
            return
        if needed > _LARGEST_ARENA:
            raise CountersFullError("the item graph has outgrown its arrays: lower max_items")
        # What is never touched takes address space only.
        slots = np.zeros(max(needed, 2 * len(arena.slots)), dtype=np.uint32)
        slots[: len(arena.slots)] = arena.slots
        larger = np.zeros((len(slots), weights.shape[1]), dtype=weights.dtype)
        larger[: len(weights)] = weights
        self.edges = Edges(arena._replace(slots=slots), larger)

    def clear(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Forget what was counted of items, and every edge to them; their rows stay theirs.

        Parameters
        ----------
        rows
            int64; rows that were never handed out, or have no clicks, are left alone.

        Returns
        -------
        int64, those that were cleared.
        """
        rows = rows[rows < self.used]
        rows = rows[self.columns.alive[rows]]
        if len(rows) > 0:
            clear_rows(self.columns, self.edges, rows, self._among_all(rows))
        return rows

    def remove(self, rows: npt.NDArray[np.int64]) -> None:
        """Take items out, and every edge to them."""
        self.removed_indexes.extend(self.columns.indexes[rows].tolist())
        remove_rows(self.columns, self.edges, rows, self._among_all(rows))
        self.table.remove(rows)
        for row in rows.tolist():
            self._names.pop(row, None)

    def _among_all(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which of all rows are among `rows`, bool [used]."""
        among = np.zeros(self.used, dtype=np.bool_)
        among[rows] = True
        return among

    def oldest(self, count: int) -> npt.NDArray[np.int64]:
        """Return the rows of the `count` items clicked longest ago; of equals the first known."""
        rows = self.taken()
        order = np.lexsort((self.columns.indexes[rows], self.columns.last_clicks[rows]))
        return rows[order[:count]]

    def clicked_before(self, time: float) -> npt.NDArray[np.int64]:
        """Return the rows of the items without a click since `time`."""
        rows = self.taken()
        return rows[self.columns.last_clicks[rows] < time]

    def taken(self) -> npt.NDArray[np.int64]:
        """Return the rows that are items, in the order of their indexes."""
        rows = np.flatnonzero(self.columns.indexes[: self.used] >= 0)
        return rows[np.argsort(self.columns.indexes[rows], kind="stable")]

    def mark_clean(self) -> None:
        """Note that everything has been written."""
        self.columns.dirty[:] = 0
        self.columns.row_dirty[:] = 0
        self.removed_indexes = []


def _enough(needed: int, capacity: int) -> int:
    """Return the size to grow to."""
    return max(needed, capacity * 3 // 2)

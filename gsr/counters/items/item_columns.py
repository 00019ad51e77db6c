"""The columns of all items of a partition: one row per item."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel
from gsr.counters.cache_lines import new_records

ROWS: Final = 0
"""In `counts`: rows handed out, free ones included."""
FREE: Final = 1
"""In `counts`: free rows."""
ITEMS: Final = 2
"""In `counts`: rows that are items."""
NEXT_INDEX: Final = 3
"""In `counts`: the index that the next new item gets."""

NO_INDEX: Final = 0xFFFF_FFFF
"""An index that no item ever has."""

BYTES_PER_ITEM: Final = 64
"""Roughly the packed size of an item's counters."""


class ItemColumns(NamedTuple):
    """Counters of items by row, and the index by which everything durable names them.

    Rows are this process's matter and are used again after an item has left; indexes never are.

    Parameters
    ----------
    indexes
        int64 [rows], -1 in a free row.
    fingerprints
        uint32 [rows], of the item ids.
    alive
        bool [rows], True from the item's first accepted click until it leaves.
    created_at, last_clicks
        float64 [rows], time of the click that made the item known, and of the newest one.
    popularity, popularity_references
        float32 (or float64, as `Edges.weights`) and int64 [rows, S].
    row_starts, row_lengths
        int64, int32 [rows], where the neighbours stand in the arena, and how many they are.
    row_blocks
        uint8 [rows], the size of their block: `block_capacity` tells it.
    row_references
        int64 [rows, S + C]; mean nothing while the row is empty.
    dirty, row_dirty
        uint8 [rows], counters or neighbours changed since the last flush.
    rows
        int32 [indexes], row of each index ever handed out, -1 for an item that has left.
    free_rows
        int64 [rows], a stack of ``counts[FREE]`` free rows.
    counts
        int64 [4], see `ROWS`, `FREE`, `ITEMS`, `NEXT_INDEX`.
    """

    indexes: npt.NDArray[np.int64]
    fingerprints: npt.NDArray[np.uint32]
    alive: npt.NDArray[np.bool_]
    created_at: npt.NDArray[np.float64]
    last_clicks: npt.NDArray[np.float64]
    popularity: npt.NDArray[Any]
    popularity_references: npt.NDArray[np.int64]
    row_starts: npt.NDArray[np.int64]
    row_lengths: npt.NDArray[np.int32]
    row_blocks: npt.NDArray[np.uint8]
    row_references: npt.NDArray[np.int64]
    dirty: npt.NDArray[np.uint8]
    row_dirty: npt.NDArray[np.uint8]
    rows: npt.NDArray[np.int32]
    free_rows: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]


def new_item_columns(
    rows: int,
    indexes: int,
    scales: int,
    dtype: npt.DTypeLike = np.float32,
    close_scales: int = 0,
) -> ItemColumns:
    """Return empty columns with room for `rows` rows and `indexes` indexes."""
    # What an edge changes of its source (a cache line for six scales), what a click changes of its
    # item, and what names items.
    graph = new_records(
        rows,
        ("references", np.int64, (scales + close_scales,)),
        ("start", np.int64),
        ("length", np.int32),
        ("block", np.uint8),
        ("dirty", np.uint8),
    )
    counters = new_records(
        rows,
        ("references", np.int64, (scales,)),
        ("popularity", dtype, (scales,)),
        ("last_click", np.float64),
        ("alive", np.bool_),
        ("dirty", np.uint8),
    )
    names = np.zeros(
        rows, dtype=[("index", np.int64), ("fingerprint", np.uint32), ("padding", np.uint32)]
    )
    counters["last_click"] = -np.inf
    names["index"] = -1
    return ItemColumns(
        indexes=names["index"],
        fingerprints=names["fingerprint"],
        alive=counters["alive"],
        created_at=np.zeros(rows, dtype=np.float64),
        last_clicks=counters["last_click"],
        popularity=counters["popularity"],
        popularity_references=counters["references"],
        row_starts=graph["start"],
        row_lengths=graph["length"],
        row_blocks=graph["block"],
        row_references=graph["references"],
        dirty=counters["dirty"],
        row_dirty=graph["dirty"],
        rows=np.full(indexes, -1, dtype=np.int32),
        free_rows=np.zeros(rows, dtype=np.int64),
        counts=np.zeros(4, dtype=np.int64),
    )


@lean_kernel
def row_of(items: ItemColumns, index: int | np.int64) -> int:
    """Return the row of an item index, -1 where the item has left."""
    if index >= items.counts[NEXT_INDEX]:
        return -1
    return int(items.rows[index])


@lean_kernel
def claim_row(items: ItemColumns, fingerprint: np.uint32, index: int) -> int:
    """Make a row an item that is not alive yet; there must be room.

    Parameters
    ----------
    items
        The columns.
    fingerprint
        Of the new item's id.
    index
        Its index, or -1 for the next one.
    """
    if items.counts[FREE] > 0:
        items.counts[FREE] -= 1
        row = items.free_rows[items.counts[FREE]]
    else:
        row = items.counts[ROWS]
        items.counts[ROWS] += 1
    if index < 0:
        index = items.counts[NEXT_INDEX]
    items.counts[NEXT_INDEX] = max(items.counts[NEXT_INDEX], index + 1)
    items.counts[ITEMS] += 1
    items.indexes[row] = index
    items.rows[index] = row
    items.fingerprints[row] = fingerprint
    items.alive[row] = False
    items.last_clicks[row] = -np.inf
    for s in range(items.popularity.shape[1]):
        items.popularity[row, s] = 0.0
    items.row_lengths[row] = 0
    items.row_blocks[row] = 0
    return int(row)


@lean_kernel
def claim_rows(
    items: ItemColumns,
    fingerprints: npt.NDArray[np.uint32],
    indexes: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
) -> None:
    """Make rows new items, one after another; fills `rows`."""
    for i in range(len(fingerprints)):
        rows[i] = claim_row(items, fingerprints[i], indexes[i])

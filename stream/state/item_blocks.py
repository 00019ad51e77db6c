"""Items as bytes: sixteen neighbouring indexes share one value, since most change together.

::

    items    index >> 4, u32 (BE)    of each item that is there, in order:
                                     index & 15 u8 | length of the id u16
                                     | created_at f64 | last_click f64 | references i64[S]
                                     | popularity f32[S] | item id
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel
from gsr.counters.ids.byte_column import ByteColumn
from gsr.counters.ids.id_table import IdEntries
from gsr.counters.items.item_columns import ItemColumns
from stream.errors import StateCorruptError
from stream.state.packing import as_bytes

BLOCK_ITEMS: Final = 16
"""Indexes that share a value."""

_HEAD: Final = 3


class StoredItems(NamedTuple):
    """Items in the order of their indexes; n of them.

    Parameters
    ----------
    indexes
        int64 [n].
    counters
        [n] of `item_dtype`.
    ids
        n UTF-8 strings.
    """

    indexes: npt.NDArray[np.int64]
    counters: npt.NDArray[np.void]
    ids: ByteColumn


class _ItemBytes(NamedTuple):
    """The stored columns of items as bytes: uint8 [rows, width of the column]."""

    created_at: npt.NDArray[np.uint8]
    last_clicks: npt.NDArray[np.uint8]
    references: npt.NDArray[np.uint8]
    popularity: npt.NDArray[np.uint8]


def item_dtype(scales: int) -> np.dtype[np.void]:
    """Return what is stored of an item beside its index and its id."""
    return np.dtype(
        [
            ("created_at", "<f8"),
            ("last_click", "<f8"),
            ("references", "<i8", (scales,)),
            ("popularity", "<f4", (scales,)),
        ]
    )


def pack_item_blocks(
    items: ItemColumns, ids: IdEntries, blocks: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the values of blocks, one after another, and where each ends, int64 [n].

    A block without items has no bytes.
    """
    sizes = np.empty(len(blocks), dtype=np.int64)
    fixed = _HEAD + item_dtype(items.popularity.shape[1]).itemsize
    _measure(items, ids, blocks, fixed, sizes)
    ends = np.cumsum(sizes)
    out = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
    columns = _ItemBytes(
        as_bytes(items.created_at),
        as_bytes(items.last_clicks),
        as_bytes(items.popularity_references),
        as_bytes(items.popularity),
    )
    _pack(items, columns, ids, blocks, out)
    return out, ends


def unpack_item_blocks(
    blocks: npt.NDArray[np.int64], values: ByteColumn, scales: int
) -> StoredItems:
    """Return the items of blocks, int64 [n], whose values are `values`.

    Raises
    ------
    StateCorruptError
        A value is not such a block.
    """
    dtype = item_dtype(scales)
    most = int(np.sum(values.lengths // (_HEAD + dtype.itemsize)))
    indexes = np.empty(most, dtype=np.int64)
    counters = np.empty(most, dtype=dtype)
    starts, lengths = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    count = _unpack(
        values.data,
        values.starts,
        values.lengths,
        blocks,
        as_bytes(counters),
        indexes,
        starts,
        lengths,
    )
    if count < 0:
        raise StateCorruptError("A block of items is cut short: restore a backup.")
    ids = ByteColumn(values.data, starts[:count], lengths[:count])
    return StoredItems(indexes[:count], counters[:count], ids)


@lean_kernel
def _row_in(items: ItemColumns, index: int) -> int:
    """Return the row of the item with an index, -1 where there is none."""
    if index >= len(items.rows):
        return -1
    return int(items.rows[index])


@lean_kernel
def _measure(
    items: ItemColumns,
    ids: IdEntries,
    blocks: npt.NDArray[np.int64],
    fixed: int,
    sizes: npt.NDArray[np.int64],
) -> None:
    """Fill the bytes of each block."""
    for i in range(len(blocks)):
        size = 0
        for place in range(BLOCK_ITEMS):
            row = _row_in(items, blocks[i] * BLOCK_ITEMS + place)
            if row >= 0:
                size += fixed + ids.lengths[row]
        sizes[i] = size


@lean_kernel
def _put(out: npt.NDArray[np.uint8], at: int, column: npt.NDArray[np.uint8], row: int) -> int:
    """Copy a cell; return where the next one goes."""
    for i in range(column.shape[1]):
        out[at + i] = column[row, i]
    return int(at + column.shape[1])


@lean_kernel
def _pack(
    items: ItemColumns,
    columns: _ItemBytes,
    ids: IdEntries,
    blocks: npt.NDArray[np.int64],
    out: npt.NDArray[np.uint8],
) -> None:
    """Write the values of blocks behind each other."""
    at = 0
    for block in blocks:
        for place in range(BLOCK_ITEMS):
            row = _row_in(items, block * BLOCK_ITEMS + place)
            if row < 0:
                continue
            length = int(ids.lengths[row])
            out[at] = place
            out[at + 1] = length & 0xFF
            out[at + 2] = length >> 8
            at = _put(out, at + _HEAD, columns.created_at, row)
            at = _put(out, at, columns.last_clicks, row)
            at = _put(out, at, columns.references, row)
            at = _put(out, at, columns.popularity, row)
            start = ids.starts[row]
            for i in range(length):
                out[at + i] = ids.letters[start + i]
            at += length


@lean_kernel
def _unpack(
    data: npt.NDArray[np.uint8],
    value_starts: npt.NDArray[np.int64],
    value_lengths: npt.NDArray[np.int64],
    blocks: npt.NDArray[np.int64],
    counters: npt.NDArray[np.uint8],
    indexes: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
) -> int:
    """Read the values of blocks; return how many items there are, -1 where one is cut short."""
    count = 0
    width = counters.shape[1]
    for i in range(len(blocks)):
        at = value_starts[i]
        stop = at + value_lengths[i]
        while at < stop:
            if stop - at < _HEAD + width:
                return -1
            indexes[count] = blocks[i] * BLOCK_ITEMS + data[at]
            length = np.int64(data[at + 1]) | np.int64(data[at + 2]) << 8
            at += _HEAD
            for j in range(width):
                counters[count, j] = data[at + j]
            at += width
            if stop - at < length:
                return -1
            starts[count] = at
            lengths[count] = length
            at += int(length)
            count += 1
    return count


def block_of(index: int) -> int:
    """Return the block of an index.

    Examples
    --------
    >>> block_of(15), block_of(16)
    (0, 1)
    """
    return index // BLOCK_ITEMS


def dirty_blocks(items: ItemColumns, used: int, removed: list[int]) -> npt.NDArray[np.int64]:
    """Return the blocks, ascending, of items that changed or left.

    Parameters
    ----------
    items, used
        The items, and how many rows were ever handed out.
    removed
        Indexes of the items that left.
    """
    changed = items.indexes[np.flatnonzero(items.dirty[:used])]
    gone: npt.NDArray[Any] = np.array(removed, dtype=np.int64)
    return np.unique(np.concatenate([changed, gone]) // BLOCK_ITEMS)

"""One atomic write of everything that changed."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from rocksdict import WriteBatch

from gsr.counters.ids.id_column import IdColumn, copy_ids
from gsr.counters.items.item_rows import ItemRows
from gsr.counters.users.user_slots import UserSlots, seen_of
from stream.state.feed import FeedChanges
from stream.state.item_blocks import dirty_blocks, pack_item_blocks
from stream.state.packing import pack_rows, pack_users
from stream.state.reading import (
    CHUNK_SIZE_BYTES,
    CHUNK_SIZE_PREFIX,
    INDEX_BYTES,
    index_key,
    sequence_key,
)
from stream.state.rocks import Database

_SORTED_BYTES: Final = 16
"""Of a user id, to sort by."""

_PACKED_AT_ONCE: Final = 256
"""Values: few enough to stay in the processor's caches, in memory that is used again and again."""

_RESERVED_BYTES: Final = 1024 * 1024
"""From so many bytes on it pays to make room first."""


class FlushBatch:
    """Collects puts and deletes, family by family and sorted: sorted keys cost half as much.

    What is added later wins over what was added earlier under the same key.

    Parameters
    ----------
    database
        Where they go.
    expected_bytes
        How much that will be, roughly.
    """

    def __init__(self, database: Database, expected_bytes: int) -> None:
        self.batch = WriteBatch(raw_mode=True)
        self._database = database
        if expected_bytes >= _RESERVED_BYTES:
            # Room at once: growing step by step costs as much as filling it.
            self.batch.put(b"", bytes(expected_bytes))
            self.batch.clear()

    def write(self) -> None:
        """Write everything, at once or not at all."""
        self._database.rocks.write(self.batch)

    def _enter(self, family: str) -> WriteBatch:
        """Return the batch, ready for one column family."""
        self.batch.set_default_column_family(self._database.rocks.get_column_family_handle(family))
        return self.batch

    def drop_users(self, keys: list[bytes]) -> None:
        """Delete users."""
        for family in ("users", "filters"):
            batch = self._enter(family)
            for key in keys:
                batch.delete(key)

    def add_users(self, users: UserSlots) -> None:
        """Write users that changed; those of whom nothing is left go."""
        columns = users.columns
        slots = users.dirty()
        slots = slots[_by_spelling(users.table.ids_of(slots))]
        keys = users.table.ids_of(slots).compact()
        alive = columns.lengths[slots] > 0
        self.drop_users([key.encode() for key in keys.rows(np.flatnonzero(~alive))])

        for living in _pieces(np.flatnonzero(alive)):
            ids = keys.rows(living).compact()
            packed, ends = pack_users(columns, slots[living])
            self._put("users", ids.data.tobytes(), np.cumsum(ids.lengths), packed, ends)

        batch = self._enter("filters")
        for i in np.flatnonzero(alive & (columns.seen_dirty[slots] > 0)).tolist():
            seen = seen_of(columns, users.seen, slots[i])
            if len(seen) > 0:
                batch[keys[i].encode()] = seen.tobytes()
            else:
                batch.delete(keys[i].encode())

    def add_items(self, items: ItemRows) -> None:
        """Write items and rows that changed; items that left go."""
        self._add_counters(items)
        self._add_rows(items)

    def _add_counters(self, items: ItemRows) -> None:
        """Write the blocks of items that changed or left; an empty block is not there."""
        blocks = dirty_blocks(items.columns, items.used, items.removed_indexes)
        for piece in _pieces(blocks):
            packed, ends = pack_item_blocks(items.columns, items.table.entries, piece)
            self._put("items", *_index_keys(piece), packed, ends)

    def _add_rows(self, items: ItemRows) -> None:
        """Write the items' neighbours; an empty row is not there."""
        batch = self._enter("graph")
        for index in sorted(items.removed_indexes):
            batch.delete(index_key(index))
        columns = items.columns
        rows = np.flatnonzero(columns.row_dirty[: items.used])
        for piece in _pieces(rows[np.argsort(columns.indexes[rows])]):
            packed, ends = pack_rows(columns, items.edges, piece)
            self._put("graph", *_index_keys(columns.indexes[piece]), packed, ends)

    def _put(
        self,
        family: str,
        keys: bytes,
        key_ends: npt.NDArray[np.int64],
        values: npt.NDArray[np.uint8],
        value_ends: npt.NDArray[np.int64],
    ) -> None:
        """Write values that stand behind each other, as do their keys; delete the empty ones."""
        batch = self._enter(family)
        put, delete, view = batch.put, batch.delete, memoryview(values.data)
        key, value = 0, 0
        for key_end, value_end in zip(key_ends.tolist(), value_ends.tolist(), strict=True):
            if value_end > value:
                put(keys[key:key_end], view[value:value_end].tobytes())
            else:
                delete(keys[key:key_end])
            key, value = key_end, value_end

    def add_feed(self, changes: FeedChanges) -> None:
        """Write new chunks of the feed; those that left go."""
        batch = self._enter("feed")
        for sequence in changes.dropped:
            batch.delete(sequence_key(sequence))
        for sequence, value in changes.chunks.items():
            batch[sequence_key(sequence)] = value
        batch = self._enter("meta")
        for sequence in changes.dropped:
            batch.delete(CHUNK_SIZE_PREFIX + sequence_key(sequence))
        for sequence, size in changes.sizes.items():
            value = size.to_bytes(CHUNK_SIZE_BYTES, "little")
            batch[CHUNK_SIZE_PREFIX + sequence_key(sequence)] = value

    def add_meta(self, records: Mapping[bytes, bytes]) -> None:
        """Write the records of `encode_meta`."""
        batch = self._enter("meta")
        for key, value in records.items():
            batch[key] = value


def _pieces(rows: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the rows that are packed at once, one part after another."""
    for start in range(0, len(rows), _PACKED_AT_ONCE):
        yield rows[start : start + _PACKED_AT_ONCE]


def _index_keys(indexes: npt.NDArray[np.int64]) -> tuple[bytes, npt.NDArray[np.int64]]:
    """Return the keys of indexes behind each other, and where each ends."""
    ends = np.arange(1, len(indexes) + 1, dtype=np.int64) * INDEX_BYTES
    return indexes.astype(">u4").tobytes(), ends


def _by_spelling(ids: IdColumn) -> npt.NDArray[np.int64]:
    """Return the order of ids, int64 [n], by their first bytes: near enough to be quick."""
    words = np.zeros((len(ids), _SORTED_BYTES), dtype=np.uint8)
    lengths = np.minimum(ids.lengths, _SORTED_BYTES)
    targets = np.arange(len(ids), dtype=np.int64) * _SORTED_BYTES
    copy_ids(ids.data, ids.starts, lengths, words.reshape(-1), targets)
    high, low = words.view(">u8").T
    return np.lexsort((low, high))

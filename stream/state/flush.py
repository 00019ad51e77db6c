"""One atomic write of everything that changed."""

from collections.abc import Mapping

import numpy as np
from rocksdict import Rdict, WriteBatch

from stream.log.byte_column import ByteColumn
from stream.state.feed import FeedChanges
from stream.state.item_rows import ItemRows
from stream.state.packing import pack_items, pack_rows, pack_users
from stream.state.reading import (
    CHUNK_SIZE_BYTES,
    CHUNK_SIZE_PREFIX,
    INDEX_BYTES,
    index_key,
    sequence_key,
)
from stream.state.user_slots import UserSlots, seen_of


class FlushBatch:
    """Collects puts and deletes, family by family and sorted: sorted keys cost half as much.

    What is added later wins over what was added earlier under the same key.

    Parameters
    ----------
    database
        Where they go.
    """

    def __init__(self, database: Rdict) -> None:
        self.batch = WriteBatch(raw_mode=True)
        self._database = database

    def _enter(self, family: str) -> WriteBatch:
        """Return the batch, ready for one column family."""
        self.batch.set_default_column_family(self._database.get_column_family_handle(family))
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
        names = ByteColumn.of([user_id.encode() for user_id in users.table.ids_of(slots)])
        keys = [key for key in names if key is not None]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        keys, slots = [keys[i] for i in order], slots[order]
        changed = slots.tolist()
        alive = columns.lengths[slots] > 0
        self.drop_users([keys[i] for i in np.flatnonzero(~alive).tolist()])

        batch = self._enter("users")
        packed, ends = pack_users(columns, slots[alive])
        start = 0
        for i, stop in zip(np.flatnonzero(alive).tolist(), ends.tolist(), strict=True):
            batch[keys[i]] = packed[start:stop]
            start = stop

        batch = self._enter("filters")
        for i in np.flatnonzero(alive & (columns.seen_dirty[slots] > 0)).tolist():
            seen = seen_of(columns, users.seen, changed[i])
            if len(seen) > 0:
                batch[keys[i]] = seen.tobytes()
            else:
                batch.delete(keys[i])

    def add_items(self, items: ItemRows) -> None:
        """Write items and rows that changed; items that left go."""
        for family in ("items", "graph"):
            batch = self._enter(family)
            for index in sorted(items.removed_indexes):
                batch.delete(index_key(index))
        self._add_counters(items)
        self._add_rows(items)

    def _add_counters(self, items: ItemRows) -> None:
        """Write the items' own counters and ids."""
        columns = items.columns
        rows = np.flatnonzero(columns.dirty[: items.used])
        rows = rows[np.argsort(columns.indexes[rows])]
        fixed = pack_items(columns, rows)
        packed = fixed.tobytes()
        keys = columns.indexes[rows].astype(">u4").tobytes()
        size = fixed.dtype.itemsize
        batch = self._enter("items")
        for i, row in enumerate(rows.tolist()):
            key = keys[INDEX_BYTES * i : INDEX_BYTES * (i + 1)]
            batch[key] = packed[size * i : size * (i + 1)] + (items.id_of(row) or "").encode()

    def _add_rows(self, items: ItemRows) -> None:
        """Write the items' neighbours; an empty row is not there."""
        columns = items.columns
        rows = np.flatnonzero(columns.row_dirty[: items.used])
        rows = rows[np.argsort(columns.indexes[rows])]
        packed, ends = pack_rows(columns, items.edges, rows)
        keys = columns.indexes[rows].astype(">u4").tobytes()
        empty = columns.row_lengths[rows] == 0
        batch = self._enter("graph")
        start = 0
        for i, stop in enumerate(ends.tolist()):
            key = keys[INDEX_BYTES * i : INDEX_BYTES * (i + 1)]
            if empty[i]:
                batch.delete(key)
            else:
                batch[key] = packed[start:stop]
            start = stop

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
        """Write what the state says of itself."""
        batch = self._enter("meta")
        for key, value in records.items():
            batch[key] = value

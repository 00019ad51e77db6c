"""A topic's records in one SQLite file."""

import sqlite3
import threading
from collections.abc import Collection, Mapping, Sequence
from itertools import count
from typing import Final

import msgspec
import numpy as np

from stream.clock import Clock
from stream.errors import FencedError
from stream.log.embedded.cleaner import SqliteCleaner
from stream.log.embedded.errors import sqlite_errors
from stream.log.embedded.file import SqliteFile
from stream.log.embedded.schema import (
    APPENDED_COLUMNS,
    APPENDED_ROWS,
    RECORD_OVERHEAD_BYTES,
    PartitionStatements,
)
from stream.log.embedded.topic_storage import Bounds, Cleaned, Fence
from stream.log.interface import Headers, Outgoing, RecordBatch, TopicSpec

_BATCH_BYTES: Final = 32 * 1024 * 1024  # a batch of large values ends soon after this
_FETCHED_ROWS: Final = 64

_encode_headers = msgspec.msgpack.Encoder().encode
_decode_headers = msgspec.msgpack.Decoder(Headers).decode
_Column = int | float | bytes | None
_Row = tuple[int, float, bytes | None, bytes | None, bytes | None]


class SqliteTopic:
    """A `TopicStorage` on one SQLite file, shared with other processes.

    Parameters
    ----------
    file
        The topic's file.
    clock
        Stamps what is appended.
    active_records
        The newest records of a partition that compaction leaves alone.
    """

    def __init__(self, file: SqliteFile, clock: Clock, *, active_records: int) -> None:
        self.spec = file.read_spec()
        self._file = file
        self._clock = clock
        self._statements = [PartitionStatements.of(p) for p in range(self.spec.partitions)]
        self._cleaner = SqliteCleaner(
            file, self.spec, self._statements, clock, active_records=active_records
        )

    def identity(self) -> str:
        """Return what tells the topic from every other one that ever has its name."""
        return self._file.identity()

    @property
    def replaced(self) -> bool:
        """Whether the file was removed; another one may have taken its place."""
        return self._file.replaced

    def change_spec(self, spec: TopicSpec) -> None:
        """Replace the topic's settings; partitions and compaction stay as they are."""
        with self._file.transaction() as connection:
            connection.execute("UPDATE topic SET spec = ?", (msgspec.json.encode(spec).decode(),))
        self.spec = spec

    def bounds(self) -> dict[int, Bounds]:
        """Return every partition's bounds, all as of one moment."""
        with sqlite_errors(self._file.path):
            rows = self._file.connection().execute(
                "SELECT partition, start_offset, next_offset FROM partitions"
            )
            return {partition: Bounds(start, end) for partition, start, end in rows}

    def read(self, partition: int, offset: int, max_records: int) -> RecordBatch | None:
        """Return the first records of `partition` at or after `offset`; None: there are none."""
        rows = self._rows(partition, offset, max_records)
        if not rows:
            return None
        offsets, times, keys, values, headers = zip(*rows, strict=True)
        return RecordBatch(
            topic=self.spec.name,
            partition=partition,
            offsets=np.array(offsets, np.int64),
            append_times=np.array(times, np.float64),
            keys=keys,
            values=values,
            headers=[_decode_headers(h) if h else () for h in headers] if any(headers) else (),
        )

    def append(
        self, records: Mapping[int, Sequence[Outgoing]], fences: Collection[Fence]
    ) -> dict[int, int]:
        """Append all `records` (by partition) or none; return each partition's first offset."""
        with self._file.transaction() as connection:
            for fence in fences:
                _check_fence(connection, fence, self.spec.name)
            now = self._clock.time()
            return {
                partition: self._append(connection, partition, group, now)
                for partition, group in records.items()
            }

    def take_fence(self, name: str) -> Fence:
        """Move the epoch of `name` on, which locks out whoever held it."""
        with self._file.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO fences VALUES (?, 0)", (name,))
            connection.execute("UPDATE fences SET epoch = epoch + 1 WHERE name = ?", (name,))
            return Fence(name, _epoch(connection, name))

    def first_offset_at(self, partition: int, time: float) -> int:
        """Return the first offset appended at or after `time`, else the partition's end."""
        low, high = self.bounds()[partition]
        found = high
        read_time = self._statements[partition].read_time
        # Append times never decrease, so halving finds it without an index.
        with sqlite_errors(self._file.path):
            connection = self._file.connection()
            while low < high:
                middle = (low + high) // 2
                row = connection.execute(read_time, (middle,)).fetchone()
                if row is not None and row[1] < time:
                    low = row[0] + 1
                else:
                    high = middle
                    found = found if row is None else row[0]
        return found

    def saved_positions(self, group: str) -> dict[int, int]:
        """Return the positions that `group` saved."""
        with sqlite_errors(self._file.path):
            rows = self._file.connection().execute(
                "SELECT partition, next_offset FROM positions WHERE group_name = ?", (group,)
            )
            return dict(rows.fetchall())

    def save_positions(self, group: str, positions: Mapping[int, int]) -> None:
        """Save `positions` for `group`; durable on return."""
        with self._file.transaction() as connection:
            connection.executemany(
                "REPLACE INTO positions VALUES (?, ?, ?)",
                [(group, partition, offset) for partition, offset in positions.items()],
            )

    def change_mark(self) -> object:
        """Return what differs, as the calling thread sees it, after anybody changed the topic."""
        with sqlite_errors(self._file.path):
            connection = self._file.connection()
            # Grows with the commits of other connections alone; this one counts its own changes.
            (version,) = connection.execute("PRAGMA data_version").fetchone()
        return threading.get_ident(), version, connection.total_changes

    def clean(self, max_records: int) -> Cleaned:
        """Apply retention and compaction to at most about `max_records` records."""
        # Another process may have changed the retention.
        self.spec = self._cleaner.spec = self._file.read_spec()
        return self._cleaner.clean(max_records)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(
        self, connection: sqlite3.Connection, partition: int, group: Sequence[Outgoing], now: float
    ) -> int:
        first, newest = connection.execute(
            "SELECT next_offset, append_time FROM partitions WHERE partition = ?", (partition,)
        ).fetchone()
        time = max(now, newest)  # the clock may have been set back
        columns: list[_Column] = []  # the columns of all rows, one after the other
        size = 0
        for offset, record in zip(count(first), group, strict=False):
            key, value = record.key, record.value
            headers = _encode_headers(record.headers) if record.headers else None
            columns += (offset, time, key, value, headers)
            size += RECORD_OVERHEAD_BYTES + len(key or b"") + len(value or b"")
            size += len(headers or b"")
        statements = self._statements[partition]
        stride = APPENDED_ROWS * APPENDED_COLUMNS
        whole = len(columns) // stride * stride
        for start in range(0, whole, stride):
            connection.execute(statements.append_rows, columns[start : start + stride])
        for start in range(whole, len(columns), APPENDED_COLUMNS):
            connection.execute(statements.append, columns[start : start + APPENDED_COLUMNS])
        connection.execute(
            "UPDATE partitions SET next_offset = ?, append_time = ?, bytes = bytes + ?"
            " WHERE partition = ?",
            (first + len(group), time, size, partition),
        )
        return int(first)

    def _rows(self, partition: int, offset: int, max_records: int) -> list[_Row]:
        rows: list[_Row] = []
        size = 0
        with sqlite_errors(self._file.path):
            cursor = self._file.connection().execute(
                self._statements[partition].read, (offset, max_records)
            )
            try:
                while size < _BATCH_BYTES and (some := cursor.fetchmany(_FETCHED_ROWS)):
                    rows += some
                    size += sum(len(row[3]) for row in some if row[3])
            finally:
                cursor.close()  # an open cursor would keep the write-ahead log from being reset
        return rows


def _epoch(connection: sqlite3.Connection, name: str) -> int:
    row = connection.execute("SELECT epoch FROM fences WHERE name = ?", (name,)).fetchone()
    return int(row[0])


def _check_fence(connection: sqlite3.Connection, fence: Fence, topic: str) -> None:
    epoch = _epoch(connection, fence.name)
    if epoch != fence.epoch:
        raise FencedError(
            f"another process writes to {topic} as {fence.name!r} now (it came as number {epoch}, "
            f"this one as {fence.epoch}): stop this one, or find out why there are two"
        )

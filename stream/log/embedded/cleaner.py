"""Retention and compaction of one topic's SQLite file, in small transactions."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from stream.clock import Clock
from stream.log.embedded.errors import sqlite_errors
from stream.log.embedded.file import SqliteFile
from stream.log.embedded.schema import PartitionStatements
from stream.log.embedded.topic_storage import Cleaned
from stream.log.interface import TopicSpec

_STEP_RECORDS: Final = 2000  # looked at in one transaction: writers wait some ten milliseconds


@dataclass(slots=True)
class _Tally:
    expired: int = 0
    superseded: int = 0
    tombstones: int = 0
    removed_bytes: int = 0


class SqliteCleaner:
    """Removes what a topic need not keep.

    Compaction walks each partition once, from its start towards its newest records, and keeps an
    index of each key's newest offset up to where it has come. A record that it passes supersedes
    the one that the index names for its key. So the work is in proportion to what was appended,
    whatever the topic holds, and a step that was interrupted has not happened.

    Parameters
    ----------
    file, spec, statements
        The topic's file, settings, and SQL by partition.
    clock
        Tells ages.
    active_records
        The newest records of a partition, which compaction neither removes nor counts.
    """

    def __init__(
        self,
        file: SqliteFile,
        spec: TopicSpec,
        statements: Sequence[PartitionStatements],
        clock: Clock,
        *,
        active_records: int,
    ) -> None:
        self._file = file
        self.spec = spec
        self._statements = statements
        self._clock = clock
        self._active_records = active_records

    def clean(self, max_records: int) -> Cleaned:
        """Look at about `max_records` records in all, spread over the partitions."""
        tally = _Tally()
        more = False
        share = max(1, max_records // self.spec.partitions)
        for partition in range(self.spec.partitions):
            left = share
            while left > 0 and (seen := self._step(partition, min(left, _STEP_RECORDS), tally)):
                left -= seen
            more = more or left <= 0
        more = self._file.vacuum() or more
        self._file.checkpoint()
        return Cleaned(
            expired=tally.expired,
            superseded=tally.superseded,
            tombstones=tally.tombstones,
            removed_bytes=tally.removed_bytes,
            more=more,
        )

    def _step(self, partition: int, limit: int, tally: _Tally) -> int:
        """Do one transaction's work; return how many records it looked at, 0: none is due."""
        if self._expirable(partition):
            return self._expire(partition, limit, tally)
        if self.spec.compacted and self._compactable(partition):
            return self._compact(partition, limit, tally)
        if self.spec.compacted:
            return self._drop_tombstones(partition, limit, tally)
        return 0

    def _expirable(self, partition: int) -> bool:
        """Look without the write lock: most of the time there is nothing to do."""
        with sqlite_errors(self._file.path):
            connection = self._file.connection()
            oldest = connection.execute(self._statements[partition].oldest, (1,)).fetchone()
            return oldest is not None and (
                oldest[1] < self._horizon() or self._excess(connection, partition) > 0
            )

    def _expire(self, partition: int, limit: int, tally: _Tally) -> int:
        statements = self._statements[partition]
        with self._file.transaction() as connection:
            horizon, excess = self._horizon(), self._excess(connection, partition)
            removed: list[tuple[bytes | None, int]] = []
            size = 0
            for offset, time, key, record_size in connection.execute(statements.oldest, (limit,)):
                if time >= horizon and size >= excess:
                    break
                removed.append((key, offset))
                size += record_size
            if not removed:
                return 0
            start = removed[-1][1] + 1
            connection.execute(statements.expire, (start,))
            if self.spec.compacted:
                connection.executemany(statements.drop_newest, removed)
            connection.execute(
                "UPDATE partitions SET start_offset = ?, bytes = bytes - ? WHERE partition = ?",
                (start, size, partition),
            )
        tally.expired += len(removed)
        tally.removed_bytes += size
        return len(removed)

    def _compactable(self, partition: int) -> bool:
        with sqlite_errors(self._file.path):
            start, end = self._dirty(self._file.connection(), partition)
        return start < end

    def _compact(self, partition: int, limit: int, tally: _Tally) -> int:
        statements = self._statements[partition]
        with self._file.transaction() as connection:
            start, end = self._dirty(connection, partition)
            rows = connection.execute(statements.compactable, (start, end, limit)).fetchall()
            newest: dict[bytes, tuple[int, int]] = {}
            superseded: list[int] = []
            size = 0
            for offset, key, record_size in rows:
                if key in newest:
                    superseded.append(newest[key][0])
                    size += newest[key][1]
                newest[key] = offset, record_size
            for key in sorted(newest):  # neighbours in the index share pages
                earlier = connection.execute(statements.newest, (key,)).fetchone()
                if earlier is not None:
                    superseded.append(earlier[0])
                    size += connection.execute(statements.size_of, earlier).fetchone()[0]
            self._remove(connection, partition, superseded, size)
            connection.executemany(
                statements.set_newest, [(key, newest[key][0]) for key in sorted(newest)]
            )
            compacted_to = rows[-1][0] + 1 if len(rows) == limit else max(start, end)
            connection.execute(
                "UPDATE partitions SET compacted_to = ? WHERE partition = ?",
                (compacted_to, partition),
            )
        tally.superseded += len(superseded)
        tally.removed_bytes += size
        return max(1, len(rows))

    def _drop_tombstones(self, partition: int, limit: int, tally: _Tally) -> int:
        statements = self._statements[partition]
        due = self._clock.time() - self.spec.tombstone_seconds
        with sqlite_errors(self._file.path):
            connection = self._file.connection()
            reached = _column(connection, "compacted_to", partition)
            if not connection.execute(statements.tombstones, (due, reached, 1)).fetchall():
                return 0
        with self._file.transaction() as connection:
            rows = connection.execute(statements.tombstones, (due, reached, limit)).fetchall()
            size = sum(record_size for _, _, record_size in rows)
            self._remove(connection, partition, [offset for offset, _, _ in rows], size)
            connection.executemany(
                statements.drop_newest, [(key, offset) for offset, key, _ in rows]
            )
        tally.tombstones += len(rows)
        tally.removed_bytes += size
        return len(rows)

    def _remove(
        self, connection: sqlite3.Connection, partition: int, offsets: Iterable[int], size: int
    ) -> None:
        connection.executemany(
            self._statements[partition].remove, [(offset,) for offset in sorted(offsets)]
        )
        connection.execute(
            "UPDATE partitions SET bytes = bytes - ? WHERE partition = ?", (size, partition)
        )

    def _horizon(self) -> float:
        """Return the append time before which records expire."""
        age = self.spec.retention_seconds
        return float("-inf") if age is None else self._clock.time() - age

    def _excess(self, connection: sqlite3.Connection, partition: int) -> int:
        """Return how many bytes the partition is over its limit; not positive: none."""
        limit = self.spec.retention_bytes
        return 0 if limit is None else _column(connection, "bytes", partition) - limit

    def _dirty(self, connection: sqlite3.Connection, partition: int) -> tuple[int, int]:
        """Return the offsets from and up to which compaction has yet to walk."""
        end = _column(connection, "next_offset", partition) - self._active_records
        return _column(connection, "compacted_to", partition), end


def _column(connection: sqlite3.Connection, name: str, partition: int) -> int:
    statement = f"SELECT {name} FROM partitions WHERE partition = ?"  # noqa: S608 - our own names
    return int(connection.execute(statement, (partition,)).fetchone()[0])

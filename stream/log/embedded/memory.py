"""An event log that lives and dies with its process: for tests and for short runs."""

import threading
import uuid
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stream.clock import Clock
from stream.errors import FencedError
from stream.log.embedded.storage_log import StorageLog
from stream.log.embedded.topic_storage import Bounds, Cleaned, Fence
from stream.log.interface import Headers, Outgoing, RecordBatch, TopicSpec


class MemoryLog(StorageLog):
    """A `Log` in memory, for the threads of one process.

    Parameters
    ----------
    clock
        Stamps what is appended and times what waits.
    active_records
        The newest records of a partition that compaction leaves alone.
    """

    def __init__(self, clock: Clock, *, active_records: int = 1000) -> None:
        super().__init__(clock)
        self._active_records = active_records

    def _topic_names(self) -> Sequence[str]:
        return sorted(self._storages)

    def _open_storage(self, topic: str) -> "MemoryTopic | None":  # noqa: ARG002 - nothing outlives
        return None

    def _create_storage(self, spec: TopicSpec) -> "MemoryTopic":
        return MemoryTopic(spec, self._clock, active_records=self._active_records)


@dataclass(frozen=True, slots=True)
class _Record:
    offset: int
    time: float
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def size(self) -> int:
        names = sum(len(name) + len(value) for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + names


@dataclass(slots=True)
class _Partition:
    records: list[_Record] = field(default_factory=list)
    start: int = 0
    end: int = 0
    time: float = 0.0

    def index_of(self, offset: int) -> int:
        return bisect_left(self.records, offset, key=lambda record: record.offset)


class MemoryTopic:
    """A `TopicStorage` in memory.

    Parameters
    ----------
    spec
        The topic's settings.
    clock
        Stamps what is appended.
    active_records
        The newest records of a partition that compaction leaves alone.
    """

    def __init__(self, spec: TopicSpec, clock: Clock, *, active_records: int) -> None:
        self.spec = spec
        self.replaced = False  # nothing is ever deleted
        self._identity = str(uuid.uuid4())
        self._clock = clock
        self._active_records = active_records
        self._partitions = [_Partition() for _ in range(spec.partitions)]
        self._epochs: dict[str, int] = {}
        self._positions: dict[str, dict[int, int]] = {}
        self._changes = 0
        self._lock = threading.Lock()

    def identity(self) -> str:
        """Return what tells the topic from every other one that ever has its name."""
        return self._identity

    def change_spec(self, spec: TopicSpec) -> None:
        """Replace the topic's settings; partitions and compaction stay as they are."""
        with self._lock:
            self.spec = spec

    def bounds(self) -> dict[int, Bounds]:
        """Return every partition's bounds, all as of one moment."""
        with self._lock:
            return {p: Bounds(each.start, each.end) for p, each in enumerate(self._partitions)}

    def read(self, partition: int, offset: int, max_records: int) -> RecordBatch | None:
        """Return the first records of `partition` at or after `offset`; None: there are none."""
        with self._lock:
            held = self._partitions[partition]
            first = held.index_of(offset)
            records = held.records[first : first + max_records]
        if not records:
            return None
        headers = [record.headers for record in records]
        return RecordBatch(
            topic=self.spec.name,
            partition=partition,
            offsets=np.array([record.offset for record in records], np.int64),
            append_times=np.array([record.time for record in records], np.float64),
            keys=[record.key for record in records],
            values=[record.value for record in records],
            headers=headers if any(headers) else (),
        )

    def append(
        self, records: Mapping[int, Sequence[Outgoing]], fences: Collection[Fence]
    ) -> dict[int, int]:
        """Append all `records` (by partition) or none; return each partition's first offset."""
        with self._lock:
            for fence in fences:
                if self._epochs[fence.name] != fence.epoch:
                    raise FencedError(f"another writer to {self.spec.name} came as {fence.name!r}")
            now = self._clock.time()
            firsts = {}
            for partition, group in records.items():
                held = self._partitions[partition]
                held.time = max(held.time, now)
                firsts[partition] = held.end
                for record in group:
                    held.records.append(
                        _Record(held.end, held.time, record.key, record.value, record.headers)
                    )
                    held.end += 1
            self._changes += 1
            return firsts

    def take_fence(self, name: str) -> Fence:
        """Move the epoch of `name` on, which locks out whoever held it."""
        with self._lock:
            self._epochs[name] = self._epochs.get(name, 0) + 1
            return Fence(name, self._epochs[name])

    def first_offset_at(self, partition: int, time: float) -> int:
        """Return the first offset appended at or after `time`, else the partition's end."""
        with self._lock:
            held = self._partitions[partition]
            row = bisect_left(held.records, time, key=lambda record: record.time)
            return held.end if row == len(held.records) else held.records[row].offset

    def saved_positions(self, group: str) -> dict[int, int]:
        """Return the positions that `group` saved."""
        with self._lock:
            return dict(self._positions.get(group, {}))

    def save_positions(self, group: str, positions: Mapping[int, int]) -> None:
        """Save `positions` for `group`, for as long as the process lives."""
        with self._lock:
            self._positions.setdefault(group, {}).update(positions)

    def change_mark(self) -> object:
        """Return what differs after the topic has changed."""
        return self._changes

    def clean(self, max_records: int) -> Cleaned:  # noqa: ARG002 - lists are cleaned in one go
        """Apply retention and compaction."""
        with self._lock:
            expired = [each for held in self._partitions for each in self._expire(held)]
            superseded: list[_Record] = []
            tombstones: list[_Record] = []
            for held in self._partitions if self.spec.compacted else ():
                self._compact(held, superseded, tombstones)
        return Cleaned(
            expired=len(expired),
            superseded=len(superseded),
            tombstones=len(tombstones),
            removed_bytes=sum(record.size for record in expired + superseded + tombstones),
        )

    def close(self) -> None:
        """Keep everything: other readers of the same log may go on."""

    def _expire(self, held: _Partition) -> list[_Record]:
        """Remove and return the oldest records past the retention by age or by size."""
        age, limit = self.spec.retention_seconds, self.spec.retention_bytes
        horizon = float("-inf") if age is None else self._clock.time() - age
        excess = 0 if limit is None else sum(record.size for record in held.records) - limit
        count = 0
        for record in held.records:
            if record.time >= horizon and excess <= 0:
                break
            count += 1
            excess -= record.size
        removed = held.records[:count]
        del held.records[:count]
        if removed:
            held.start = removed[-1].offset + 1
        return removed

    def _compact(
        self, held: _Partition, superseded: list[_Record], tombstones: list[_Record]
    ) -> None:
        due = self._clock.time() - self.spec.tombstone_seconds
        active = held.index_of(held.end - self._active_records)
        newest = {record.key: record.offset for record in held.records[:active]}
        kept: list[_Record] = []
        for record in held.records[:active]:
            if newest[record.key] != record.offset:
                superseded.append(record)
            elif record.value is None and record.time < due:
                tombstones.append(record)
            else:
                kept.append(record)
        held.records[:active] = kept

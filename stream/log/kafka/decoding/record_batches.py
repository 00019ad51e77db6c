"""Decode the bytes that a broker sends for a partition: Kafka record batches, format v2."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.counters.ids.byte_column import ByteColumn
from stream.errors import RecordsDamagedError
from stream.log.interface import Headers
from stream.log.kafka.decoding.aborted import AbortedTransactions, is_abort_marker
from stream.log.kafka.decoding.batch_header import (
    HEADER_BYTES,
    BatchHeader,
    batch_size,
    read_header,
)
from stream.log.kafka.decoding.batch_kernels import (
    CURSOR_FIELDS,
    MIN_RECORD_BYTES,
    REASONS,
    SPAN_FIELDS,
    Refusal,
    decode_records,
)
from stream.log.kafka.decoding.compression import Codec, decompress
from stream.log.kafka.decoding.damaged_batch import behind_damage
from stream.log.kafka.decoding.record_columns import RecordColumns, read_headers

MAX_BATCH_BYTES: Final = 64 * 1024 * 1024
"""A batch that decompresses to more is refused: producers make batches of kilobytes."""

GROUP_BYTES: Final = 4 * 1024 * 1024
"""Compressed batches are unpacked together until they reach this size."""


_GROWTH_RECORDS: Final = 1_000_000
"""More than a log grows by between a broker's looks at its end and at its records."""


class _Body(NamedTuple):
    """Where the records of a batch stand, uncompressed."""

    batch: BatchHeader
    data: npt.NDArray[np.uint8]
    start: int
    end: int

    def row(self, shift: int) -> tuple[int, ...]:
        """Return what the kernel must know, with the data moved by `shift`."""
        batch = self.batch
        one_time = batch.append_time is not None
        return (
            self.start + shift,
            self.end + shift,
            batch.records,
            batch.base_offset,
            batch.last_delta,
            batch.max_time if one_time else batch.base_time,
            one_time,
        )


class _Group(NamedTuple):
    """Batches that the kernel unpacks together, and how far it has come."""

    data: npt.NDArray[np.uint8]
    sections: npt.NDArray[np.int64]
    cursor: npt.NDArray[np.int64]
    next_offset: int
    records: int

    @property
    def batch_end(self) -> int:
        """The offset after the batch in which the cursor stands."""
        _, _, _, base_offset, last_delta, _, _ = self.sections[self.cursor[0]].tolist()
        return int(base_offset + last_delta + 1)


class BatchDecoder:
    """Hands out the records of one fetch of one partition, as many at a time as are wanted.

    Checks lengths, checksums and formats before it believes them. Control batches and those of
    aborted transactions are left out, and offsets move past them. A batch that the fetch's size
    has cut off ends it. What is handed out shares the fetched bytes where they are uncompressed.

    Parameters
    ----------
    fetched
        Record batches as the broker sent them.
    topic, partition
        Where they come from, for error messages.
    fetch_offset
        Records below it are left out: the first batch may begin earlier.
    aborted
        (producer, first offset) of the aborted transactions in the range; None hands out
        everything ("read uncommitted").
    max_batch_bytes
        The most that a batch may decompress to.
    end_offset
        Where the log ended when this was fetched, or a little before; None: not known.
    """

    def __init__(
        self,
        fetched: bytes | memoryview,
        *,
        topic: str,
        partition: int,
        fetch_offset: int,
        aborted: Iterable[tuple[int, int]] | None = (),
        max_batch_bytes: int = MAX_BATCH_BYTES,
        end_offset: int | None = None,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.next_offset = fetch_offset
        self.leader_epoch = -1
        self._fetched = memoryview(fetched).toreadonly()
        self._data: npt.NDArray[np.uint8] = np.frombuffer(self._fetched, np.uint8)
        self._fetch_offset = fetch_offset
        self._aborted = None if aborted is None else AbortedTransactions(aborted)
        self._max_batch_bytes = max_batch_bytes
        self._end_offset = end_offset
        self._position = 0
        self._floor = 0
        self._group: _Group | None = None

    @property
    def bytes_read(self) -> int:
        """The fetched bytes of the batches that were begun."""
        return self._position

    @property
    def exhausted(self) -> bool:
        """Whether there are no more records and no damage; `take` may find that out first."""
        if self._group is not None:
            return False
        try:
            return batch_size(self._fetched, self._position) is None
        except ValueError:
            return False

    def take(self, limit: int) -> RecordColumns | None:
        """Return the next records, at most `limit`; None where there are no more.

        `next_offset` moves past them, and past what was left out on the way.

        Raises
        ------
        RecordsDamagedError
            The next record cannot be read, now and in every later call.
        """
        while True:
            if self._group is None:
                self._group = self._next_group(limit)
            if self._group is None:
                return None
            records = self._unpack(self._group, limit)
            if len(records):
                return records

    def check_whole(self) -> None:
        """Refuse a fetch that begins with a batch that is cut off: no broker sends such.

        Raises
        ------
        RecordsDamagedError
            The batch says that it is longer than all that was sent.
        """
        try:
            whole = not len(self._fetched) or batch_size(self._fetched, 0) is not None
        except ValueError:
            return  # which `take` says
        if not whole:
            self._pass_over(f"it says that it goes on after {len(self._fetched)} bytes")

    def _pass_over(self, reason: str) -> None:
        """Go on behind the damaged batch at the position, if it is not the one that is wanted."""
        behind = behind_damage(self._fetched, self._position, self.next_offset)
        if behind is None or behind.offset > self.next_offset:
            end = None if behind is None else behind.offset
            raise RecordsDamagedError(self.topic, self.partition, self.next_offset, end, reason)
        self._position = behind.position

    def _next_group(self, limit: int) -> _Group | None:
        """Collect batches for about `limit` records; None at the end."""
        bodies: list[_Body] = []
        records = copied = 0
        next_offset = self.next_offset
        while records < limit and copied < GROUP_BYTES:
            try:
                batch = read_header(self._fetched, self._position)
                body = None if batch is None else self._wanted(batch)
            except ValueError as error:
                if bodies:
                    break  # what stands before the damage is handed out first
                self._pass_over(str(error))
                continue
            if batch is None:
                break
            self._position += batch.size
            self._floor = batch.next_offset
            self.leader_epoch = batch.leader_epoch
            next_offset = max(next_offset, batch.next_offset)
            if body is not None:
                bodies.append(body)
                records += batch.records
                copied += 0 if body.data is self._data else body.end
            elif not bodies:
                self.next_offset = next_offset
        return _grouped(bodies, next_offset, records) if bodies else None

    def _wanted(self, batch: BatchHeader) -> _Body | None:
        """Return where the records of `batch` are, or None where they are not for us."""
        if batch.base_offset < self._floor:
            raise ValueError(
                f"it begins at offset {batch.base_offset}, before the end of the batch before it"
            )
        if self._end_offset is not None and batch.base_offset > self._end_offset + _GROWTH_RECORDS:
            raise ValueError(
                f"it begins at offset {batch.base_offset}, but the log ends at {self._end_offset}"
            )
        if self._aborted is not None and batch.producer >= 0:
            self._aborted.advance(batch.next_offset - 1)
            if batch.control:
                if batch.compressed:
                    raise ValueError("a control batch is compressed, as no broker writes it")
                body = self._body(batch)
                if body is not None and is_abort_marker(_first_key(body)):
                    self._aborted.end(batch.producer)
            elif batch.transactional and batch.producer in self._aborted:
                return None
        return None if batch.control else self._body(batch)

    def _body(self, batch: BatchHeader) -> _Body | None:
        """Return the records of `batch`, uncompressed; None where compaction has left none."""
        start = self._position + HEADER_BYTES
        end = self._position + batch.size
        if batch.records == 0 and start == end:
            return None
        data = self._data
        if batch.codec is not Codec.NONE:
            block = decompress(batch.codec, bytes(self._fetched[start:end]), self._max_batch_bytes)
            data, start, end = np.frombuffer(block, np.uint8), 0, len(block)
        if not batch.control:
            _check_count(batch.records, end - start)
        return _Body(batch, data, start, end)

    def _unpack(self, group: _Group, limit: int) -> RecordColumns:
        """Return the group's next records, at most `limit`; forget it after its last one."""
        records, refusal = _decoded(group, min(limit, group.records))
        if refusal and not len(records):
            raise RecordsDamagedError(
                self.topic, self.partition, self.next_offset, group.batch_end, REASONS[refusal]
            )
        if group.cursor[0] == len(group.sections):
            self._group = None
            self.next_offset = group.next_offset
        elif len(records):
            self.next_offset = max(self.next_offset, int(records.offsets[-1]) + 1)
        return records.since(self._fetch_offset)


def _check_count(records: int, size: int) -> None:
    """Refuse a number of records for which nobody should make room."""
    if records < 0:
        raise ValueError(f"it says that it has {records} records")
    if records > size // MIN_RECORD_BYTES:
        raise ValueError(f"it says that it has {records} records in {size} bytes")


def _grouped(bodies: list[_Body], next_offset: int, records: int) -> _Group:
    data = bodies[0].data
    shifts = [0] * len(bodies)
    if any(body.data is not data for body in bodies):
        sizes = [body.end - body.start for body in bodies]
        ends = np.cumsum(sizes).tolist()
        shifts = [
            end - size - body.start for body, end, size in zip(bodies, ends, sizes, strict=True)
        ]
        data = np.concatenate([body.data[body.start : body.end] for body in bodies])
        # One kind of array, so that the kernel is compiled once; and columns are immutable.
        data.flags.writeable = False
    rows = [body.row(shift) for body, shift in zip(bodies, shifts, strict=True)]
    sections = np.array(rows, np.int64)
    cursor = np.zeros(CURSOR_FIELDS, np.int64)
    cursor[1], cursor[3] = sections[0, 0], -1
    return _Group(data, sections, cursor, next_offset, records)


def _decoded(group: _Group, limit: int) -> tuple[RecordColumns, Refusal]:
    """Run the kernel; return records, and what stopped it."""
    offsets, times = np.empty(limit, np.int64), np.empty(limit, np.int64)
    spans = np.empty((SPAN_FIELDS, limit + 1), np.int64)
    group.cursor[4] = 0
    refusal = decode_records(group.data, group.sections, group.cursor, offsets, times, spans)
    n = int(group.cursor[4])
    key_starts, key_lengths, value_starts, value_lengths, _, header_counts = spans[:, :n]
    headers: list[Headers] = []
    if header_counts.any():
        data = memoryview(group.data.data)
        headers = [
            read_headers(data, position, count) for position, count in spans[4:, :n].T.tolist()
        ]
    records = RecordColumns(
        offsets=offsets[:n],
        times=times[:n],
        keys=ByteColumn(group.data, key_starts, key_lengths),
        values=ByteColumn(group.data, value_starts, value_lengths),
        headers=headers,
    )
    return records, Refusal(refusal)


def _first_key(body: _Body) -> bytes | None:
    """Return the key of the first record of a control batch.

    Raises
    ------
    ValueError
        It cannot be read.
    """
    records, refusal = _decoded(_grouped([body], 0, 1), 1)
    if not len(records):
        raise ValueError(REASONS.get(refusal, "a control batch has bytes but no record"))
    return records.keys[0]

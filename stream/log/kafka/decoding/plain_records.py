"""Columns from kafka-python's record objects: the public, slower way to read."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from kafka import KafkaConsumer
from kafka.record.default_records import DefaultRecordBatch

from gsr.counters.byte_column import ByteColumn
from stream.errors import LogCorruptError, RecordsDamagedError
from stream.log.interface import Headers
from stream.log.kafka.decoding.record_columns import RecordColumns

NO_TIME: Final = -1
"""Kafka's number for a time that is not known: message format 0 has none."""


def record_columns(records: Sequence[Any]) -> RecordColumns:
    """Return `records`, the ConsumerRecords that `KafkaConsumer.poll` returned, as columns."""
    times = [NO_TIME if record.timestamp is None else record.timestamp for record in records]
    headers: list[Headers] = []
    if any(record.headers for record in records):
        headers = [
            tuple((name, value or b"") for name, value in record.headers) for record in records
        ]
    return RecordColumns(
        offsets=np.array([record.offset for record in records], np.int64),
        times=np.array(times, np.int64),
        keys=ByteColumn.of([record.key for record in records]),
        values=ByteColumn.of([record.value for record in records]),
        headers=headers,
    )


def plain_damage(consumer: KafkaConsumer, topic: str, error: Exception) -> LogCorruptError:
    """Return what it means that the library could not unpack what `consumer` fetched."""
    # No public way leads to where it was; where the library changes, it is not told.
    fetcher = getattr(consumer, "_fetcher", None)
    records = getattr(fetcher, "_next_partition_records", None)
    place = getattr(records, "topic_partition", None)
    offset = getattr(records, "next_fetch_offset", None)
    if place is None or offset is None:
        return LogCorruptError(f"{topic} has damaged records: {error}")
    return RecordsDamagedError(topic, place.partition, offset, None, str(error))


class _ReplacingBytes(bytearray):
    """Bytes that replace what is no UTF-8 in them where they are read as text."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return _ReplacingBytes(found) if isinstance(key, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


def read_any_header_name() -> None:
    """Make the library replace what is no UTF-8 in a header's name, where it would fail."""
    read = getattr(DefaultRecordBatch, "_read_msg", None)
    if read is None or hasattr(read, "strict"):
        return

    def read_replacing(batch: Any, *arguments: Any) -> Any:
        try:
            return read(batch, *arguments)
        except UnicodeDecodeError:
            batch._buffer = _ReplacingBytes(batch._buffer)  # noqa: SLF001 - no public way
            return read(batch, *arguments)

    read_replacing.__dict__["strict"] = read
    DefaultRecordBatch._read_msg = read_replacing  # noqa: SLF001 - no public way

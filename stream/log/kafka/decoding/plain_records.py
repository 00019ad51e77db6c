"""Columns from kafka-python's record objects: the public, slower way to read."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gsr.counters.ids.byte_column import ByteColumn
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

"""Columns from kafka-python's record objects: the public, slower way to read."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stream.log.interface import Headers, RecordBatch


def record_batch(topic: str, partition: int, records: Sequence[Any]) -> RecordBatch:
    """Return one batch of `records`, the ConsumerRecords that `KafkaConsumer.poll` returned."""
    headers: list[Headers] = []
    if any(record.headers for record in records):
        headers = [
            tuple((name, value or b"") for name, value in record.headers) for record in records
        ]
    return RecordBatch(
        topic,
        partition,
        np.array([record.offset for record in records], np.int64),
        np.array([record.timestamp for record in records], np.float64) / 1000.0,
        [record.key for record in records],
        [record.value for record in records],
        headers,
    )

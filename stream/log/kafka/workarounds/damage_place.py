"""The place of records that the library could not unpack.

Wrong: the error says neither partition nor offset.
Issue: not reported.
Probe: `fits`; elsewhere the message names the topic alone, and nobody can go past the damage.
Until: errors of `poll` name partition and offset. `fast_fetch` does not need this.
"""

from typing import Any

from kafka import KafkaConsumer

from stream.errors import LogCorruptError, RecordsDamagedError
from stream.log.kafka.cluster.library import has_all


def plain_damage(consumer: KafkaConsumer, topic: str, error: Exception) -> LogCorruptError:
    """Return what it means that the library could not unpack what `consumer` fetched."""
    if not fits(consumer):
        return LogCorruptError(f"{topic} has damaged records: {error}")
    records: Any = consumer._fetcher._next_partition_records  # noqa: SLF001 - no public way
    partition, offset = records.topic_partition.partition, records.next_fetch_offset
    return RecordsDamagedError(topic, partition, offset, None, str(error))


def fits(consumer: KafkaConsumer) -> bool:
    """Return whether `consumer` tells which records it is at."""
    records = getattr(getattr(consumer, "_fetcher", None), "_next_partition_records", None)
    return has_all(records, "topic_partition", "next_fetch_offset")

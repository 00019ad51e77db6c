"""Cost of reading alone: `python -m benchmarks.ingest_kafka.drains KIND TASK`."""

import sys
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import Fetcher

from benchmarks.ingest_kafka.task import Stopwatch, Task, answer
from stream.clock import SystemClock
from stream.log.opening import open_log

POLL_RECORDS: Final = 20_000
POLL_SECONDS: Final = 0.1


class CountedBatch(NamedTuple):
    """A record batch as the transport drain counts it."""

    offset: int
    records: int


class UnparsedRecords(Fetcher.PartitionRecords):  # type: ignore[misc]
    """Takes record batches off the fetched bytes by their headers, and looks at no record."""

    def _unpack_records(
        self, _partition: TopicPartition, records: Any, *_: object
    ) -> Iterator[CountedBatch]:
        batch = records.next_batch()
        while batch is not None:
            self.next_fetch_offset = batch.next_offset
            yield CountedBatch(batch.last_offset, batch.records_count)
            batch = records.next_batch()
        self.drain()


def stock(task: Task, topic: str, events: int) -> dict[str, Any]:
    """Read with kafka-python as it comes."""
    consumer = consumer_of(task, topic)
    watch, left = Stopwatch(), events
    while left > 0:
        for records in consumer.poll(timeout_ms=100, max_records=POLL_RECORDS).values():
            left -= len(records)
    figures = watch.read()
    consumer.close()
    return figures


def transport(task: Task, topic: str, events: int) -> dict[str, Any]:
    """Fetch every byte and look at no record."""
    consumer = consumer_of(task, topic)
    consumer._fetcher.PartitionRecords = UnparsedRecords  # noqa: SLF001 - the part to leave out
    watch, left = Stopwatch(), events
    while left > 0:
        for batches in consumer.poll(timeout_ms=100, max_records=POLL_RECORDS).values():
            left -= sum(batch.records for batch in batches)
    figures = watch.read()
    consumer.close()
    return figures


def drain(task: Task, topic: str, events: int) -> dict[str, Any]:
    """Read columns with our reader, CRC checked."""
    log = open_log(f"kafka://{task.servers}", SystemClock())
    reader = log.reader(topic)
    watch, left = Stopwatch(), events
    while left > 0:
        left -= sum(map(len, reader.poll(POLL_RECORDS, POLL_SECONDS)))
    figures = watch.read()
    reader.close()
    log.close()
    return figures


def consumer_of(task: Task, topic: str) -> KafkaConsumer:
    """Return a consumer at the start of every partition; its CRC checks are on."""
    consumer = KafkaConsumer(
        bootstrap_servers=task.servers.split(","), isolation_level="read_committed"
    )
    partitions = [TopicPartition(topic, number) for number in range(task.partitions)]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    return consumer


KINDS: Final = {"stock": stock, "transport": transport, "drain": drain}

if __name__ == "__main__":
    answer(KINDS[sys.argv[1]])

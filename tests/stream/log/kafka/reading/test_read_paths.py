"""Reading batch by batch and record by record is the same reading, from a real broker."""

import itertools
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from kafka import KafkaProducer

from gsr.counters.ids.byte_column import ByteColumn
from stream.clock import SystemClock
from stream.log.interface import Headers, TopicSpec
from stream.log.kafka.log import KafkaLog
from stream.log.kafka.workarounds import fast_fetch
from tests.kafka_broker import KafkaAddress

pytestmark = pytest.mark.kafka

COMPRESSIONS = (None, "gzip", "snappy", "lz4", "zstd")
PADDING = b" so that compressing pays" * 3


class Read(NamedTuple):
    """A record as a reader returned it."""

    offset: int
    append_time: float
    key: bytes | None
    value: bytes | None
    headers: Headers


@pytest.fixture
def logs(kafka_broker: KafkaAddress) -> Iterator[Iterator[KafkaLog]]:
    opened: list[KafkaLog] = []

    def open_logs() -> Iterator[KafkaLog]:
        while True:
            opened.append(KafkaLog(kafka_broker.bootstrap_servers, SystemClock()))
            yield opened[-1]

    yield open_logs()
    for log in opened:
        log.close()


def produce_all_kinds(address: KafkaAddress, topic: str) -> list[bytes | None]:
    """Send every compression, headers, tombstones and transactions; return what counts."""
    expected: list[bytes | None] = []
    for compression in COMPRESSIONS:
        producer = KafkaProducer(
            bootstrap_servers=address.bootstrap_servers, compression_type=compression, linger_ms=50
        )
        for i in range(40):
            value = None if i == 7 else b"%s %d" % (str(compression).encode(), i) + PADDING
            headers = [("trace", b"%d" % i), ("trace", b"")] if i % 10 == 3 else []
            producer.send(topic, key=b"k%d" % i, value=value, headers=headers)
            expected.append(value)
        producer.flush()
        producer.close()
    producer = KafkaProducer(
        bootstrap_servers=address.bootstrap_servers, transactional_id=f"{topic}.kinds"
    )
    producer.init_transactions()
    for number in range(4):
        producer.begin_transaction()
        for i in range(5):
            producer.send(topic, key=b"t", value=b"%d/%d" % (number, i))
        producer.flush()
        if number % 2:
            producer.abort_transaction()
        else:
            producer.commit_transaction()
            expected += [b"%d/%d" % (number, i) for i in range(5)]
    producer.close()
    return expected


def read_all(log: KafkaLog, topic: str, max_records: int, start: int = 0) -> list[Read]:
    """Read until the position is the end, which also markers and aborted records move."""
    reader = log.reader(topic)
    reader.seek(0, start)
    end = log.end_offsets(topic)[0]
    records: list[Read] = []
    for _ in range(1000):
        for batch in reader.poll(max_records, 0.2):
            assert isinstance(batch.values, ByteColumn)
            records += itertools.starmap(
                Read,
                zip(
                    batch.offsets.tolist(),
                    batch.append_times.tolist(),
                    batch.keys,
                    batch.values,
                    batch.headers or [()] * len(batch),
                    strict=True,
                ),
            )
        if reader.position(0) == end:
            reader.close()
            return records
    raise AssertionError(f"the reader stays at {reader.position(0)}, the end is {end}")


def test_both_paths_read_the_same(
    logs: Iterator[KafkaLog], kafka_broker: KafkaAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All kinds of batches, from the start and from within a batch, many and few at a time."""
    fast, topic = next(logs), f"both-paths-{uuid.uuid4().hex}"
    fast.create_topic(TopicSpec(name=topic))
    expected = produce_all_kinds(kafka_broker, topic)
    by_batch = read_all(fast, topic, 1000)
    assert [record.value for record in by_batch] == expected
    assert [record.headers for record in by_batch[3:5]] == [
        (("trace", b"3"), ("trace", b"")),
        (),
    ]
    assert read_all(fast, topic, 7, start=25) == by_batch[25:]
    assert not fast.figures.fallback
    monkeypatch.setattr(fast_fetch, "KNOWN_SEAMS", frozenset())
    plain = next(logs)
    assert read_all(plain, topic, 1000) == by_batch
    assert read_all(plain, topic, 7, start=25) == by_batch[25:]
    assert plain.figures.fallback

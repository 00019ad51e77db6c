"""What confluent-kafka writes to the topic of clicks becomes the right state."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from confluent_kafka import Message, Producer

from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.ingest.role import MEASURE_SECONDS, IngestRole
from stream.clock import SystemClock
from stream.events.clicks.codec import ClickCodec
from stream.log.interface import RecordBatch
from stream.log.kafka.log import KafkaLog
from tests.crash.verdict import ingest_once
from tests.kafka_broker import KafkaAddress
from tests.stream.state.comparison import words_of_checkpoint, words_of_reference
from tests.stream.state.reference import Reference

pytestmark = pytest.mark.kafka

COMPRESSIONS = ("none", "gzip", "snappy", "lz4", "zstd")
PATIENCE_SECONDS = 60


@dataclass
class Shop:
    """A producer of clicks that remembers what the broker acknowledged, and where."""

    servers: str
    topic: str
    kept: list[tuple[int, float, bytes, bytes]] = field(default_factory=list)
    clicks: int = 0

    def producer(self, **settings: object) -> Producer:
        """Open a producer with settings of its own."""
        return Producer(
            {"bootstrap.servers": self.servers, "partitioner": "murmur2_random", **settings}
        )

    def click(self, producer: Producer, count: int, *, keep: bool = True) -> None:
        """Send clicks of a few users on a few items, and wait for the broker."""
        for _ in range(count):
            at = self.clicks
            self.clicks += 1
            user, clicked_at = f"u{at % 7}", 1_700_000_000 + at
            value = json.dumps({"user_id": user, "item_id": f"i{at % 11}", "timestamp": clicked_at})
            producer.produce(
                self.topic, value, user, on_delivery=self._keep if keep else self._drop
            )
        assert producer.flush(PATIENCE_SECONDS) == 0

    def transaction(self, producer: Producer, count: int, *, commit: bool) -> None:
        """Send clicks in a transaction."""
        producer.begin_transaction()
        self.click(producer, count, keep=commit)
        if commit:
            producer.commit_transaction(PATIENCE_SECONDS)
        else:
            producer.abort_transaction(PATIENCE_SECONDS)

    def _keep(self, error: object, message: Message) -> None:
        key, value, offset = message.key(), message.value(), message.offset()
        assert error is None
        assert isinstance(key, bytes)
        assert isinstance(value, bytes)
        assert offset is not None
        self.kept.append((offset, message.timestamp()[1] / 1000.0, key, value))

    def _drop(self, error: object, _message: Message) -> None:
        assert error is None

    def batch(self) -> RecordBatch:
        """Return what a reader of committed records must see."""
        offsets, times, keys, values = zip(*sorted(self.kept), strict=True)
        return RecordBatch(
            self.topic, 0, np.array(offsets), np.array(times), list(keys), list(values)
        )


@pytest.fixture
def config(tmp_path: Path) -> GsrConfig:
    """Return a configuration with topics of this test's own, one partition each."""
    name = uuid.uuid4().hex[:12]
    topics = {
        role: f"{role.replace('_', '-')}.{name}"
        for role in (
            *("clicks", "dead_letters", "sequences"),
            *("recommendations", "default_recommendations", "items"),
        )
    }
    return GsrConfig().with_values(
        {
            "log": {**topics, "partitions": 1, "clicks_retention_seconds": "off"},
            "state": {"directory": tmp_path},
            "ingest": {"group": f"ingest.{name}"},
        }
    )


@pytest.fixture
def log(kafka_broker: KafkaAddress, config: GsrConfig) -> Iterator[KafkaLog]:
    """Create the topics."""
    log = KafkaLog(kafka_broker.bootstrap_servers, SystemClock())
    for spec in config.log.topics():
        log.create_topic(spec)
    yield log
    log.close()


@pytest.fixture
def shop(kafka_broker: KafkaAddress, log: KafkaLog, config: GsrConfig) -> Shop:
    return Shop(kafka_broker.bootstrap_servers, config.log.clicks)


def assert_right_state(log: KafkaLog, config: GsrConfig, shop: Shop) -> None:
    """Ingest the topic, and compare all of the state with the reference."""
    while log.end_offsets(shop.topic)[0] <= max(shop.kept)[0]:
        time.sleep(0.05)  # an earlier transaction is still being marked as aborted
    ingest_once(config, log, SystemClock())
    rules = config.events.rules()
    decoded = ClickCodec(rules).decode(shop.batch(), float("-inf"))
    assert not decoded.bad
    reference = Reference(config.state.shape(), list(rules.weights.values()))
    reference.apply(decoded.clicks)
    assert words_of_checkpoint(config.ingest_directory / "partition-0") == words_of_reference(
        reference
    )


def test_every_compression_is_read(log: KafkaLog, config: GsrConfig, shop: Shop) -> None:
    """One topic may hold batches of every kind."""
    for compression in COMPRESSIONS:
        shop.click(shop.producer(**{"compression.type": compression, "linger.ms": 20}), 60)
    assert_right_state(log, config, shop)


def test_aborted_transactions_leave_no_trace(log: KafkaLog, config: GsrConfig, shop: Shop) -> None:
    """Committed transactions count, aborted ones do not, whatever lies between them."""
    one, two = (
        shop.producer(**{"transactional.id": f"{shop.topic}.{n}", "compression.type": kind})
        for n, kind in enumerate(("lz4", "zstd"))
    )
    for producer in (one, two):
        producer.init_transactions(PATIENCE_SECONDS)
    plain = shop.producer()
    shop.transaction(one, 30, commit=False)
    shop.transaction(one, 30, commit=True)
    shop.click(plain, 30)
    one.begin_transaction()
    shop.click(one, 20, keep=False)
    shop.transaction(two, 30, commit=True)
    shop.click(plain, 30)
    one.abort_transaction(PATIENCE_SECONDS)
    shop.transaction(two, 30, commit=False)
    shop.click(plain, 30)
    assert_right_state(log, config, shop)


@pytest.mark.parametrize("committed", [30, 0])
def test_what_was_aborted_at_the_end_is_no_lag(
    log: KafkaLog, config: GsrConfig, shop: Shop, committed: int
) -> None:
    """Nobody is called at night because of clicks that do not count, nor by the group's tools."""
    producer = shop.producer(**{"transactional.id": f"{shop.topic}.0"})
    producer.init_transactions(PATIENCE_SECONDS)
    if committed:
        shop.transaction(producer, committed, commit=True)
    shop.transaction(producer, 30, commit=False)
    written = committed + 30 + (2 if committed else 1)  # with a marker for each transaction
    for _start in range(2):
        page = page_after(log, config, lambda: saved(log, config) == {0: written})
        assert 'gsr_ingest_lag_records{partition="0"} 0.0' in page
        assert "gsr_ingest_lag_seconds 0.0" in page
    # A state that never held a click has lost none, whatever the topic has forgotten.
    remembered = log.saved_positions(f"{config.ingest.group}-sequences", shop.topic)
    assert remembered == {0: written if committed else 0}


def test_what_an_open_transaction_withholds_is_seen(
    log: KafkaLog, config: GsrConfig, shop: Shop
) -> None:
    """A foreign producer that hangs stops everything behind it, and is told apart from lag."""
    producer = shop.producer(**{"transactional.id": f"{shop.topic}.0"})
    producer.init_transactions(PATIENCE_SECONDS)
    producer.begin_transaction()
    shop.click(producer, 10, keep=False)
    shop.click(shop.producer(), 5)
    page = page_after(log, config, lambda: True)
    assert 'gsr_ingest_lag_records{partition="0"} 0.0' in page
    assert 'gsr_ingest_withheld_records{partition="0"} 15.0' in page
    producer.abort_transaction(PATIENCE_SECONDS)
    page = page_after(log, config, lambda: saved(log, config) == {0: 16})
    assert 'gsr_ingest_withheld_records{partition="0"} 0.0' in page


def saved(log: KafkaLog, config: GsrConfig) -> dict[int, int]:
    """Return what the group's own tools compare with the end of the topic."""
    return log.saved_positions(config.ingest.group, config.log.clicks)


def page_after(log: KafkaLog, config: GsrConfig, done: Callable[[], bool]) -> list[str]:
    """Let ingest run until it has measured and `done`; return the lines of its metrics."""
    metrics = Metrics("ingest", SystemClock())
    role = IngestRole(config, log, SystemClock(), metrics, open_artifacts(config, SystemClock()))
    end = time.monotonic() + PATIENCE_SECONDS
    while not (
        role.checks()["assigned"] and role.positions() == log.end_offsets(config.log.clicks)
    ):
        role.step()
    measured = time.monotonic() + 2 * MEASURE_SECONDS
    while time.monotonic() < measured or not done():
        role.step()
        assert time.monotonic() < end
    page = metrics.render().decode().splitlines()
    role.close()
    return page


def test_a_forget_record_of_another_client_forgets(
    log: KafkaLog, config: GsrConfig, shop: Shop
) -> None:
    """A null value is a null value, whoever writes it."""
    producer = shop.producer()
    shop.click(producer, 30)
    producer.produce(shop.topic, None, "u3")
    assert producer.flush(PATIENCE_SECONDS) == 0
    ingest_once(config, log, SystemClock())
    users = words_of_checkpoint(config.ingest_directory / "partition-0")["users"]
    assert sorted(users) == ["u0", "u1", "u2", "u4", "u5", "u6"]
    last: dict[bytes, bytes | None] = {}
    for batch in log.reader(config.log.sequences).poll(1000, 5.0):
        last.update(zip((key or b"" for key in batch.keys), batch.values, strict=True))
    assert last[b"u3"] is None

"""kcat and confluent-kafka read recommendations, and compact them by key as documented."""

import json
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.publisher.role import PublisherRole
from consumers.serving.view import encode_view
from stream.clock import SystemClock
from stream.events.records.recommendation import Recommendation, decode_recommendation
from stream.events.records.sequence import SequenceRecord, pack_seen
from stream.log.interface import Outgoing
from stream.log.kafka.log import KafkaLog
from stream.log.partitioner import partition_of
from tests.consumers.publisher_world import ITEMS
from tests.consumers.views import view_of
from tests.kafka_broker import KafkaAddress

pytestmark = pytest.mark.kafka

PARTITIONS = 2
MOST_STEPS = 3000
PATIENCE_SECONDS = 60.0

Lists = dict[str, Recommendation]
Read = tuple[int, str, bytes | None]
"""Offset, key and value of a record."""


def compacted(records: list[Read]) -> Lists:
    """Keep each user's newest list, as docs/kafka.md says; a key lies in one partition."""
    lists: Lists = {}
    for _, user, value in sorted(records, key=lambda record: record[0]):
        if value is None:
            lists.pop(user, None)
        else:
            lists[user] = decode_recommendation(value)
    return lists


class Publishing:
    """A publisher on Kafka, and the sequences that it follows."""

    def __init__(self, servers: str, directory: Path) -> None:
        name = uuid.uuid4().hex[:12]
        topics = {
            role: f"{role.replace('_', '-')}.{name}"
            for role in (
                *("clicks", "dead_letters", "sequences"),
                *("recommendations", "default_recommendations", "items"),
            )
        }
        self.clock = SystemClock()
        self.config = GsrConfig().with_values(
            {
                "log": {**topics, "partitions": PARTITIONS},
                "state": {"directory": directory},
                "publisher": {
                    "group": f"publisher.{name}",
                    "list_length": 5,
                    "linger_seconds": 0.0,
                },
                "model": {"dimension": 8},
            }
        )
        self.log = KafkaLog(servers, self.clock)
        for spec in self.config.log.topics():
            self.log.create_topic(spec)
        artifacts = open_artifacts(self.config, self.clock)
        artifacts.publish_view(*encode_view(view_of(ITEMS, now=self.clock.time())))
        metrics = Metrics("publisher", self.clock)
        self.role = PublisherRole(self.config, self.log, self.clock, metrics, artifacts)
        self.offset = 0

    def click(self, user: str, *items: str) -> int:
        """Append the user's sequence as after a new click; return the click's offset."""
        self.offset += 1
        now = self.clock.time()
        record = SequenceRecord(
            user_id=user,
            items=list(items),
            times=[now - len(items) + n for n in range(len(items))],
            events=["click"] * len(items),
            seen=pack_seen(np.empty(0, dtype=np.uint32)),
            source_partition=partition_of(user.encode(), PARTITIONS),
            source_offset=self.offset,
            next_offset=self.offset + 1,
            last_click_at=now,
            accepted_at=now,
        )
        self._append(user, record.encode())
        return self.offset

    def forget(self, user: str) -> None:
        """Append the sequence tombstone of a user."""
        self._append(user, None)

    def step_until(self, holds: Callable[[Lists], bool]) -> None:
        """Let the publisher work until its topic says so."""
        reader = self.log.reader(self.config.log.recommendations)
        records: list[Read] = []
        for _ in range(MOST_STEPS):
            self.role.step()
            for batch in reader.poll(1000, 0.0):
                for offset, key, value in zip(
                    batch.offsets.tolist(), batch.keys, batch.values, strict=True
                ):
                    records.append((offset, (key or b"").decode(), value))
            if holds(compacted(records)):
                reader.close()
                return
        raise AssertionError(compacted(records))

    def close(self) -> None:
        """Stop."""
        self.role.close()
        self.log.close()

    def _append(self, user: str, value: bytes | None) -> None:
        writer = self.log.writer(self.config.log.sequences)
        writer.append([Outgoing(user.encode(), value)])
        writer.close()


@pytest.fixture
def published(kafka_broker: KafkaAddress, tmp_path: Path) -> tuple[str, dict[str, int]]:
    """Publish, replace and withdraw lists; return the topic, and what a reader must end with."""
    publishing = Publishing(kafka_broker.bootstrap_servers, tmp_path)
    try:
        publishing.click("anna", "i3")
        publishing.click("böse ☂", "i0")
        publishing.click("carl", "i1")
        publishing.step_until(lambda lists: len(lists) == 3)
        newest = publishing.click("anna", "i3", "i4")
        publishing.forget("carl")
        publishing.step_until(
            lambda lists: (
                "anna" in lists and lists["anna"].source_offset == newest and "carl" not in lists
            )
        )
    finally:
        publishing.close()
    return publishing.config.log.recommendations, {"anna": newest, "böse ☂": 2}


def assert_lists(lists: Lists, newest: dict[str, int]) -> None:
    """Hold the newest list of each user, whole, without what they have seen."""
    assert {user: one.source_offset for user, one in lists.items()} == newest
    assert [item.item_id for item in lists["anna"].items] == ["i0", "i1", "i2", "i5", "i6"]
    assert [item.item_id for item in lists["böse ☂"].items] == ["i1", "i2", "i3", "i4", "i5"]
    assert all(one.user_id == user for user, one in lists.items())


def test_kcat_compacts_the_lists(
    published: tuple[str, dict[str, int]],
    kafka_broker: KafkaAddress,
    program: Callable[[str], str],
) -> None:
    """The command of docs/kafka.md shows every committed record, tombstones as null."""
    topic, newest = published
    done = subprocess.run(
        [
            *(program("kcat"), "-b", kafka_broker.bootstrap_servers, "-C", "-t", topic),
            *("-o", "beginning", "-e", "-q", "-J", "-X", "isolation.level=read_committed"),
        ],
        check=True,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line for line in lines if line["payload"] is None]
    records = [
        (line["offset"], line["key"], line["payload"] and line["payload"].encode())
        for line in lines
    ]
    assert_lists(compacted(records), newest)


def test_confluent_kafka_compacts_the_lists(
    published: tuple[str, dict[str, int]], kafka_broker: KafkaAddress
) -> None:
    """A reader without a group reads each partition to its end."""
    topic, newest = published
    consumer = Consumer(
        {
            "bootstrap.servers": kafka_broker.bootstrap_servers,
            "group.id": f"reader.{topic}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(PARTITIONS)])
    records: list[Read] = []
    ended: set[int | None] = set()
    while len(ended) < PARTITIONS:
        message = consumer.poll(PATIENCE_SECONDS)
        assert message is not None
        error = message.error()
        if error is not None:
            assert error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001 - its name
            ended.add(message.partition())
        else:
            records.append(read(message))
    consumer.close()
    assert_lists(compacted(records), newest)


def read(message: Message) -> Read:
    """Return what the test looks at."""
    offset, key, value = message.offset(), message.key(), message.value()
    assert offset is not None
    assert isinstance(key, bytes)
    assert value is None or isinstance(value, bytes)
    return offset, key.decode(), value

"""Examples of producers and consumers, against a real broker and gsr's own codec."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from examples import (
    produce_clicks_confluent,
    produce_clicks_kafka_python,
    read_lists_confluent,
    read_lists_kafka_python,
)
from stream.clock import SystemClock
from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.rules import EventRules
from stream.events.records.recommendation import Recommendation, ScoredItem
from stream.log.interface import Outgoing, TopicSpec
from stream.log.kafka.log import KafkaLog
from stream.log.partitioner import partition_of
from tests.kafka_broker import KafkaAddress

pytestmark = pytest.mark.kafka

PARTITIONS = 3
PATIENCE_SECONDS = 60.0
PRODUCERS = [produce_clicks_confluent.ClickProducer, produce_clicks_kafka_python.ClickProducer]
READERS = [read_lists_confluent.ListReader, read_lists_kafka_python.ListReader]


class Topics(NamedTuple):
    """Topics of one test."""

    log: KafkaLog
    servers: str
    clicks: str
    lists: str
    default: str

    def send(self, topic: str, key: str, record: Recommendation | None) -> None:
        """Append a list, or withdraw one, as the publisher does: in a transaction."""
        writer = self.log.writer(topic)
        writer.append([Outgoing(key.encode(), None if record is None else record.encode())])
        writer.close()


@pytest.fixture
def topics(kafka_broker: KafkaAddress) -> Iterator[Topics]:
    """Make them."""
    servers, name = kafka_broker.bootstrap_servers, uuid.uuid4().hex[:12]
    log = KafkaLog(servers, SystemClock())
    made = Topics(log, servers, f"clicks.{name}", f"lists.{name}", f"default.{name}")
    for topic, partitions in ((made.clicks, PARTITIONS), (made.lists, 2), (made.default, 1)):
        log.create_topic(TopicSpec(name=topic, partitions=partitions))
    yield made
    log.close()


def list_of(user: str, *items: str, version: int = 1) -> Recommendation:
    return Recommendation(
        user_id=user,
        items=[ScoredItem(item, 1.0 / (rank + 1)) for rank, item in enumerate(items)],
        model_version=version,
        generated_at=time.time(),
        reason="click",
    )


def until(holds: Callable[[], bool], reader: Any) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        reader.poll(0.1)
        assert time.monotonic() < end


@pytest.mark.parametrize("producer_type", PRODUCERS)
def test_what_a_producer_sends_are_clicks(topics: Topics, producer_type: Any) -> None:
    """Every record is good, in the partition of its user, and nothing is lost."""
    producer = producer_type(topics.servers, topics.clicks)
    users = [f"u{n}" for n in range(12)]
    for user in users:
        producer.click(user, "i1")
        producer.click(user, "i2", event="purchase")
    producer.forget("u3")
    assert producer.close() == 0
    rules = EventRules()
    read: dict[str, list[tuple[str, int, bool]]] = {}
    reader = topics.log.reader(topics.clicks)
    while sum(map(len, read.values())) < 2 * len(users) + 1:
        for batch in reader.poll(1000, 1.0):
            decoded = ClickCodec(rules).decode(batch, float("-inf"))
            assert decoded.bad == []
            clicks = decoded.clicks
            for user, item, event, forget in zip(
                clicks.user_ids, clicks.item_ids, clicks.events, clicks.forget, strict=True
            ):
                assert batch.partition == partition_of(user.encode(), PARTITIONS)
                read.setdefault(user, []).append((item, int(event), bool(forget)))
    reader.close()
    two = [("i1", rules.codes["click"], False), ("i2", rules.codes["purchase"], False)]
    assert read == {user: two + [("", 0, True)] * (user == "u3") for user in users}


@pytest.mark.parametrize("producer_type", PRODUCERS)
def test_a_click_that_cannot_be_sent_is_counted(topics: Topics, producer_type: Any) -> None:
    """One that is too large for any topic; the others go their way."""
    producer = producer_type(topics.servers, topics.clicks)
    producer.click("u1", "i" * 2_000_000)
    producer.click("u1", "i1")
    assert producer.close() == producer.lost == 1
    assert sum(topics.log.end_offsets(topics.clicks).values()) == 1


def test_what_no_broker_takes_is_given_up() -> None:
    """Nothing answers there: the program hears of it in time."""
    producer = produce_clicks_confluent.ClickProducer("127.0.0.1:1")
    producer.click("u1", "i1")
    assert producer.close(0.2) == 1


@pytest.mark.parametrize("reader_type", READERS)
def test_a_reader_keeps_the_newest_list_of_each_user(topics: Topics, reader_type: Any) -> None:
    """Replaced and withdrawn lists are gone, also while it reads; others get the default list."""
    topics.send(topics.default, "default", list_of("", "top"))
    for user, items in (("anna", ["a"]), ("böse ☂", ["b"]), ("carl", ["c"])):
        topics.send(topics.lists, user, list_of(user, *items))
    topics.send(topics.lists, "anna", list_of("anna", "x", "y", version=2))
    topics.send(topics.lists, "carl", None)
    reader = reader_type(topics.servers, topics.lists, topics.default)
    until(lambda: reader.caught_up, reader)
    assert reader.items("anna") == ["x", "y"]
    assert reader.items("böse ☂") == ["b"]
    assert reader.items("carl") == reader.items("nobody") == ["top"]
    topics.send(topics.lists, "anna", list_of("anna", "z", version=3))
    until(lambda: reader.items("anna") == ["z"], reader)
    reader.close()


@pytest.mark.parametrize("reader_type", READERS)
def test_a_reader_refuses_lists_to_come(topics: Topics, reader_type: Any) -> None:
    """Their fields may mean something else."""
    newer = Recommendation(
        user_id="anna", items=[], model_version=1, generated_at=0.0, reason="cold", schema_version=2
    )
    topics.send(topics.lists, "anna", newer)
    reader = reader_type(topics.servers, topics.lists, topics.default)
    with pytest.raises(ValueError, match="schema version 2"):
        until(lambda: False, reader)
    reader.close()


@pytest.mark.parametrize("reader_type", READERS)
def test_a_reader_of_no_topic_says_so(topics: Topics, reader_type: Any) -> None:
    """Instead of reading nothing for ever."""
    with pytest.raises(Exception, match=r"(?i)unknown"):
        reader_type(topics.servers, "no-such-topic", topics.default)

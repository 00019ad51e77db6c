"""One producer takes another's place in a transactional id, and never a third one's."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError, ProducerFencedError

from stream.clock import SystemClock
from stream.log.interface import TopicSpec
from stream.log.kafka.cluster.clients import Clients
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.log import KafkaLog
from stream.log.kafka.workarounds.producer_closing import discard
from stream.log.kafka.workarounds.transactions import NOBODY, Identity, commit, open_transactions
from tests.kafka_broker import KafkaAddress

pytestmark = pytest.mark.kafka

SETTINGS = KafkaSettings(timeout_seconds=15.0)
SECONDS = 15.0
Open = Callable[[Identity], tuple[KafkaProducer, Identity]]


@pytest.fixture
def topic(kafka_broker: KafkaAddress) -> str:
    """Create a topic."""
    name = f"transactions.{uuid.uuid4().hex}"
    log = KafkaLog(kafka_broker.bootstrap_servers, SystemClock(), SETTINGS)
    log.create_topic(TopicSpec(name=name, partitions=1))
    log.close()
    return name


@pytest.fixture
def open_one(kafka_broker: KafkaAddress, topic: str) -> Iterator[Open]:
    """Return what opens one more producer of the same transactional id."""
    clients, producers = Clients(kafka_broker.bootstrap_servers, SETTINGS), list[KafkaProducer]()

    def open_one(predecessor: Identity) -> tuple[KafkaProducer, Identity]:
        producers.append(clients.producer(topic))
        return producers[-1], open_transactions(producers[-1], predecessor, SECONDS)

    yield open_one
    for producer in producers:
        discard(producer)


def send(producer: KafkaProducer, topic: str) -> None:
    producer.begin_transaction()
    producer.send(topic, (b"v",), (b"k",))
    producer.flush(SECONDS)


@pytest.mark.parametrize("left_open", [False, True])
def test_a_successor_goes_on(open_one: Open, topic: str, left_open: bool) -> None:
    """Its predecessor is locked out, and what that one left open is aborted."""
    first, known = open_one(NOBODY)
    send(first, topic)
    if not left_open:
        commit(first, SECONDS)
    second, successor = open_one(known)
    assert successor == (known.producer_id, known.epoch + 1)
    send(second, topic)
    commit(second, SECONDS)
    if not left_open:
        send(first, topic)
    with pytest.raises(KafkaError, match="ProducerFencedError"):
        commit(first, SECONDS)


@pytest.mark.parametrize("others", [1, 2])
def test_nobody_takes_the_place_of_one_who_came_later(
    open_one: Open, topic: str, others: int
) -> None:
    """Neither with a transaction left open nor with many who came; they are not disturbed."""
    first, known = open_one(NOBODY)
    send(first, topic)
    later = [open_one(NOBODY) for _ in range(others)]
    with pytest.raises(ProducerFencedError):
        open_one(known)
    send(later[-1][0], topic)
    commit(later[-1][0], SECONDS)


def test_a_successor_that_got_no_answer_asks_again(open_one: Open, topic: str) -> None:
    """Whoever was let in without hearing of it is let in once more."""
    _, known = open_one(NOBODY)
    _, unheard = open_one(known)
    again, heard = open_one(known)
    assert heard == unheard
    send(again, topic)
    commit(again, SECONDS)


def test_waiting_ends(open_one: Open, topic: str) -> None:
    """Whoever waits too short a time is told so."""
    producer, _ = open_one(NOBODY)
    producer.begin_transaction()
    producer.send(topic, (b"v",), (b"k",))
    with pytest.raises(KafkaTimeoutError, match="has not ended"):
        commit(producer, 0.0)

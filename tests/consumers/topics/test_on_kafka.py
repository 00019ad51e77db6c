"""What looks records up finds them on a cluster too, whose answers take their time."""

import uuid
from collections.abc import Iterator

import pytest

from consumers.roles.publisher.sequence_lookup import SequenceLookup
from consumers.topics.click_export import TopicRange
from consumers.topics.log_lookup import newest_record
from stream.clock import SystemClock
from stream.log.interface import Log, Outgoing, TopicSpec
from stream.log.opening import open_log
from tests.kafka_broker import KafkaAddress

pytestmark = pytest.mark.kafka


@pytest.fixture
def log(kafka_broker: KafkaAddress) -> Iterator[Log]:
    """Open the cluster that all tests share."""
    log = open_log(kafka_broker.url, SystemClock())
    yield log
    log.close()


@pytest.fixture
def topic(log: Log) -> str:
    """Create a compacted topic with a thousand records, written in transactions."""
    name = f"looked-up.{uuid.uuid4().hex}"
    log.create_topic(TopicSpec(name=name, partitions=1, compacted=True))
    writer = log.writer(name, fence="one")
    for start in range(0, 1000, 250):
        writer.append([Outgoing(f"u{n}".encode(), b"%d" % n) for n in range(start, start + 250)])
    return name


def test_single_records(log: Log, topic: str) -> None:
    """Places far apart and near, in any order, and past the end."""
    lookup = SequenceLookup(log, topic)
    assert lookup.read([(0, 900), (0, 3), (0, 5)]).keys() >= {(0, 3), (0, 5), (0, 900)}
    assert lookup.read([(0, 4)]) == {(0, 4): b"4"}
    assert lookup.read([(0, 100_000)]) == {}
    lookup.close()


def test_the_newest_of_a_key(log: Log, topic: str) -> None:
    """A key that was never there is not found."""
    assert newest_record(log, topic, b"u7") == (7, b"7")
    assert newest_record(log, topic, b"nobody") is None


def test_a_stretch(log: Log, topic: str) -> None:
    """Offsets and times."""
    assert TopicRange(start="0:10", stop="0:20").offsets(log, topic) == {0: (10, 20)}
    assert TopicRange(start="2001-01-01").offsets(log, topic)[0][0] == 0

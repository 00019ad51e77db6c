"""Three brokers, one of which dies: leaders move, and nothing that was acknowledged is lost."""

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from stream.clock import SystemClock
from stream.errors import LogUnavailableError
from stream.log.interface import Outgoing, TopicSpec
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.log import KafkaLog
from tests.kafka_broker import KafkaCluster
from tests.stream.log.kafka.clusters import own_cluster

pytestmark = pytest.mark.kafka

PATIENCE_SECONDS = 90.0
PARTITIONS = 6


@pytest.fixture
def cluster() -> Iterator[KafkaCluster]:
    """Run three brokers that notice quickly when one is gone."""
    quick = {"broker.session.timeout.ms": "2000", "broker.heartbeat.interval.ms": "500"}
    with own_cluster(3, properties=quick) as cluster:
        yield cluster


def test_a_broker_that_dies_takes_nothing_along(cluster: KafkaCluster) -> None:
    """A fenced and a plain writer, an own reader and a group's member go on by themselves."""
    settings = KafkaSettings(
        replication_factor=3,
        min_insync_replicas=2,
        session_timeout_seconds=6.0,
        timeout_seconds=6.0,
    )
    log = KafkaLog(cluster.bootstrap_servers, SystemClock(), settings)
    log.create_topic(TopicSpec(name="leaders", partitions=PARTITIONS))
    writers = [log.writer("leaders"), log.writer("leaders", fence="one")]
    readers = [log.reader("leaders"), log.reader("leaders", group="leaders")]
    acknowledged: set[bytes] = set()
    read: list[list[bytes]] = [[], []]

    def append(number: int) -> None:
        for kind, writer in enumerate(writers):
            values = [b"%d.%d.%d" % (kind, number, p) for p in range(PARTITIONS)]
            with suppress(LogUnavailableError):
                writer.append([Outgoing(b"k", v, partition=p) for p, v in enumerate(values)])
                acknowledged.update(values)

    def poll() -> None:
        for reader, values in zip(readers, read, strict=True):
            with suppress(LogUnavailableError):
                for batch in reader.poll(1000, 0.05):
                    values += [value for value in batch.values if value is not None]

    for number in range(5):
        append(number)
        poll()
    assert len(acknowledged) == 10 * PARTITIONS
    cluster.nodes[0].kill()
    deadline, number = time.monotonic() + PATIENCE_SECONDS, 5
    while len(acknowledged) < 20 * PARTITIONS and time.monotonic() < deadline:
        append(number)
        poll()
        number += 1
    while any(not acknowledged <= set(values) for values in read) and time.monotonic() < deadline:
        poll()
    assert len(acknowledged) >= 20 * PARTITIONS
    assert [acknowledged - set(values) for values in read] == [set(), set()]
    assert [len(values) for values in read] == [len(set(values)) for values in read]
    log.close()

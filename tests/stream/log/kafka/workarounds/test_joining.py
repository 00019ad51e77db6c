"""A join that ends while nobody polls is not thrown away."""

import time
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewPartitions
from kafka.coordinator.consumer import ConsumerCoordinator

from stream.clock import SystemClock
from stream.errors import TopicMismatchError
from stream.log.interface import TopicSpec
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.log import KafkaLog
from stream.log.kafka.reading.reader import KafkaReader
from stream.log.kafka.workarounds.joining import keep_joins
from tests.kafka_broker import KafkaAddress

PATIENCE_POLLS = 60
PATIENCE_SECONDS = 20


@pytest.mark.kafka
def test_members_that_poll_seldom_share_the_partitions(kafka_broker: KafkaAddress) -> None:
    """Both get their half, and nothing moves once they have."""
    log = KafkaLog(kafka_broker.bootstrap_servers, SystemClock())
    topic = f"joining.{uuid.uuid4().hex}"
    log.create_topic(TopicSpec(name=topic, partitions=4))
    readers = [log.reader(topic, group=topic) for _ in range(2)]
    for _ in range(PATIENCE_POLLS):
        for reader in readers:
            reader.poll(100, 0.01)
            time.sleep(0.5)  # the network thread joins meanwhile
        if [len(reader.assignment) for reader in readers] == [2, 2]:
            break
    shares = [reader.assignment for reader in readers]
    assert sorted(shares[0] + shares[1]) == [0, 1, 2, 3]
    joined = log.figures.counts()["rebalances"]
    for _ in range(6):
        for reader in readers:
            reader.poll(100, 0.01)
            time.sleep(0.5)
    assert [reader.assignment for reader in readers] == shares
    assert log.figures.counts()["rebalances"] == joined
    log.close()


@pytest.mark.kafka
def test_a_join_for_more_partitions_that_outlasts_a_poll_is_ended(
    kafka_broker: KafkaAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The partitions were given out already, so nothing else says that a join is to be ended.

    What it brings is then refused: keys have moved to partitions that do not know them.
    """
    join = ConsumerCoordinator._do_join_and_sync_async  # noqa: SLF001 - what is to be slow

    async def slow_join(coordinator: Any) -> Any:
        assignment = await join(coordinator)
        await coordinator._net.sleep(0.2)  # noqa: SLF001 - the loop's own sleep
        return assignment

    monkeypatch.setattr(ConsumerCoordinator, "_do_join_and_sync_async", slow_join)
    log = KafkaLog(kafka_broker.bootstrap_servers, SystemClock())
    topic = f"joining.{uuid.uuid4().hex}"
    log.create_topic(TopicSpec(name=topic, partitions=1))
    reader = log.reader(topic, group=topic)
    _poll_until(reader, (0,))
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap_servers)
    admin.create_partitions({topic: NewPartitions(total_count=2)})
    admin.close()
    with pytest.raises(TopicMismatchError, match="2 partitions or more and had 1"):
        _poll_until(reader, (0, 1))
    log.close()


@pytest.mark.kafka
def test_a_static_member_that_came_back_still_watches_the_topic(kafka_broker: KafkaAddress) -> None:
    """It leads its group without having been told so: nobody else would."""
    settings = KafkaSettings(group_instance_id="static", session_timeout_seconds=300.0)
    topic = f"joining.{uuid.uuid4().hex}"
    first, second = (
        KafkaLog(kafka_broker.bootstrap_servers, SystemClock(), settings) for _ in range(2)
    )
    first.create_topic(TopicSpec(name=topic, partitions=1))
    _poll_until(first.reader(topic, group=topic), (0,))
    first.close()
    reader = second.reader(topic, group=topic)
    _poll_until(reader, (0,))
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap_servers)
    admin.create_partitions({topic: NewPartitions(total_count=2)})
    admin.close()
    with pytest.raises(TopicMismatchError, match="2 partitions or more and had 1"):
        _poll_until(reader, (0, 1))
    second.close()


def _poll_until(reader: KafkaReader, assignment: tuple[int, ...]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while reader.assignment != assignment:
        assert time.monotonic() < deadline
        # Asks for what else would come within minutes.
        reader._session._consumer._client.cluster.request_update()  # noqa: SLF001
        reader.poll(100, 0.01)


@pytest.mark.parametrize("coordinator", [None, SimpleNamespace(join_group_async=print)])
def test_another_library_is_left_alone(coordinator: Any) -> None:
    """What is not as expected is not touched."""
    before = dict(vars(coordinator)) if coordinator else None
    assert not keep_joins(SimpleNamespace(_coordinator=coordinator))
    assert before is None or vars(coordinator) == before

"""A join that was begun is ended."""

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
from stream.log.kafka.log import KafkaLog
from stream.log.kafka.workarounds.begun_joins import end_joins
from tests.kafka_broker import KafkaAddress
from tests.stream.log.kafka.members import poll_until


@pytest.mark.parametrize("rejoining", [True, False])
@pytest.mark.parametrize("needed", [True, False])
def test_a_join_is_needed_until_it_is_done(*, rejoining: bool, needed: bool) -> None:
    """Whatever the library says meanwhile; else what it says."""
    coordinator: Any = SimpleNamespace(rejoining=rejoining, need_rejoin=lambda: needed)
    end_joins(SimpleNamespace(_coordinator=coordinator))
    assert coordinator.need_rejoin() is (rejoining or needed)


def test_another_library_is_left_alone() -> None:
    """One that counts its attempts, say."""
    coordinator: Any = SimpleNamespace(rejoining=3, need_rejoin=print)
    end_joins(SimpleNamespace(_coordinator=coordinator))
    assert coordinator.need_rejoin is print


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
    poll_until(reader, (0,))
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap_servers)
    admin.create_partitions({topic: NewPartitions(total_count=2)})
    admin.close()
    with pytest.raises(TopicMismatchError, match="2 partitions or more and had 1"):
        poll_until(reader, (0, 1))
    log.close()

"""A static member that came back watches its topic."""

import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewPartitions

from stream.clock import SystemClock
from stream.errors import TopicMismatchError
from stream.log.interface import TopicSpec
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.log import KafkaLog
from stream.log.kafka.workarounds.static_leaders import watch_topics
from tests.kafka_broker import KafkaAddress
from tests.stream.log.kafka.members import poll_until


@pytest.mark.parametrize(
    ("name", "generation", "seen"),
    [("static", 4, "as it is"), (None, 4, None), ("static", None, None)],
    ids=["static member", "dynamic member", "no member yet"],
)
def test_static_members_watch(name: str | None, generation: int | None, seen: str | None) -> None:
    """From what is known of the topic when the library asks."""
    coordinator: Any = SimpleNamespace(
        need_rejoin=lambda: True,
        group_instance_id=name,
        generation_if_stable=lambda: generation,
        _assignment_snapshot=None,
        _metadata_snapshot="as it is",
    )
    watch_topics(SimpleNamespace(_coordinator=coordinator))
    assert coordinator.need_rejoin() is True
    assert coordinator._assignment_snapshot == seen  # noqa: SLF001 - what the library compares


def test_another_library_is_left_alone() -> None:
    """One without snapshots, say."""
    coordinator: Any = SimpleNamespace(need_rejoin=print, group_instance_id="static")
    watch_topics(SimpleNamespace(_coordinator=coordinator))
    assert coordinator.need_rejoin is print


@pytest.mark.kafka
def test_a_static_member_that_came_back_still_watches_the_topic(kafka_broker: KafkaAddress) -> None:
    """It leads its group without having been told so: nobody else would."""
    settings = KafkaSettings(group_instance_id="static", session_timeout_seconds=300.0)
    topic = f"joining.{uuid.uuid4().hex}"
    first, second = (
        KafkaLog(kafka_broker.bootstrap_servers, SystemClock(), settings) for _ in range(2)
    )
    first.create_topic(TopicSpec(name=topic, partitions=1))
    poll_until(first.reader(topic, group=topic), (0,))
    first.close()
    reader = second.reader(topic, group=topic)
    poll_until(reader, (0,))
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap_servers)
    admin.create_partitions({topic: NewPartitions(total_count=2)})
    admin.close()
    with pytest.raises(TopicMismatchError, match="2 partitions or more and had 1"):
        poll_until(reader, (0, 1))
    second.close()

"""Questions to the cluster are tried again while that can help, and answered in the log's terms."""

import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import (
    KafkaConnectionError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from stream.clock import ManualClock
from stream.errors import LogError, LogUnavailableError, TopicMismatchError, UnknownTopicError
from stream.log.interface import TopicSpec
from stream.log.kafka.cluster.admin import KafkaAdmin
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.cluster.topics import topic_settings
from stream.log.kafka.cluster.trouble_counts import KafkaFigures

SPEC = TopicSpec(name="clicks", partitions=3)
ID = uuid.UUID(int=7)


class Cluster:
    """Stands in for a client of a cluster; fails as often as it is told to."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.topics: dict[str, dict[str, Any]] = {}
        self.opened = self.closed = self.asked = 0

    def add(self, spec: TopicSpec, **configs: str) -> None:
        wanted = topic_settings(spec, KafkaSettings())
        values = wanted["configs"] | configs
        self.topics[spec.name] = {
            "partitions": [{"leader_id": 1}] * spec.partitions,
            "configs": {name: {"value": value} for name, value in values.items()},
        }

    def admin(self, _: float) -> "Cluster":
        self.opened += 1
        return self

    def close(self) -> None:
        self.closed += 1

    def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        unknown = {"error_code": UnknownTopicOrPartitionError.errno}
        return [
            {"name": name, "topic_id": str(ID), "error_code": 0} | self.topics[name]
            if name in self.topics
            else {"name": name} | unknown
            for name in names
        ]

    def describe_configs(self, resources: list[Any], **_: str) -> dict[str, Any]:
        (resource,) = resources
        return {"topic": {resource.name: self.topics[resource.name]["configs"]}}

    def create_topics(self, wanted: dict[str, Any]) -> None:
        (name,) = wanted
        if name in self.topics:
            raise TopicAlreadyExistsError
        self.add(SPEC)

    def list_topics(self) -> list[str]:
        return [*self.topics, "__consumer_offsets"]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def admin(cluster: Cluster) -> KafkaAdmin:
    clients: Any = SimpleNamespace(admin=cluster.admin)
    return KafkaAdmin(clients, KafkaSettings(timeout_seconds=10.0), ManualClock(), KafkaFigures())


def test_passing_trouble_is_tried_again_with_the_same_client(
    cluster: Cluster, admin: KafkaAdmin
) -> None:
    cluster.add(SPEC)
    cluster.failures = [KafkaConnectionError("gone")] * 3
    assert admin.partitions("clicks") == 3
    assert (cluster.opened, cluster.closed, cluster.asked) == (1, 0, 4)


@pytest.mark.parametrize(
    ("failures", "asked_most", "meaning"),
    [
        ([KafkaConnectionError("gone")] * 100, 20, LogUnavailableError),
        ([TopicAuthorizationFailedError("clicks")] * 100, 1, LogError),
    ],
    ids=["that lasts", "for good"],
)
def test_other_trouble_ends_the_client(
    cluster: Cluster,
    admin: KafkaAdmin,
    failures: list[Exception],
    asked_most: int,
    meaning: type[LogError],
) -> None:
    """The next question opens another one."""
    cluster.add(SPEC)
    cluster.failures = failures
    with pytest.raises(meaning, match="find clicks"):
        admin.partitions("clicks")
    assert cluster.asked <= asked_most
    assert cluster.closed == 1
    cluster.failures = []
    assert admin.partitions("clicks") == 3
    assert cluster.opened == 2


def test_how_many_partitions_is_asked_once(cluster: Cluster, admin: KafkaAdmin) -> None:
    """The number is fixed for a state's life."""
    cluster.add(SPEC)
    assert [admin.partitions("clicks") for _ in range(3)] == [3] * 3
    assert cluster.asked == 1


def test_a_topic_that_is_not_there_is_named(admin: KafkaAdmin) -> None:
    with pytest.raises(UnknownTopicError, match="no topic clicks"):
        admin.partitions("clicks")


def test_a_missing_topic_is_created_and_an_equal_one_kept(
    cluster: Cluster, admin: KafkaAdmin
) -> None:
    """Also one that another process creates at the same time."""
    admin.create(SPEC)
    assert set(cluster.topics) == {"clicks"}
    admin.create(SPEC)
    assert admin.topics() == {"clicks": SPEC}


def test_another_topic_of_the_name_is_refused(cluster: Cluster, admin: KafkaAdmin) -> None:
    cluster.add(SPEC, **{"message.timestamp.type": "CreateTime"})
    with pytest.raises(TopicMismatchError, match="CreateTime, not LogAppendTime"):
        admin.create(SPEC)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (str(ID), "AAAAAAAAAAAAAAAAAAAABw"),
        (str(uuid.UUID(int=0)), None),
        (None, None),
    ],
    ids=["one", "zeros", "none"],
)
def test_ids_are_written_as_kafkas_tools_write_them(
    cluster: Cluster, admin: KafkaAdmin, given: str | None, told: str | None
) -> None:
    cluster.add(SPEC)
    cluster.topics["clicks"]["topic_id"] = given
    assert admin.topic_id("clicks") == told
    assert admin.topic_ids(["clicks", "gone"]) == {"clicks": told}


def _offsets(found: dict[int, int]) -> Callable[..., dict[Any, Any]]:
    def answer(asked: dict[Any, Any], **_: Any) -> dict[Any, Any]:
        times = {"LATEST"} & {getattr(spec, "name", "") for spec in asked.values()}
        ends = dict.fromkeys(asked, 10)
        return {
            place: SimpleNamespace(offset=ends[place] if times else found[place.partition])
            for place in asked
        }

    return answer


def test_a_time_after_the_end_is_the_end(cluster: Cluster, admin: KafkaAdmin) -> None:
    """Nothing found, or only what cannot be read yet."""
    cluster.add(SPEC)
    cluster.list_partition_offsets = _offsets({0: -1, 1: 12, 2: 4})  # type: ignore[attr-defined]
    assert admin.offsets_at("clicks", 5.0) == {0: 10, 1: 10, 2: 4}

"""What an existing topic may differ in, and what it may not."""

import uuid

import pytest
from kafka import KafkaAdminClient

from stream.clock import SystemClock
from stream.errors import LogError, TopicMismatchError
from stream.log.interface import TopicSpec
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.cluster.topics import breaches, topic_settings, topic_spec
from stream.log.kafka.log import KafkaLog
from tests.kafka_broker import KafkaAddress

DAY = 86_400.0
CLICKS = TopicSpec(name="clicks", partitions=4, retention_seconds=7 * DAY)
LISTS = TopicSpec(name="lists", partitions=4, compacted=True)
BOTH = TopicSpec(name="both", compacted=True, retention_seconds=DAY, retention_bytes=1 << 30)


def found(spec: TopicSpec, **changes: str) -> list[str]:
    """Return what is wrong with a topic created for `spec` and changed by an operator."""
    settings = topic_settings(spec, KafkaSettings())
    configs = settings["configs"] | changes
    return breaches(spec, topic_spec(spec.name, spec.partitions, configs), configs)


@pytest.mark.parametrize("spec", [CLICKS, LISTS, BOTH, TopicSpec(name="all")])
def test_a_topic_that_was_created_here_is_what_was_asked_for(spec: TopicSpec) -> None:
    """There and back again."""
    settings = topic_settings(spec, KafkaSettings())
    assert topic_spec(spec.name, settings["num_partitions"], settings["configs"]) == spec
    assert found(spec) == []


@pytest.mark.parametrize(
    ("spec", "name", "value", "clause"),
    [
        (CLICKS, "retention.ms", "3600000", "retention_seconds is 3600.0 (retention.ms=3600000)"),
        (CLICKS, "retention.ms", "-1", "retention_seconds is None (retention.ms=-1)"),
        (CLICKS, "retention.bytes", "1000", "retention_bytes is 1000"),
        (CLICKS, "cleanup.policy", "compact,delete", "compacted is True"),
        (CLICKS, "message.timestamp.type", "CreateTime", "message.timestamp.type is CreateTime"),
        (LISTS, "cleanup.policy", "delete", "compacted is False (cleanup.policy=delete)"),
        (LISTS, "delete.retention.ms", "1000", "tombstone_seconds is 1.0"),
        (BOTH, "cleanup.policy", "compact", "retention_seconds is None"),
        (BOTH, "retention.bytes", "-1", "retention_bytes is None"),
    ],
)
def test_what_breaks_a_promise_is_named(
    spec: TopicSpec, name: str, value: str, clause: str
) -> None:
    """In our words and in Kafka's."""
    assert found(spec, **{name: value})[0].startswith(clause)


@pytest.mark.parametrize(
    ("spec", "name", "value"),
    [
        (CLICKS, "retention.ms", str(30 * 86_400_000)),
        (BOTH, "retention.bytes", str(1 << 40)),
        (LISTS, "delete.retention.ms", str(30 * 86_400_000)),
        (LISTS, "min.cleanable.dirty.ratio", "0.9"),
        (CLICKS, "delete.retention.ms", "0"),
        (CLICKS, "segment.ms", "1000"),
        (CLICKS, "compression.type", "zstd"),
        (CLICKS, "max.message.bytes", "1000000"),
        (CLICKS, "min.insync.replicas", "2"),
    ],
)
def test_what_keeps_the_promises_is_the_operators_business(
    spec: TopicSpec, name: str, value: str
) -> None:
    """Longer retention above all."""
    assert found(spec, **{name: value}) == []


def test_segments_are_small_enough_for_retention_and_compaction() -> None:
    """Kafka removes and compacts whole segments only."""
    configs = topic_settings(BOTH, KafkaSettings(min_insync_replicas=2))["configs"]
    assert int(configs["segment.ms"]) <= 3_600_000
    assert int(configs["segment.bytes"]) == (1 << 30) // 8
    assert configs["min.insync.replicas"] == "2"
    short = TopicSpec(name="short", retention_seconds=1.0, retention_bytes=1000)
    configs = topic_settings(short, KafkaSettings())["configs"]
    assert (configs["segment.ms"], configs["segment.bytes"]) == ("60000", str(1 << 20))


@pytest.mark.kafka
def test_a_topic_of_someone_else_s_is_refused_with_the_way_out(kafka_broker: KafkaAddress) -> None:
    """Made by hand, with a broker's defaults: times are the producers'."""
    name = f"topics.{uuid.uuid4().hex}"
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap_servers)
    admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1}})
    admin.close()
    log = KafkaLog(kafka_broker.bootstrap_servers, SystemClock())
    with pytest.raises(TopicMismatchError, match=r"CreateTime, not LogAppendTime.*kafka-configs"):
        log.create_topic(TopicSpec(name=name, retention_seconds=7 * DAY))
    log.close()


@pytest.mark.kafka
def test_another_number_of_partitions_cannot_be_taken_back(kafka_broker: KafkaAddress) -> None:
    """No tool lowers it: the setting that fits is named, and where to read on."""
    name = f"topics.{uuid.uuid4().hex}"
    log = KafkaLog(kafka_broker.bootstrap_servers, SystemClock())
    log.create_topic(TopicSpec(name=name, partitions=8))
    with pytest.raises(TopicMismatchError, match=r"Set log\.partitions = 8 if no state") as refusal:
        log.create_topic(TopicSpec(name=name, partitions=4))
    assert "kafka-configs" not in str(refusal.value)
    assert "The number of partitions" in str(refusal.value)
    log.close()


@pytest.mark.kafka
def test_more_replicas_than_brokers_are_refused_by_name(kafka_broker: KafkaAddress) -> None:
    """The setting is ours, so the message names it."""
    settings = KafkaSettings(replication_factor=9)
    log = KafkaLog(kafka_broker.bootstrap_servers, SystemClock(), settings)
    with pytest.raises(LogError, match="replication_factor"):
        log.create_topic(TopicSpec(name=f"topics.{uuid.uuid4().hex}"))
    log.close()

"""A topic's settings as Kafka's configuration, and the check of topics that exist.

What is created gets exactly what its `TopicSpec` says. A topic that exists may have been
created by someone else, and an operator may have changed it since, so it is refused only where
its settings break a promise:

- *partitions* must agree: state is kept per partition, keys would move.
- *cleanup.policy* must agree about compaction: without it a topic of newest records grows
  forever, with it clicks vanish.
- *retention* may be longer, never shorter: records would go before they are read. Where a limit
  is asked for, none at all is refused too: what must be forgotten would stay forever.
- *delete.retention.ms* may be longer, never shorter: a slow reader would miss tombstones.
- *message.timestamp.type* must be LogAppendTime: with CreateTime, `append_times` would be
  whatever producers claim.

Everything else (replication, segments, compression, size limits) is the operator's business.
"""

from collections.abc import Mapping
from typing import Any, Final

from stream.log.interface import TopicSpec
from stream.log.kafka.cluster.settings import LARGEST_REQUEST_BYTES, KafkaSettings

FOREVER: Final = -1
_HOUR: Final = 3_600_000
_DAY: Final = 24 * _HOUR
_LARGEST_RECORD_BYTES: Final = 4 << 20
_SEGMENT_BYTES: Final = (1 << 20, 1 << 30)  # Kafka's least and its default
_SEGMENT_MILLISECONDS: Final = (60_000, 7 * _DAY)
_SEGMENTS_PER_RETENTION: Final = 8  # only whole segments can be deleted


def topic_settings(spec: TopicSpec, settings: KafkaSettings) -> dict[str, Any]:
    """Return what kafka-python's `create_topics` takes to create `spec`."""
    return {
        "num_partitions": spec.partitions,
        "replication_factor": settings.replication_factor or -1,
        "configs": _configs(spec, settings),
    }


def retention_configs(spec: TopicSpec, settings: KafkaSettings) -> dict[str, str]:
    """Return the configuration that decides how long a topic keeps its records."""
    names = ("cleanup.policy", "retention.ms", "retention.bytes", "segment.ms", "segment.bytes")
    return {name: value for name, value in _configs(spec, settings).items() if name in names}


def topic_spec(name: str, partitions: int, configs: Mapping[str, str]) -> TopicSpec:
    """Return the settings of a topic that exists.

    Parameters
    ----------
    name, partitions
        Of the topic.
    configs
        Its effective configuration.
    """
    deletes = "delete" in configs["cleanup.policy"].split(",")
    retention_ms, retention_bytes = int(configs["retention.ms"]), int(configs["retention.bytes"])
    return TopicSpec(
        name=name,
        partitions=partitions,
        compacted=is_compacted(configs),
        retention_seconds=retention_ms / 1000 if deletes and retention_ms >= 0 else None,
        retention_bytes=retention_bytes if deletes and retention_bytes >= 0 else None,
        tombstone_seconds=int(configs["delete.retention.ms"]) / 1000,
    )


def is_compacted(configs: Mapping[str, str]) -> bool:
    """Return whether compaction keeps only each key's newest record."""
    return "compact" in configs["cleanup.policy"].split(",")


def largest_record_bytes(configs: Mapping[str, str], settings: KafkaSettings) -> int:
    """Return the most bytes that a record may have, with its batch, before it is compressed.

    What the topic takes is known beforehand only where nothing is compressed: else the broker says.
    """
    if settings.compression != "none":
        return LARGEST_REQUEST_BYTES
    return min(int(configs["max.message.bytes"]), LARGEST_REQUEST_BYTES)


def breaches(wanted: TopicSpec, found: TopicSpec, configs: Mapping[str, str]) -> list[str]:
    """Return what of `found` breaks a promise of `wanted`, a clause each.

    Parameters
    ----------
    wanted, found
        Settings of the same topic.
    configs
        Its effective configuration.
    """
    clauses = []
    for setting, kafka_name in (("partitions", ""), ("compacted", "cleanup.policy")):
        if getattr(wanted, setting) != getattr(found, setting):
            clauses.append(_clause(setting, kafka_name, wanted, found, configs))
    for setting, kafka_name in (
        ("retention_seconds", "retention.ms"),
        ("retention_bytes", "retention.bytes"),
    ):
        asked, is_ = getattr(wanted, setting), getattr(found, setting)
        if is_ != asked and (is_ is None or asked is None or is_ < asked):
            clauses.append(_clause(setting, kafka_name, wanted, found, configs))
    if wanted.compacted and found.tombstone_seconds < wanted.tombstone_seconds:
        clauses.append(_clause("tombstone_seconds", "delete.retention.ms", wanted, found, configs))
    if configs["message.timestamp.type"] != "LogAppendTime":
        clauses.append("message.timestamp.type is CreateTime, not LogAppendTime")
    return clauses


def way_out(wanted: TopicSpec, found: TopicSpec) -> str:
    """Return what mends a topic that `breaches` found fault with, and what does not."""
    if wanted.partitions != found.partitions:
        return (
            "The number of partitions stays: Kafka cannot lower it, and raising it sends keys to "
            f"partitions that do not know them. Set log.partitions = {found.partitions} if no "
            "state was made with another number; else use a second set of topics: docs/kafka.md, "
            "'The number of partitions', says how."
        )
    return (
        "Correct the configuration, or change the topic with kafka-configs.sh --alter --topic "
        f"{wanted.name} --add-config NAME=VALUE, or use another topic name."
    )


def _clause(
    setting: str, kafka_name: str, wanted: TopicSpec, found: TopicSpec, configs: Mapping[str, str]
) -> str:
    theirs = f" ({kafka_name}={configs[kafka_name]})" if kafka_name else ""
    return f"{setting} is {getattr(found, setting)!r}{theirs}, not {getattr(wanted, setting)!r}"


def _configs(spec: TopicSpec, settings: KafkaSettings) -> dict[str, str]:
    limited = spec.retention_seconds is not None or spec.retention_bytes is not None
    policies = ["compact"] if spec.compacted else []
    if limited or not spec.compacted:
        policies.append("delete")
    retention_ms = (
        FOREVER if spec.retention_seconds is None else round(spec.retention_seconds * 1000)
    )
    retention_bytes = FOREVER if spec.retention_bytes is None else spec.retention_bytes
    configs = {
        "cleanup.policy": ",".join(policies),
        "retention.ms": str(retention_ms),
        "retention.bytes": str(retention_bytes),
        "delete.retention.ms": str(round(spec.tombstone_seconds * 1000)),
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(_LARGEST_RECORD_BYTES),
    }
    if retention_ms != FOREVER:
        configs["segment.ms"] = str(_share(retention_ms, _SEGMENT_MILLISECONDS))
    if retention_bytes != FOREVER:
        configs["segment.bytes"] = str(_share(retention_bytes, _SEGMENT_BYTES))
    if spec.compacted:
        # Kafka never compacts the segment that is written to, and waits for half of the rest to
        # be superseded: a topic of a few records per user would grow for a week first.
        configs["segment.ms"] = str(min(int(configs.get("segment.ms", _HOUR)), _HOUR))
        configs["min.cleanable.dirty.ratio"] = "0.2"
        configs["max.compaction.lag.ms"] = str(_DAY)
    if settings.min_insync_replicas:
        configs["min.insync.replicas"] = str(settings.min_insync_replicas)
    return configs


def _share(whole: int, bounds: tuple[int, int]) -> int:
    least, most = bounds
    return min(max(whole // _SEGMENTS_PER_RETENTION, least), most)

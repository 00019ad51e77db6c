"""Static members that lead a group without having been told so.

Wrong: a static member that led its group, went away and comes back is the leader still, but is not
    told so; kafka-python lets only leaders watch whether the topic has changed, so nobody does.
Issue: KAFKA-13435 (KIP-814) of the Java client; not reported of kafka-python.
Probe: `fits`; elsewhere partitions that are added are noticed when the group next joins.
Until: kafka-python knows KIP-814.
"""

from typing import Any

from kafka import KafkaConsumer

from stream.log.kafka.cluster.library import has_all, warn_unfit


def watch_topics(consumer: KafkaConsumer) -> None:
    """Let this one consumer watch its topic; the broker heeds none but the leader."""
    coordinator: Any = getattr(consumer, "_coordinator", None)
    if not fits(coordinator):
        warn_unfit("static_leaders", "a restarted static member does not notice new partitions")
        return
    needed = coordinator.need_rejoin

    def watch_and_ask() -> bool:
        if (
            coordinator.group_instance_id is not None
            and coordinator._assignment_snapshot is None  # noqa: SLF001 - no public way
            and coordinator.generation_if_stable() is not None
        ):
            coordinator._assignment_snapshot = coordinator._metadata_snapshot  # noqa: SLF001 - the same
        return bool(needed())

    coordinator.need_rejoin = watch_and_ask


def fits(coordinator: Any) -> bool:
    """Return whether `coordinator` watches by comparing snapshots."""
    return has_all(
        coordinator,
        "need_rejoin",
        "group_instance_id",
        "generation_if_stable",
        "_assignment_snapshot",
        "_metadata_snapshot",
    )

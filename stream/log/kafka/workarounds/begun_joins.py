"""Joins of a group that were begun, and must be ended.

Wrong: where a leader joins because the topic changed, kafka-python forgets why it does so as soon
    as it has given the partitions out. If its poll ends just then, no later one asks for the
    result: it reads nothing and sends no heartbeat until the session times out.
Issue: not reported.
Probe: `fits`; elsewhere a leader may be silent for a session after its topic has grown.
Until: `need_rejoin` is true while `rejoining` is.
"""

from typing import Any

from kafka import KafkaConsumer

from stream.log.kafka.cluster.library import has_all, warn_unfit


def end_joins(consumer: KafkaConsumer) -> None:
    """Let each join of this one consumer that was begun be needed until it is done."""
    coordinator: Any = getattr(consumer, "_coordinator", None)
    if not fits(coordinator):
        warn_unfit("begun_joins", "a group's leader may be silent for a while after a change")
        return
    needed = coordinator.need_rejoin
    coordinator.need_rejoin = lambda: bool(coordinator.rejoining or needed())


def fits(coordinator: Any) -> bool:
    """Return whether `coordinator` says that it joins, and asks whether it must."""
    return has_all(coordinator, "need_rejoin") and isinstance(
        getattr(coordinator, "rejoining", None), bool
    )

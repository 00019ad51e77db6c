"""Members of a group that are none any more.

Wrong: where another process has taken over a static member, kafka-python stops its heartbeats and
    says nothing; nor does it tell when the coordinator last answered.
Issue: not reported.
Probe: `fits`; elsewhere `heartbeat_age_seconds` is not known, and such a member is silent.
Until: `poll` raises `FencedInstanceIdError`, and the age is among the consumer's metrics.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from kafka import KafkaConsumer

from stream.clock import Clock, Periodic
from stream.errors import FencedError
from stream.log.kafka.cluster.failures import STATIC_NAME_TAKEN
from stream.log.kafka.cluster.library import has_all, warn_unfit

_CHECK_SECONDS: Final = 1.0


class MembershipWatch:
    """Finds out whether a member whose heartbeats go unanswered still is one.

    Parameters
    ----------
    topic
        What is read, for messages.
    members
        Asks the cluster for the group's members: their ids and static names.
    session_timeout_seconds
        After which a silent member is no member any more.
    clock
        Times the silence.
    """

    def __init__(
        self,
        topic: str,
        members: Callable[[], Mapping[str, str | None]],
        session_timeout_seconds: float,
        clock: Clock,
    ) -> None:
        self._topic = topic
        self._members = members
        self._session_timeout_seconds = session_timeout_seconds
        self._clock = clock
        self._checks = Periodic(clock, _CHECK_SECONDS, first=_CHECK_SECONDS)

    def has_left(self, consumer: KafkaConsumer) -> bool:
        """Return whether the group goes on without `consumer`.

        Raises
        ------
        FencedError
            Another process has taken over.
        LogUnavailableError
            The cluster cannot be asked.
        """
        age = heartbeat_age_seconds(consumer, self._clock)
        if age is None or age <= self._session_timeout_seconds or not self._checks.due():
            return False
        ours, members = consumer.group_metadata(), self._members()
        if not ours.member_id or ours.member_id in members:
            return False
        if ours.group_instance_id and ours.group_instance_id in members.values():
            taken = STATIC_NAME_TAKEN.format(reason=ours.group_instance_id)
            raise FencedError(f"read {self._topic}: {taken}")
        return True


def heartbeat_age_seconds(consumer: KafkaConsumer, clock: Clock) -> float | None:
    """Return how long ago the coordinator last answered or was found; None: not known."""
    if not fits(consumer):
        warn_unfit("fenced_members", "a member that was replaced does not notice it")
        return None
    heartbeat: Any = consumer._coordinator.heartbeat  # noqa: SLF001 - no public way
    known = [at for at in (heartbeat.last_receive, heartbeat.last_reset) if at is not None]
    return max(0.0, clock.monotonic() - max(known)) if known else None


def fits(consumer: KafkaConsumer) -> bool:
    """Return whether `consumer` notes when its coordinator answered."""
    heartbeat = getattr(getattr(consumer, "_coordinator", None), "heartbeat", None)
    return has_all(heartbeat, "last_receive", "last_reset")

"""A member whose heartbeats go unanswered finds out whether it still is one."""

from types import SimpleNamespace
from typing import Any

import pytest

from stream.clock import ManualClock
from stream.errors import FencedError
from stream.log.kafka.workarounds.fenced_members import MembershipWatch, heartbeat_age_seconds

SESSION_SECONDS = 30.0


class Group:
    """A group that counts how often it is asked for its members."""

    def __init__(self, members: dict[str, str | None]) -> None:
        self.asked = 0
        self._answer = members

    def members(self) -> dict[str, str | None]:
        self.asked += 1
        return self._answer


def consumer(member_id: str = "me", name: str | None = None, last_receive: float = 0.0) -> Any:
    metadata = SimpleNamespace(member_id=member_id, group_instance_id=name)
    heartbeat = SimpleNamespace(last_receive=last_receive, last_reset=0.0)
    return SimpleNamespace(
        group_metadata=lambda: metadata, _coordinator=SimpleNamespace(heartbeat=heartbeat)
    )


def watch(group: Group, clock: ManualClock) -> MembershipWatch:
    return MembershipWatch("clicks", group.members, SESSION_SECONDS, clock)


def test_the_age_is_that_of_the_last_answer() -> None:
    clock = ManualClock(start=50.0)
    assert heartbeat_age_seconds(consumer(last_receive=45.0), clock) == 5.0
    assert heartbeat_age_seconds(consumer(last_receive=60.0), clock) == 0.0
    assert heartbeat_age_seconds(SimpleNamespace(), clock) is None


@pytest.mark.parametrize(
    ("members", "left"),
    [({"me": None}, False), ({"other": None}, True), ({}, True)],
    ids=["member", "others only", "nobody"],
)
def test_after_a_session_of_silence_the_group_is_asked(
    members: dict[str, str | None], left: bool
) -> None:
    clock, group = ManualClock(), Group(members)
    member, watching = consumer(), watch(group, clock)
    clock.sleep(SESSION_SECONDS)
    assert not watching.has_left(member)
    assert group.asked == 0
    clock.sleep(0.1)
    assert watching.has_left(member) is left
    assert group.asked == 1


def test_the_group_is_asked_once_a_second() -> None:
    clock, group = ManualClock(), Group({"me": None})
    member, watching = consumer(), watch(group, clock)
    clock.sleep(SESSION_SECONDS + 1.0)
    watching.has_left(member)
    clock.sleep(0.9)
    watching.has_left(member)
    assert group.asked == 1
    clock.sleep(0.1)
    watching.has_left(member)
    assert group.asked == 2


def test_a_name_that_another_one_has_is_an_error() -> None:
    """Only a static member has one."""
    clock = ManualClock()
    watching = watch(Group({"other": "gsr-1"}), clock)
    clock.sleep(SESSION_SECONDS + 1.0)
    with pytest.raises(FencedError, match=r"read clicks: .*group_instance_id \(gsr-1\)"):
        watching.has_left(consumer(name="gsr-1"))


def test_who_has_not_joined_yet_has_not_left() -> None:
    clock = ManualClock()
    watching = watch(Group({}), clock)
    clock.sleep(SESSION_SECONDS + 1.0)
    assert not watching.has_left(consumer(member_id=""))

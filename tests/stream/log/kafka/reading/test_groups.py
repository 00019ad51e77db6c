"""Members of a group share a topic's partitions, and only owners save positions."""

import uuid
from collections.abc import Callable, Iterator, Sequence

import pytest

from stream.clock import SystemClock
from stream.errors import FencedError, LogError, LogUnavailableError
from stream.log.interface import Outgoing, Reader, TopicSpec
from stream.log.kafka.cluster.settings import KafkaSettings
from stream.log.kafka.log import KafkaLog
from tests.kafka_broker import KafkaAddress

pytestmark = pytest.mark.kafka

PARTITIONS = 4
PATIENCE_POLLS = 300
SETTINGS = KafkaSettings(session_timeout_seconds=6.0, timeout_seconds=15.0)
OpenLog = Callable[..., KafkaLog]


@pytest.fixture
def open_log(kafka_broker: KafkaAddress) -> Iterator[OpenLog]:
    """Return what opens one more process's log."""
    logs: list[KafkaLog] = []

    def open_one(settings: KafkaSettings = SETTINGS) -> KafkaLog:
        logs.append(KafkaLog(kafka_broker.bootstrap_servers, SystemClock(), settings))
        return logs[-1]

    yield open_one
    for log in logs:
        log.close()


@pytest.fixture
def topic(open_log: OpenLog) -> str:
    """Create a topic with ten records in each partition."""
    name = f"groups.{uuid.uuid4().hex}"
    log = open_log()
    log.create_topic(TopicSpec(name=name, partitions=PARTITIONS))
    log.writer(name).append(
        [Outgoing(b"k", b"%d" % n, partition=p) for p in range(PARTITIONS) for n in range(10)]
    )
    return name


class Owner:
    """A member that writes down what it is told and what it owns."""

    def __init__(self, log: KafkaLog, topic: str, group: str) -> None:
        self.log, self.topic, self.group = log, topic, group
        self.calls: list[tuple[str, tuple[int, ...]]] = []
        self.owned: set[int] = set()
        self.revoking: Callable[[Sequence[int]], None] = lambda _: None
        self.reader: Reader = log.reader(topic, group=group, listener=self)

    def assigned(self, partitions: Sequence[int]) -> None:
        self.calls.append(("assigned", tuple(partitions)))
        self.owned |= set(partitions)

    def revoked(self, partitions: Sequence[int]) -> None:
        self.revoking(partitions)
        self.calls.append(("revoked", tuple(partitions)))
        self.owned -= set(partitions)

    def lost(self, partitions: Sequence[int]) -> None:
        self.calls.append(("lost", tuple(partitions)))
        self.owned -= set(partitions)

    def poll(self) -> dict[int, list[int]]:
        """Poll once; return the offsets of each partition."""
        return {batch.partition: batch.offsets.tolist() for batch in self.reader.poll(1000, 0.1)}


def settle(*owners: Owner) -> None:
    """Poll until the owners share all partitions, none of them owned twice."""
    for _ in range(PATIENCE_POLLS):
        for owner in owners:
            owner.poll()
            assert set(owner.reader.assignment) == owner.owned
        shares = [owner.owned for owner in owners]
        if all(shares) and sum(map(len, shares)) == len(set().union(*shares)) == PARTITIONS:
            return
    raise AssertionError([owner.calls for owner in owners])


@pytest.fixture
def group() -> str:
    return f"group-{uuid.uuid4().hex}"


def test_a_second_member_takes_a_share_and_gives_it_back(
    open_log: OpenLog, topic: str, group: str
) -> None:
    """What does not move is not disturbed; what is left behind goes on where it was saved."""
    first = Owner(open_log(), topic, group)
    settle(first)
    second = Owner(open_log(), topic, group)
    settle(first, second)
    moved = next(partitions for call, partitions in first.calls if call == "revoked")
    assert first.calls == [("assigned", (0, 1, 2, 3)), ("revoked", moved)]
    assert len(moved) == 2
    second.log.save_positions(group, topic, dict.fromkeys(moved, 7))
    second.reader.close()
    settle(first)
    for _ in range(PATIENCE_POLLS):
        first.poll()
        if all(first.reader.position(partition) == 10 for partition in moved):
            break
    assert {p: first.reader.position(p) for p in moved} == dict.fromkeys(moved, 10)
    assert ("lost", moved) not in first.calls


def test_positions_can_be_saved_while_partitions_are_given_up(
    open_log: OpenLog, topic: str, group: str
) -> None:
    """The new owner begins where the old one ended."""
    first = Owner(open_log(), topic, group)
    first.revoking = lambda partitions: first.log.save_positions(
        group, topic, {p: first.reader.position(p) - 3 for p in partitions}
    )
    settle(first)
    while any(first.reader.position(p) < 10 for p in range(PARTITIONS)):
        first.poll()
    second = Owner(open_log(), topic, group)
    read: dict[int, list[int]] = {}
    for _ in range(PATIENCE_POLLS):
        first.poll()
        for partition, offsets in second.poll().items():
            read.setdefault(partition, []).extend(offsets)
        if len(read) == 2:
            break
    assert read == {partition: [7, 8, 9] for partition in second.owned}


def test_a_member_that_was_away_too_long_has_lost_its_partitions(
    open_log: OpenLog, topic: str, group: str
) -> None:
    """It is told so, not asked; what it saves meanwhile is refused."""
    away = KafkaSettings(
        session_timeout_seconds=6.0, max_poll_interval_seconds=1.0, timeout_seconds=5.0
    )
    first = Owner(open_log(away), topic, group)
    settle(first)
    second = Owner(open_log(), topic, group)
    for _ in range(PATIENCE_POLLS):
        second.poll()
        if len(second.owned) == PARTITIONS:
            break
    with pytest.raises(LogUnavailableError, match="save the positions"):
        first.log.save_positions(group, topic, {0: 9})
    assert first.log.saved_positions(group, topic) == {}
    first.poll()
    assert first.calls[1:2] == [("lost", (0, 1, 2, 3))]
    settle(first, second)
    assert first.log.figures.counts()["lost_partitions"] == PARTITIONS


def test_a_failing_takeover_is_announced_again(open_log: OpenLog, topic: str, group: str) -> None:
    """What a listener could not do now, it is asked again, before anything is read."""
    log = open_log()
    calls: list[Sequence[int]] = []

    class Failing(Owner):
        def assigned(self, partitions: Sequence[int]) -> None:
            calls.append(partitions)
            if len(calls) < 3:
                raise LogUnavailableError("the artifact store is away")

    owner = Failing(log, topic, group)
    failures = 0
    for _ in range(PATIENCE_POLLS):
        try:
            if owner.poll():
                break
        except LogUnavailableError:
            failures += 1
    assert failures == 2
    assert calls == [(0, 1, 2, 3)] * 3


def test_a_restarted_static_member_keeps_its_partitions(
    open_log: OpenLog, topic: str, group: str
) -> None:
    """Nobody else is disturbed by the restart."""
    static = [
        KafkaSettings(group_instance_id=f"pod-{n}", session_timeout_seconds=20.0) for n in range(2)
    ]
    first, second = (Owner(open_log(settings), topic, group) for settings in static)
    settle(first, second)
    owned, before = set(second.owned), list(first.calls)
    second.log.close()
    again = Owner(open_log(static[1]), topic, group)
    settle(first, again)
    assert again.owned == owned
    assert first.calls == before


def test_a_second_process_with_the_same_static_name_stops_the_first(
    open_log: OpenLog, topic: str, group: str
) -> None:
    """Two pods with one name are a mistake that must not go unseen."""
    settings = KafkaSettings(group_instance_id="pod-0", session_timeout_seconds=6.0)
    first = Owner(open_log(settings), topic, group)
    settle(first)
    second = Owner(open_log(settings), topic, group)
    settle(second)
    taken = "taken over this one's group_instance_id.*docs/kafka.md, 'Static members'"
    with pytest.raises(FencedError, match=taken):  # noqa: PT012 - it takes a while
        for _ in range(PATIENCE_POLLS):
            first.poll()
    with pytest.raises(FencedError, match=taken):
        first.log.save_positions(group, topic, {0: 1})


def test_whoever_is_no_member_may_not_save_for_a_group_that_has_members(
    open_log: OpenLog, topic: str, group: str
) -> None:
    """An operator learns what to stop first."""
    settle(Owner(open_log(), topic, group))
    with pytest.raises(LogError, match="has members") as caught:
        open_log().save_positions(group, topic, {0: 1})
    assert not caught.value.retriable


def test_heartbeats_have_an_age(open_log: OpenLog, topic: str, group: str) -> None:
    """Only members have one."""
    log = open_log(KafkaSettings(session_timeout_seconds=2.0))
    assert log.heartbeat_age_seconds() is None
    owner = Owner(log, topic, group)
    settle(owner)
    for _ in range(PATIENCE_POLLS):
        owner.poll()
        if (age := log.heartbeat_age_seconds()) is not None:
            break
    assert age is not None
    assert 0.0 <= age < 60.0

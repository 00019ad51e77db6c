"""A session turns what a client does into what a reader can go on with."""

from types import SimpleNamespace
from typing import Any

import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.errors import (
    CommitFailedError,
    CorruptRecordError,
    KafkaError,
    KafkaTimeoutError,
    LogTruncationError,
    UnknownTopicIdError,
)

from stream.clock import ManualClock
from stream.errors import LogError, LogUnavailableError, RecordsDamagedError
from stream.log.kafka.cluster.trouble_counts import KafkaFigures
from stream.log.kafka.reading import session as module
from stream.log.kafka.reading.rebalance import Change, RebalanceInterrupt
from stream.log.kafka.reading.session import ConsumerSession, Source
from stream.log.kafka.workarounds.fenced_members import MembershipWatch


def record(offset: int) -> Any:
    return SimpleNamespace(offset=offset, timestamp=0, key=b"k", value=b"v", headers=[])


class Consumer:
    """Stands in for kafka-python's consumer."""

    def __init__(self) -> None:
        self.arriving: list[Any] = []
        self.assigned: set[TopicPartition] = set()
        self.sought: dict[int, int] = {}
        self.paused: set[int] = set()
        self.committed: dict[Any, OffsetAndMetadata] = {}
        self.failure: Exception | None = None
        self.closed = 0
        damaged = SimpleNamespace(topic_partition=TopicPartition("clicks", 1), next_fetch_offset=6)
        self._fetcher = SimpleNamespace(_next_partition_records=damaged)

    def assign(self, places: list[TopicPartition]) -> None:
        self.assigned = set(places)

    def subscribe(self, topics: list[str], listener: Any) -> None:
        assert topics == ["clicks"]
        self.listener = listener

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.sought[place.partition] = offset

    def pause(self, *places: TopicPartition) -> None:
        self.paused |= {place.partition for place in places}

    def resume(self, *places: TopicPartition) -> None:
        self.paused -= {place.partition for place in places}

    def position(self, _: TopicPartition, timeout_ms: float) -> int | None:
        assert timeout_ms == 0
        if self.failure is not None:
            raise self.failure
        return 17

    def poll(self, **_: Any) -> Any:
        arrived = self.arriving.pop(0)
        if isinstance(arrived, Exception):
            raise arrived
        return arrived

    def commit(self, offsets: dict[Any, OffsetAndMetadata], **_: Any) -> None:
        if self.failure is not None:
            raise self.failure
        self.committed = offsets

    def close(self, **_: Any) -> None:
        self.closed += 1
        raise KafkaError


class World:
    """A session with its clients, which unpack records one by one."""

    def __init__(self, positions: dict[int, int] | None, topic_id: str | None = None) -> None:
        self.consumers: list[Consumer] = []
        self.figures = KafkaFigures()
        self.found_id: str | None = topic_id
        admin: Any = SimpleNamespace(topic_id=lambda _: self.found_id)
        source = Source(
            topic="clicks",
            topic_id=topic_id,
            compacted=False,
            group="group",
            admin=admin,
            open_consumer=self._open,
            timeout_seconds=30.0,
            session_timeout_seconds=30.0,
        )
        self.session = ConsumerSession(source, positions, ManualClock(), self.figures)

    def _open(self) -> Consumer:
        self.consumers.append(Consumer())
        return self.consumers[-1]

    @property
    def consumer(self) -> Consumer:
        return self.consumers[-1]


@pytest.fixture(autouse=True)
def _without_repairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read as with a library that no repair fits."""
    monkeypatch.setattr(module, "install", lambda *_: False)
    monkeypatch.setattr(module, "pin_topic", lambda *_: None)


def test_a_client_begins_where_the_reader_is() -> None:
    world = World({0: 3, 1: 8})
    assert world.consumer.sought == {0: 3, 1: 8}
    assert not world.session.member
    assert world.figures.fallback


def test_records_come_as_batches() -> None:
    world = World({1: 8})
    world.consumer.arriving = [{TopicPartition("clicks", 1): [record(8), record(11)]}]
    (batch,) = world.session.fetch(100, 0.0)
    assert (batch.topic, batch.partition, batch.offsets.tolist()) == ("clicks", 1, [8, 11])


def test_a_rebalance_ends_the_fetch_and_is_there_to_be_handled() -> None:
    world = World(None)
    interrupt = KafkaError()
    interrupt.__cause__ = RebalanceInterrupt()
    world.consumer.arriving = [interrupt]
    with pytest.raises(RebalanceInterrupt):
        world.consumer.listener.on_partitions_assigned([TopicPartition("clicks", 0)])
    assert world.session.fetch(100, 0.0) == []
    assert world.session.change == Change("assigned", (0,))
    world.session.change_done()
    assert world.session.change is None


@pytest.mark.parametrize("error", [CorruptRecordError("crc"), ValueError("varint"), KeyError(3)])
def test_what_the_library_cannot_unpack_is_damage(error: Exception) -> None:
    world = World({1: 6})
    world.consumer.arriving = [error]
    with pytest.raises(RecordsDamagedError) as caught:
        world.session.fetch(100, 0.0)
    assert (caught.value.partition, caught.value.offset) == (1, 6)
    assert not world.session.survives_damage


@pytest.mark.parametrize(("found", "refused"), [("this", False), ("other", True), (None, True)])
def test_records_of_another_topic_of_the_name_are_refused(
    found: str | None, *, refused: bool
) -> None:
    """The id is asked for after each fetch that brought any: one that is there was there before."""
    world = World({1: 8}, topic_id="this")
    world.found_id = found
    world.consumer.arriving = [{}, {TopicPartition("clicks", 1): [record(8)]}]
    assert world.session.fetch(100, 0.0) == []
    if refused:
        with pytest.raises(UnknownTopicIdError):
            world.session.fetch(100, 0.0)
    else:
        assert len(world.session.fetch(100, 0.0)) == 1


def test_only_what_the_client_has_is_moved() -> None:
    """A new client of a member has nothing yet."""
    world = World(None)
    world.consumer.assigned = {TopicPartition("clicks", 0)}
    world.session.seek({0: 4, 1: 5})
    world.session.pause([0, 1])
    assert world.consumer.sought == {0: 4}
    assert world.consumer.paused == {0}
    world.session.resume([0, 1])
    assert world.consumer.paused == set()


@pytest.mark.parametrize(("failure", "position"), [(None, 17), (KafkaTimeoutError(), None)])
def test_a_position_that_is_not_known_is_none(
    failure: Exception | None, position: int | None
) -> None:
    world = World({0: 3})
    world.consumer.failure = failure
    assert world.session.position(0) == position


def test_positions_are_committed_as_they_are() -> None:
    world = World(None)
    world.session.save({0: 4})
    assert world.consumer.committed == {TopicPartition("clicks", 0): OffsetAndMetadata(4, "", -1)}
    world.consumer.failure = CommitFailedError("rebalanced")
    with pytest.raises(LogUnavailableError, match="save the positions of group group"):
        world.session.save({0: 4})


def test_a_log_that_was_cut_back_is_no_passing_trouble() -> None:
    world = World({0: 3})
    told = world.session.failure(LogTruncationError("gone"))
    assert type(told) is LogError
    assert "cut back behind what was read" in str(told)
    assert world.figures.counts()["fetch_errors"] == 1


@pytest.mark.parametrize("positions", [{0: 3, 1: 8}, None], ids=["of its own", "member"])
def test_a_new_client_takes_the_place_of_the_old_one(positions: dict[int, int] | None) -> None:
    """A member has lost its partitions then; closing may fail."""
    world = World(positions)
    old = world.consumer
    world.session.replace({0: 4, 1: 9}, paused=[1])
    assert old.closed == 1
    assert world.consumer is not old
    assert world.figures.counts()["reconnects"] == 1
    if positions is None:
        assert world.session.change == Change("lost", (0, 1))
    else:
        assert world.session.change is None
        assert (world.consumer.sought, world.consumer.paused) == ({0: 4, 1: 9}, {1})


@pytest.mark.parametrize("left", [True, False])
def test_a_member_that_the_group_has_left_behind_joins_again(
    monkeypatch: pytest.MonkeyPatch, *, left: bool
) -> None:
    world = World(None)
    monkeypatch.setattr(MembershipWatch, "has_left", lambda *_: left)
    world.session.check_membership({0: 4})
    assert len(world.consumers) == 1 + left

"""Partitions that a group gives and takes."""

from collections.abc import Collection
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry, Counter

from consumers.runtime.partition_ownership import (
    FENCED_PATIENCE_SECONDS,
    STANDBY_SECONDS,
    PartitionOwnership,
)
from stream.clock import ManualClock
from stream.errors import FencedError
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing, TopicSpec


@dataclass
class Opening:
    """What would open a partition."""

    partition: int


@dataclass
class World:
    """An owner of partitions of a topic in memory."""

    clock: ManualClock = field(default_factory=ManualClock)
    log: MemoryLog = field(init=False)

    def __post_init__(self) -> None:
        self.log = MemoryLog(self.clock)
        self.log.create_topic(TopicSpec(name="t", partitions=3))
        self.owner = Owner(self.clock)
        self.reader = self.log.reader("t", group="g", listener=self.owner)
        self.owner.read_with(self.reader)

    def append(self) -> None:
        """Append a record to every partition."""
        writer = self.log.writer("t")
        for partition in range(3):
            writer.append([Outgoing(b"k", b"v", partition=partition)])

    def read(self) -> set[int]:
        """Return the partitions of which something comes."""
        return {batch.partition for batch in self.reader.poll(100, 0.0)}


class Owner(PartitionOwnership[Opening]):
    """Opens a partition when told to, and notes what is let go of."""

    def __init__(self, clock: ManualClock) -> None:
        self.counter = Counter("changes", "", ["change"], registry=CollectorRegistry())
        super().__init__(
            member="tester", group="g", fenced_topic="t", clock=clock, changes=self.counter
        )
        self.owned: set[int] = set()
        self.closed: list[tuple[int, Opening | None]] = []

    @property
    def open_partitions(self) -> Collection[int]:
        return self.owned

    def open(self, partition: int, offset: int = 0) -> Opening:
        """End a partition's opening."""
        opening = self._read_on(partition, offset)
        self.owned.add(partition)
        return opening

    def changes(self, change: str) -> float:
        """Return how many partitions have met with `change`."""
        return sum(
            sample.value
            for metric in self.counter.collect()
            for sample in metric.samples
            if sample.name == "changes_total" and sample.labels["change"] == change
        )

    def _begin(self, partition: int) -> Opening:
        return Opening(partition)

    def _close(self, partition: int, opening: Opening | None) -> None:
        self.owned.discard(partition)
        self.closed.append((partition, opening))


@pytest.fixture
def world() -> World:
    """Return an owner whom the group has given all partitions."""
    world = World()
    world.reader.poll(1, 0.0)
    return world


def test_what_is_assigned_is_paused_until_it_is_open(world: World) -> None:
    """Then it is read from where its opener says, and what opened it is handed back."""
    world.append()
    assert world.owner.opening
    assert world.read() == set()
    assert world.owner.open(1) == Opening(1)
    assert world.read() == {1}
    assert world.owner.positions() == {1: 1}


def test_what_is_open_already_is_not_opened_again(world: World) -> None:
    """A group that names a partition twice changes nothing."""
    for partition in range(3):
        world.owner.open(partition)
    world.owner.assigned([0, 1])
    assert not world.owner.opening
    assert world.owner.changes("assigned") == 5


def test_what_leaves_is_closed_with_its_opening(world: World) -> None:
    """Open ones, those on their way, and those that it never had."""
    world.owner.open(0)
    world.owner.revoked([0, 1])
    world.owner.lost([2, 7])
    assert world.owner.closed == [(0, None), (1, Opening(1)), (2, Opening(2)), (7, None)]
    assert (world.owner.changes("revoked"), world.owner.changes("lost")) == (2, 2)
    assert not world.owner.opening


def test_the_word_of_the_group_is_waited_for_at_the_start_and_after_a_loss() -> None:
    """Who hears nothing for long is a standby, and settled all the same."""
    world = World()
    assert (world.owner.joining, world.owner.settled()) == (True, False)
    world.owner.assigned([0])
    assert (world.owner.joining, world.owner.settled()) == (False, True)
    world.owner.lost([0])
    assert (world.owner.joining, world.owner.settled()) == (True, False)
    world.clock.sleep(STANDBY_SECONDS)
    assert (world.owner.joining, world.owner.settled()) == (True, True)


def test_what_a_fence_has_moved_is_dropped_and_waited_for(world: World) -> None:
    """The group takes it sooner or later; until then nothing more of it is read."""
    world.owner.open(0)
    world.append()
    world.owner.fence(0)
    assert world.owner.closed == [(0, None)]
    assert world.read() == set()
    world.clock.sleep(FENCED_PATIENCE_SECONDS)
    world.owner.refuse_two_owners()
    world.owner.revoked([0])
    world.clock.sleep(FENCED_PATIENCE_SECONDS)
    world.owner.refuse_two_owners()


def test_two_owners_are_refused_where_the_group_never_speaks(world: World) -> None:
    """Somebody else uses the same fence without being in the group."""
    world.owner.open(0)
    world.owner.fence(0)
    world.clock.sleep(FENCED_PATIENCE_SECONDS + 1.0)
    with pytest.raises(FencedError, match=r"another tester with the group 'g' .* partition 0 of t"):
        world.owner.refuse_two_owners()


def test_what_comes_back_after_a_fence_is_opened_anew(world: World) -> None:
    """And its fence is forgotten."""
    world.owner.open(0)
    world.owner.fence(0)
    world.owner.assigned([0])
    world.clock.sleep(2 * FENCED_PATIENCE_SECONDS)
    world.owner.refuse_two_owners()
    assert world.owner.open(0) == Opening(0)

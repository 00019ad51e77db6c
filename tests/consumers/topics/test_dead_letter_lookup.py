"""The newest dead letters, without reading the whole topic."""

import tracemalloc

import pytest

from consumers.topics.dead_letter_lookup import newest_first, newest_of_all
from stream.clock import ManualClock
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing
from tests.consumers.dead_letter_world import NOW, DeadLetterWorld


@pytest.fixture
def world() -> DeadLetterWorld:
    clock = ManualClock(NOW)
    return DeadLetterWorld(MemoryLog(clock), clock)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 80, 81, 3000])
def test_every_letter_comes_once_newest_first(world: DeadLetterWorld, count: int) -> None:
    """Whatever steps it is read in."""
    world.send(*[(b"u", b"{%d" % number) for number in range(count)])
    world.ingest()
    found = [s.letter.value for s in newest_first(world.log, "clicks.dlq", 1) if s.letter]
    assert found == [b"{%d" % number for number in reversed(range(count))]


def test_an_oldest_offset_ends_it(world: DeadLetterWorld) -> None:
    """Nothing before it is read."""
    world.send(*[(b"u", b"{%d" % number) for number in range(40)])
    world.ingest()
    assert [s.offset for s in newest_first(world.log, "clicks.dlq", 1, 37)] == [39, 38, 37]


def test_partitions_come_in_the_order_of_time(world: DeadLetterWorld) -> None:
    """The newest of all is the first."""
    for number in range(6):
        world.send((b"u", b"{%d" % number), partition=number % 2)
        world.clock.sleep(1.0)
    world.ingest()
    found = newest_of_all(world.log, "clicks.dlq", {0: 0, 1: 0})
    assert [s.letter.value for s in found if s.letter] == [b"{%d" % n for n in range(5, -1, -1)]


def test_what_is_no_dead_letter_is_marked(world: DeadLetterWorld) -> None:
    """Others may have written to the topic."""
    world.log.writer("clicks.dlq").append([Outgoing(b"k", b"?", (), 1)])
    (stored,) = newest_first(world.log, "clicks.dlq", 1)
    assert stored.letter is None


def test_a_long_topic_takes_little_memory(world: DeadLetterWorld) -> None:
    """A hundred thousand letters behind the wanted ones are not read."""
    world.send(*[(b"u", b"{oops")] * 100_000)
    world.ingest()
    tracemalloc.start()
    try:
        letters = newest_first(world.log, "clicks.dlq", 1)
        assert [next(letters).offset for _ in range(20)] == list(range(99_999, 99_979, -1))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()

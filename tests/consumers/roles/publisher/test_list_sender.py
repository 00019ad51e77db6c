"""Appends of lists, as the only publisher of each partition."""

import pytest

from consumers.config.sections.log import LogSection
from consumers.roles.publisher.list_sender import DEFAULT_KEY, ListSender
from stream.clock import ManualClock
from stream.log.embedded.memory import MemoryLog
from tests.consumers.roles.publisher.records import list_of

TOPICS = LogSection(partitions=2)


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog(ManualClock())
    for spec in TOPICS.topics():
        log.create_topic(spec)
    return log


def sender(log: MemoryLog, *partitions: int) -> ListSender:
    """Return a sender that has taken `partitions`."""
    made = ListSender(log, TOPICS, "publishers")
    for partition in partitions:
        made.take(partition)
    return made


def sent(log: MemoryLog, topic: str) -> list[tuple[int, bytes | None, bool]]:
    """Return partition, key, and whether it is a list, of each record."""
    reader = log.reader(topic)
    return [
        (batch.partition, key, value is not None)
        for batch in reader.poll(100, 0.0)
        for key, value in zip(batch.keys, batch.values, strict=True)
    ]


def test_lists_and_tombstones_go_where_they_are_told(log: MemoryLog) -> None:
    """Each to its partition, with its user as the key."""
    ours = sender(log, 0, 1)
    ours.send([(0, list_of("a", "i")), (1, list_of("b", "i"))])
    ours.withdraw([(1, "b")])
    assert sent(log, TOPICS.recommendations) == [(0, b"a", True), (1, b"b", True), (1, b"b", False)]


def test_nothing_goes_to_a_partition_that_was_not_taken(log: MemoryLog) -> None:
    """Nor to one that was dropped again."""
    ours = sender(log, 0)
    ours.send([(1, list_of("b", "i"))])
    ours.drop(0)
    ours.withdraw([(0, "a")])
    assert sent(log, TOPICS.recommendations) == []


def test_a_successor_locks_it_out_of_one_partition(log: MemoryLog) -> None:
    """It is told once which one, and goes on with the others."""
    ours = sender(log, 0, 1)
    sender(log, 1)
    ours.send([(0, list_of("a", "i")), (1, list_of("b", "i"))])
    assert (ours.take_fenced(), ours.take_fenced()) == ([1], [])
    ours.send([(1, list_of("b", "i"))])
    assert sent(log, TOPICS.recommendations) == [(0, b"a", True)]


def test_the_default_list_belongs_to_who_has_the_first_partition(log: MemoryLog) -> None:
    """The others send none, and it passes on with the partition."""
    first, other = sender(log, 0), sender(log, 1)
    assert (first.sends_default, other.sends_default) == (True, False)
    other.send_default(list_of("", "i"))
    assert sent(log, TOPICS.default_recommendations) == []
    first.send_default(list_of("", "i"))
    assert sent(log, TOPICS.default_recommendations) == [(0, DEFAULT_KEY, True)]
    sender(log, 0)
    first.send_default(list_of("", "i"))
    assert first.take_fenced() == [0]
    assert not first.sends_default
    assert len(sent(log, TOPICS.default_recommendations)) == 1

"""A known stretch of a partition is read to its end and no further."""

import logging

import pytest

from consumers.topics.log_range import poll_past_damage, read_range, say_damage
from stream.clock import ManualClock
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing, TopicSpec
from tests.consumers.damaged_log import DamagedLog


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog(ManualClock(100.0))
    log.create_topic(TopicSpec(name="t", partitions=2))
    log.writer("t").append([Outgoing(b"k", b"%d" % n, partition=1) for n in range(50)])
    return log


@pytest.mark.parametrize(("start", "stop"), [(0, 50), (7, 31), (49, 50), (9, 9), (5, 3)])
def test_reads_exactly_the_stretch(log: MemoryLog, start: int, stop: int) -> None:
    """Both ends may lie in the middle of a batch."""
    batches = list(read_range(log, "t", 1, start, stop))
    assert [o for batch in batches for o in batch.offsets.tolist()] == list(range(start, stop))
    assert [v for batch in batches for v in batch.values] == [b"%d" % n for n in range(start, stop)]


def test_an_end_that_is_not_there_ends_it(log: MemoryLog) -> None:
    """A stretch beyond the log's end is read as far as there is anything."""
    batches = list(read_range(log, "t", 1, 45, 99))
    assert [o for batch in batches for o in batch.offsets.tolist()] == list(range(45, 50))


@pytest.mark.parametrize(
    ("stop", "left"), [(12, [*range(5, 10), *range(12, 20)]), (None, [*range(5, 10)])]
)
def test_what_cannot_be_read_is_passed_over(
    stop: int | None, left: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    """It is said; where it has no end, the rest is passed over too."""
    log = DamagedLog(ManualClock(100.0))
    log.create_topic(TopicSpec(name="t"))
    log.writer("t").append([Outgoing(b"k", b"v")] * 30)
    log.spoil("t", 0, 10, stop)
    with caplog.at_level(logging.ERROR):
        batches = list(read_range(log, "t", 0, 5, 20))
    assert [o for batch in batches for o in batch.offsets.tolist()] == left
    assert "passed over" in caplog.text
    reader = log.reader("t")
    reader.seek(0, 10)
    assert poll_past_damage(log, reader, 100, 0.0, say_damage) == []
    assert reader.position(0) == stop or reader.position(0) == 30

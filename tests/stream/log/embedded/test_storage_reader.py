"""A waiting reader sees what others append."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stream.clock import ManualClock
from stream.log.embedded.log import EmbeddedLog
from stream.log.embedded.memory import MemoryLog, MemoryTopic
from stream.log.embedded.storage_log import StorageLog
from stream.log.embedded.topic import SqliteTopic
from stream.log.interface import Outgoing, TopicSpec


class InterruptedClock(ManualClock):
    """Does something in another thread during one of its sleeps."""

    def __init__(self, interruption: Callable[[], object], sleep: int) -> None:
        super().__init__(start=1000.0)
        self._interruption = interruption
        self._sleeps_left = sleep

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._sleeps_left -= 1
        if self._sleeps_left == 0:
            thread = threading.Thread(target=self._interruption)
            thread.start()
            thread.join()


@pytest.mark.parametrize("sleep", [1, 2, 50])
@pytest.mark.parametrize("kind", ["embedded", "memory"])
def test_a_waiting_poll_returns_soon_after_an_append(kind: str, sleep: int, tmp_path: Path) -> None:
    """Within one look at the topic, eight milliseconds at most."""

    def append() -> None:
        appended_at.append(clock.monotonic())
        log.writer("t").append([Outgoing(b"k", b"v")])

    appended_at: list[float] = []
    clock = InterruptedClock(append, sleep)
    log: StorageLog = EmbeddedLog(tmp_path, clock) if kind == "embedded" else MemoryLog(clock)
    log.create_topic(TopicSpec(name="t"))
    (batch,) = log.reader("t").poll(10, 60.0)
    assert batch.values[0] == b"v"
    assert clock.monotonic() - appended_at[0] <= 0.0081
    log.close()


@pytest.fixture
def log() -> Iterator[MemoryLog]:
    log = MemoryLog(ManualClock())
    yield log
    log.close()


def test_who_was_served_goes_to_the_end_of_the_queue(log: MemoryLog) -> None:
    """With every partition full, each has every third poll."""
    log.create_topic(TopicSpec(name="t", partitions=3))
    log.writer("t").append([Outgoing(None, b"v", partition=n % 3) for n in range(90)])
    reader = log.reader("t")
    served = [batch.partition for _ in range(9) for batch in reader.poll(10, 0.0)]
    assert served == [0, 1, 2] * 3


def test_what_one_partition_leaves_goes_to_the_next(log: MemoryLog) -> None:
    """A poll fills its `max_records` from several partitions."""
    log.create_topic(TopicSpec(name="t", partitions=3))
    log.writer("t").append([Outgoing(None, b"v", partition=p) for p in (0, 0, 1, 1, 1, 2)])
    batches = log.reader("t").poll(4, 0.0)
    assert [(batch.partition, len(batch)) for batch in batches] == [(0, 2), (1, 2)]


@pytest.mark.parametrize("kind", ["embedded", "memory"])
def test_a_poll_reads_nothing_until_something_changes(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the bounds; what the same thread appends is a change, and so are seeks."""
    clock = ManualClock()
    log: StorageLog = EmbeddedLog(tmp_path, clock) if kind == "embedded" else MemoryLog(clock)
    log.create_topic(TopicSpec(name="t", partitions=2))
    reader, writer = log.reader("t"), log.writer("t")
    asked = []
    storage = SqliteTopic if kind == "embedded" else MemoryTopic
    bounds = storage.bounds

    def noted(topic: Any) -> Any:
        asked.append(topic)
        return bounds(topic)

    monkeypatch.setattr(storage, "bounds", noted)
    for round_number in range(3):
        assert reader.poll(10, 0.0) == []
        asked.clear()
        assert reader.poll(10, 0.1) == []
        assert not asked
        writer.append([Outgoing(None, b"v", partition=round_number % 2)])
        (batch,) = reader.poll(10, 0.0)
        assert len(batch) == 1
    assert reader.poll(10, 0.0) == []
    reader.pause([0])
    reader.seek(0, 0)
    assert reader.poll(10, 0.0) == []
    reader.resume([0])
    assert sum(map(len, reader.poll(10, 0.0))) == 2
    log.close()

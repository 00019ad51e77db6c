"""The embedded log keeps the contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.clock import Clock, ManualClock
from stream.log.embedded.log import EmbeddedLog
from stream.log.interface import Log, Outgoing, TopicSpec
from tests.stream.log.contract import LogContract, LogFactory


class TestEmbeddedLog(LogContract):
    """The contract, with time moved by hand."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock(start=1_700_000_000.0)

    @pytest.fixture
    def log_factory(self, clock: ManualClock, tmp_path: Path) -> Iterator[LogFactory]:
        logs: list[EmbeddedLog] = []

        def open_one() -> EmbeddedLog:
            logs.append(EmbeddedLog(tmp_path / "log", clock, active_records=1))
            return logs[-1]

        yield open_one
        for log in logs:
            log.close()

    def expire(self, log: Log, clock: Clock, topic: str) -> None:
        clock.sleep(3601.0)
        clean_up(log, topic)

    def settle(self, log: Log, clock: Clock, topic: str) -> None:
        log.writer(topic).append(
            [Outgoing(b"filler", b"", partition=p) for p in log.end_offsets(topic)]
        )
        clean_up(log, topic)


def clean_up(log: Log, topic: str) -> None:
    """Clean until there is nothing more to clean."""
    assert isinstance(log, EmbeddedLog)
    while log.clean(topic).more:
        pass


def test_another_process_heeds_a_changed_retention(tmp_path: Path) -> None:
    """Ingest cleans by the retention that the topic has now, not by the one that it began with."""
    clock = ManualClock(start=1_700_000_000.0)
    ingest, command = EmbeddedLog(tmp_path, clock), EmbeddedLog(tmp_path, clock)
    ingest.create_topic(TopicSpec(name="clicks", retention_seconds=3600.0))
    ingest.writer("clicks").append([Outgoing(b"k", b"v")])
    clock.sleep(120.0)
    clean_up(ingest, "clicks")
    assert ingest.start_offsets("clicks") == {0: 0}
    command.set_retention("clicks", seconds=60.0, size_bytes=None)
    clean_up(ingest, "clicks")
    assert ingest.start_offsets("clicks") == {0: 1}
    ingest.close()
    command.close()

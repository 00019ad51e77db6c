"""The log in memory keeps the contract."""

from collections.abc import Iterator

import pytest

from stream.clock import Clock, ManualClock
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Log
from tests.stream.log.contract import LogContract, LogFactory


class TestMemoryLog(LogContract):
    """The contract, with time moved by hand."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock(start=1_700_000_000.0)

    @pytest.fixture
    def log_factory(self, clock: ManualClock) -> Iterator[LogFactory]:
        log = MemoryLog(clock, active_records=0)
        yield lambda: log
        log.close()

    def expire(self, log: Log, clock: Clock, topic: str) -> None:
        assert isinstance(log, MemoryLog)
        clock.sleep(3601.0)
        log.clean(topic)

    def settle(self, log: Log, clock: Clock, topic: str) -> None:
        assert isinstance(log, MemoryLog)
        log.clean(topic)

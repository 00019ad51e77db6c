"""Lag counts what can be read apart from what an open transaction holds back."""

import pytest

from stream.clock import ManualClock
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing, TopicSpec
from stream.log.lag import lag


class Withholding(MemoryLog):
    """A log with three more records behind an open transaction."""

    def written_offsets(self, topic: str) -> dict[int, int]:
        return {p: end + 3 for p, end in self.end_offsets(topic).items()}


@pytest.mark.parametrize(
    ("position", "readable", "withheld"),
    [(0, 5, 3), (5, 0, 3), (7, 0, 1), (9, 0, 0)],
    ids=["behind", "at the end", "past the end", "past all"],
)
def test_neither_is_ever_negative(position: int, readable: int, withheld: int) -> None:
    """Positions may be past the end: of a log that has lost records, or of a transaction."""
    log = Withholding(ManualClock())
    log.create_topic(TopicSpec(name="clicks"))
    log.writer("clicks").append([Outgoing(b"k", b"v")] * 5)
    found = lag(log, "clicks", {0: position})[0]
    assert (found.readable, found.withheld) == (readable, withheld)

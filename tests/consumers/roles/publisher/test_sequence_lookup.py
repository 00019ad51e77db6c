"""Sequences are found by their place, near or far from each other."""

import numpy as np
import pytest

from consumers.roles.publisher.sequence_lookup import SequenceLookup
from stream.clock import ManualClock
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing, TopicSpec


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog(ManualClock(100.0), active_records=0)
    log.create_topic(TopicSpec(name="sequences", partitions=2, compacted=True))
    for partition in range(2):
        log.writer("sequences").append(
            [
                Outgoing(b"u%d" % n, b"%d/%d" % (partition, n), partition=partition)
                for n in range(1000)
            ]
        )
    return log


def test_finds_any_places(log: MemoryLog) -> None:
    """In one go, in any order, in several partitions."""
    lookup = SequenceLookup(log, "sequences")
    rng = np.random.default_rng(5)
    places = [
        (int(p), int(o))
        for p, o in zip(rng.integers(0, 2, 60), rng.integers(0, 1000, 60), strict=True)
    ]
    assert lookup.read(places) == {(p, o): b"%d/%d" % (p, o) for p, o in places}
    assert lookup.read([]) == {}
    lookup.close()


def test_what_was_replaced_is_missing(log: MemoryLog) -> None:
    """A record that compaction took away is left out, as are places past the end."""
    log.writer("sequences").append([Outgoing(b"u7", b"newer", partition=0)])
    log.clean("sequences")
    lookup = SequenceLookup(log, "sequences")
    assert lookup.read([(0, 7), (0, 8), (0, 1000), (0, 5000)]) == {
        (0, 8): b"0/8",
        (0, 1000): b"newer",
    }
    lookup.close()


def test_tombstones_are_no_sequences(log: MemoryLog) -> None:
    """The place of a tombstone gives nothing."""
    log.writer("sequences").append([Outgoing(b"u7", None, partition=1)])
    lookup = SequenceLookup(log, "sequences")
    assert lookup.read([(1, 1000)]) == {}
    lookup.close()

"""Ingest's note in the log whether each partition of `sequences` holds every user."""

import pytest

from consumers.config.settings import GsrConfig
from consumers.topics.sequences_completeness import (
    RESENDING,
    note_completeness,
    read_completeness,
    sequence_group,
)
from stream.clock import ManualClock
from stream.log.embedded.memory import MemoryLog

CONFIG = GsrConfig()


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog(ManualClock())
    for spec in CONFIG.log.topics():
        log.create_topic(spec)
    return log


def test_what_was_never_noted_is_missing(log: MemoryLog) -> None:
    """Of those partitions nobody knows."""
    assert read_completeness(log, CONFIG) == {}
    note_completeness(log, CONFIG, {1: 5})
    assert read_completeness(log, CONFIG) == {1: 5}


def test_the_note_may_go_back(log: MemoryLog) -> None:
    """Where everything is sent again, and ends earlier than before."""
    note_completeness(log, CONFIG, {0: 9, 1: 7})
    note_completeness(log, CONFIG, {0: RESENDING})
    assert read_completeness(log, CONFIG) == {0: RESENDING, 1: 7}
    note_completeness(log, CONFIG, {0: 3})
    assert read_completeness(log, CONFIG) == {0: 3, 1: 7}


def test_it_is_no_position_of_the_group_that_reads_clicks(log: MemoryLog) -> None:
    """Lag tools would take it for one."""
    note_completeness(log, CONFIG, {0: 9})
    assert sequence_group(CONFIG) != CONFIG.ingest.group
    assert log.saved_positions(CONFIG.ingest.group, CONFIG.log.sequences) == {}
    assert log.saved_positions(sequence_group(CONFIG), CONFIG.log.clicks) == {}

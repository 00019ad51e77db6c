"""Each bad record is set aside once, whatever crashes."""

import numpy as np
import pytest

from consumers.ingest.dead_letter_topic import DeadLetterTopic, newest_dead_letter
from stream.clock import ManualClock
from stream.events.bad_record import BadRecord
from stream.events.dead_letters import parse_dead_letter
from stream.log.interface import Outgoing, RecordBatch, TopicSpec
from stream.log.memory import MemoryLog


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog(ManualClock(100.0))
    log.create_topic(TopicSpec(name="clicks.dlq", partitions=2))
    return log


def _batch(offsets: list[int], partition: int = 1) -> RecordBatch:
    return RecordBatch(
        "clicks",
        partition,
        np.array(offsets, dtype=np.int64),
        np.full(len(offsets), 99.0),
        [b"u"] * len(offsets),
        [b"value %d" % offset for offset in offsets],
    )


def _bad(batch: RecordBatch) -> list[BadRecord]:
    return [BadRecord(i, int(o), "malformed_json", "") for i, o in enumerate(batch.offsets)]


def _offsets(log: MemoryLog) -> list[int]:
    reader = log.reader("clicks.dlq", partitions=[1])
    return [
        parse_dead_letter(key, value, headers).offset
        for batch in reader.poll(1000, 0.0)
        for key, value, headers in zip(batch.keys, batch.values, batch.headers, strict=True)
    ]


def test_what_was_set_aside_is_not_repeated(log: MemoryLog) -> None:
    """After a restart, records read again are recognised by their offsets."""
    first = _batch([3, 5, 6])
    assert DeadLetterTopic(log, "clicks.dlq", "clicks", 1).append(first, _bad(first)) == 3
    again = _batch([5, 6, 9])
    assert DeadLetterTopic(log, "clicks.dlq", "clicks", 1).append(again, _bad(again)) == 1
    assert _offsets(log) == [3, 5, 6, 9]


def test_partitions_do_not_mix(log: MemoryLog) -> None:
    """Dead letters of another partition say nothing about this one."""
    other = _batch([50], partition=0)
    DeadLetterTopic(log, "clicks.dlq", "clicks", 0).append(other, _bad(other))
    assert newest_dead_letter(log, "clicks.dlq", "clicks", 1) == -1
    assert newest_dead_letter(log, "clicks.dlq", "clicks", 0) == 50


@pytest.mark.parametrize("strangers", [0, 1, 3, 20, 100])
def test_records_of_other_origin_are_passed_over(log: MemoryLog, strangers: int) -> None:
    """The tail is read backwards until a dead letter of this source appears."""
    batch = _batch([7, 8])
    DeadLetterTopic(log, "clicks.dlq", "clicks", 1).append(batch, _bad(batch))
    log.writer("clicks.dlq").append([Outgoing(b"x", b"y", partition=1)] * strangers)
    assert newest_dead_letter(log, "clicks.dlq", "clicks", 1) == 8
    assert newest_dead_letter(log, "clicks.dlq", "other", 1) == -1

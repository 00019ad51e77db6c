"""Each bad record is set aside once, whatever crashes and however large it is."""

import hashlib
import random
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from consumers.roles.ingest.dead_letter_topic import (
    DeadLetterTopic,
    newest_dead_letter,
    recent_dead_letters,
)
from consumers.topics.log_range import read_range
from stream.clock import ManualClock, SystemClock
from stream.errors import RecordsDamagedError, RecordTooLargeError
from stream.events.clicks.bad_record import BadRecord
from stream.events.records.dead_letters import DeadLetter, parse_dead_letter
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Log, Outgoing, RecordBatch, TopicSpec
from stream.log.kafka.cluster.settings import Compression, KafkaSettings
from stream.log.kafka.log import KafkaLog
from tests.kafka_broker import KafkaAddress


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


def _letters(log: Log, topic: str = "clicks.dlq") -> list[DeadLetter]:
    return [
        parse_dead_letter(key, value, headers)
        for batch in read_range(log, topic, 1, 0, log.end_offsets(topic)[1])
        for key, value, headers in zip(batch.keys, batch.values, batch.headers, strict=True)
    ]


def _offsets(log: MemoryLog) -> list[int]:
    return [letter.offset for letter in _letters(log)]


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


class _Narrow(MemoryLog):
    """Takes values of up to `largest` bytes, and counts appends."""

    largest = 100_000
    appends = 0

    def writer(self, topic: str, *, fence: str | None = None) -> Any:
        inner = super().writer(topic, fence=fence)
        narrow = self

        class Writer:
            def append(self, records: Sequence[Outgoing]) -> list[tuple[int, int]]:
                narrow.appends += 1
                sizes = [len(record.value or b"") for record in records]
                rows = [row for row, size in enumerate(sizes) if size > narrow.largest]
                if rows:
                    raise RecordTooLargeError(topic, rows, narrow.largest)
                return inner.append(records)

        return Writer()


@pytest.fixture
def narrow() -> _Narrow:
    log = _Narrow(ManualClock(100.0))
    log.create_topic(TopicSpec(name="clicks.dlq", partitions=2))
    return log


def test_what_does_not_fit_is_shortened_in_its_place(narrow: _Narrow) -> None:
    """The order tells which letters are there, so none overtakes another."""
    batch = replace(_batch([3, 5, 6, 9]), values=[b"a", b"x" * 200_000, b"y" * 70_000, b"z"])
    assert DeadLetterTopic(narrow, "clicks.dlq", "clicks", 1).append(batch, _bad(batch)) == 4
    assert _offsets(narrow) == [3, 5, 6, 9]
    letters = _letters(narrow)
    assert [len(letter.value or b"") for letter in letters] == [1, 16_384, 70_000, 1]
    assert [letter.original is None for letter in letters] == [True, False, True, True]
    assert narrow.appends == 5  # large ones go alone, and one of them was refused


def test_a_topic_that_takes_not_even_the_beginning_is_refused_by_name(narrow: _Narrow) -> None:
    narrow.largest = 10
    batch = replace(_batch([3]), values=[b"x" * 200_000])
    with pytest.raises(RecordTooLargeError, match=r"clicks\.dlq.*max\.message\.bytes"):
        DeadLetterTopic(narrow, "clicks.dlq", "clicks", 1).append(batch, _bad(batch))


def test_a_damaged_range_is_set_aside_once(log: MemoryLog) -> None:
    """What was bad behind it still is, and it is not counted as bad itself."""
    damage = RecordsDamagedError("clicks", 1, 4, 9, "its checksum is wrong")
    for added in (True, False):
        topic = DeadLetterTopic(log, "clicks.dlq", "clicks", 1)
        assert topic.append_damaged(damage, 9, 5.0) == added
    behind = _batch([9])
    assert topic.append(behind, _bad(behind)) == 1
    assert _offsets(log) == [4, 9]
    assert recent_dead_letters(log, "clicks.dlq", "clicks", 1, 0, 100) == [9]


@pytest.mark.kafka
@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_no_record_is_too_large_for_a_dead_letter_on_kafka(
    kafka_broker: KafkaAddress, compression: Compression
) -> None:
    """Values, keys and headers; told beforehand, or by the broker where we compress."""
    clock, topic = SystemClock(), f"dlq.{uuid.uuid4().hex}"
    log = KafkaLog(kafka_broker.bootstrap_servers, clock, KafkaSettings(compression=compression))
    log.create_topic(TopicSpec(name=topic, partitions=2))
    noise = random.Random(7).randbytes  # noqa: S311 - no secret
    batch = replace(
        _batch([3, 4, 5, 6, 7]),
        keys=[b"u", b"u", noise(4_194_280), b"u", b"u"],
        values=[b"a" * 20_000_000, noise(4_194_280), b"v", b"v", b"last"],
        headers=[(), (), (), (("h", noise(4_194_280)),), ()],
    )
    letters = DeadLetterTopic(log, topic, "clicks", 1)
    assert letters.append(batch, _bad(batch)) == 5
    found = _letters(log, topic)
    assert [letter.offset for letter in found] == [3, 4, 5, 6, 7]
    assert [letter.original is None for letter in found] == [False, False, False, False, True]
    original = found[1].original
    assert original is not None
    assert original.value_bytes == 4_194_280
    assert original.value_sha256 == hashlib.sha256(batch.values[1] or b"").hexdigest()
    letters.close()
    log.close()

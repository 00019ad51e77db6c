"""Appends of bad records to the dead-letter topic, each of them once."""

from collections.abc import Iterator, Sequence
from typing import Final

from consumers.topics.dead_letter_lookup import newest_first
from stream.errors import RecordsDamagedError, RecordTooLargeError
from stream.events.clicks.bad_record import BadRecord
from stream.events.records.dead_letters import (
    DAMAGED,
    DeadLetter,
    damage_letter,
    dead_letter,
    is_shortened,
    shortened,
)
from stream.log.interface import Log, Outgoing, RecordBatch

LARGE_BYTES: Final = 65_536
"""A dead letter that is larger is appended alone."""


class DeadLetterTopic:
    """Appends the bad records of one partition of clicks, durably and without repeats.

    Dead letters are appended before the flush that passes them, so after a crash some are read
    again. They went to the topic in the order of their offsets, so the newest one that is there
    tells which ones are.

    Parameters
    ----------
    log
        The log of both topics.
    topic
        The dead-letter topic.
    source
        The topic that the bad records come from.
    partition
        The partition number, the same in both topics.
    """

    def __init__(self, log: Log, topic: str, source: str, partition: int) -> None:
        self._writer = log.writer(topic)
        self._newest = newest_dead_letter(log, topic, source, partition)

    def append(self, batch: RecordBatch, bad: Sequence[BadRecord]) -> int:
        """Append those of `bad` that are not there yet; return how many that were.

        One that is larger than the topic takes is shortened.
        """
        fresh = [record for record in bad if record.offset > self._newest]
        for offsets, letters in _appends(batch, fresh):
            self._append(letters)
            self._newest = offsets[-1]
        return len(fresh)

    def append_damaged(self, damage: RecordsDamagedError, end_offset: int, time: float) -> bool:
        """Append the dead letter of a damaged range, if it is not there yet; True where it was not.

        Parameters
        ----------
        damage, end_offset, time
            As `damage_letter` takes them.
        """
        if damage.offset <= self._newest:
            return False
        self._append([damage_letter(damage, end_offset, time)])
        self._newest = damage.offset
        return True

    def _append(self, letters: list[Outgoing]) -> None:
        while True:
            try:
                self._writer.append(letters)
            except RecordTooLargeError as refusal:
                if any(is_shortened(letters[row]) for row in refusal.rows):
                    raise
                for row in refusal.rows:
                    letters[row] = shortened(letters[row])
            else:
                return

    def close(self) -> None:
        """Let go of the writer."""
        self._writer.close()


def _appends(
    batch: RecordBatch, bad: Sequence[BadRecord]
) -> Iterator[tuple[list[int], list[Outgoing]]]:
    """Yield the offsets and dead letters of one append after another.

    Large ones go alone: where only the broker knows that one is too large, others of its append
    may have been written, and would be written twice.
    """
    offsets: list[int] = []
    letters: list[Outgoing] = []
    for record in bad:
        letter = dead_letter(batch, record)
        large = _size(letter) > LARGE_BYTES
        if large and letters:
            yield offsets, letters
            offsets, letters = [], []
        offsets.append(record.offset)
        letters.append(letter)
        if large:
            yield offsets, letters
            offsets, letters = [], []
    if letters:
        yield offsets, letters


def _size(letter: Outgoing) -> int:
    headers = sum(len(name) + len(value) for name, value in letter.headers)
    return len(letter.key or b"") + len(letter.value or b"") + headers


def newest_dead_letter(log: Log, topic: str, source: str, partition: int) -> int:
    """Return the offset in `source` of the newest dead letter of `partition`, -1 for none."""
    return next((letter.offset for letter in _letters(log, topic, source, partition)), -1)


def recent_dead_letters(
    log: Log, topic: str, source: str, partition: int, start: int, stop: int
) -> list[int]:
    """Return the offsets in `source` of the dead letters of ``start : stop``, ascending.

    Damaged records are none of them: nobody knows whether they were bad.
    """
    recent = []
    for letter in _letters(log, topic, source, partition):
        if letter.offset < start:
            break
        if letter.offset < stop and letter.reason != DAMAGED:
            recent.append(letter.offset)
    return recent[::-1]


def _letters(log: Log, topic: str, source: str, partition: int) -> Iterator[DeadLetter]:
    """Yield the dead letters of `partition` of `source`, newest first."""
    for stored in newest_first(log, topic, partition):
        letter = stored.letter
        if letter is not None and letter.topic == source and letter.partition == partition:
            yield letter

"""Reading of the dead-letter topic, newest letters first."""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from consumers.topics.log_range import read_range
from stream.errors import RecordFormatError
from stream.events.records.dead_letters import DeadLetter, parse_dead_letter
from stream.log.interface import Log, RecordBatch

_FIRST_STEP: Final = 16
_LONGEST_STEP: Final = 1024


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A record of the dead-letter topic.

    Parameters
    ----------
    partition, offset
        Where it is on the dead-letter topic.
    letter
        What it says; None where the record is no dead letter, but was put there by others.
    """

    partition: int
    offset: int
    letter: DeadLetter | None


def newest_first(
    log: Log, topic: str, partition: int, oldest_offset: int = 0
) -> Iterator[StoredLetter]:
    """Yield the records of one partition, from its end back to `oldest_offset`.

    Holds at most a thousand of them, however long the topic is.
    """
    start = max(oldest_offset, log.start_offsets(topic)[partition])
    upper, step = log.end_offsets(topic)[partition], _FIRST_STEP
    while upper > start:
        lower = max(start, upper - step)
        batches = read_range(log, topic, partition, lower, upper)
        yield from reversed([stored for batch in batches for stored in stored_letters(batch)])
        upper, step = lower, min(4 * step, _LONGEST_STEP)


def newest_of_all(
    log: Log, topic: str, oldest_offsets: Mapping[int, int]
) -> Iterator[StoredLetter]:
    """Yield the records of several partitions, newest first by when their originals came.

    Parameters
    ----------
    log, topic
        Where.
    oldest_offsets
        Partition to the offset where to end.
    """
    partitions: Iterable[Iterator[StoredLetter]] = [
        newest_first(log, topic, partition, oldest) for partition, oldest in oldest_offsets.items()
    ]
    return heapq.merge(*partitions, key=_time, reverse=True)


def stored_letters(batch: RecordBatch) -> list[StoredLetter]:
    """Return the records of a batch of the dead-letter topic, taken apart."""
    return [
        StoredLetter(batch.partition, offset, _parsed(batch, row))
        for row, offset in enumerate(batch.offsets.tolist())
    ]


def _parsed(batch: RecordBatch, row: int) -> DeadLetter | None:
    headers = batch.headers[row] if batch.headers else ()
    try:
        return parse_dead_letter(batch.keys[row], batch.values[row], headers)
    except RecordFormatError:
        return None


def _time(stored: StoredLetter) -> float:
    return 0.0 if stored.letter is None else stored.letter.time

"""Reading of a range of offsets, and reading on past damaged records."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from stream.errors import LogUnavailableError, RecordsDamagedError
from stream.log.interface import Log, Reader, RecordBatch

_POLL_RECORDS: Final = 10_000
_POLL_SECONDS: Final = 1.0
_EMPTY_POLLS: Final = 30
_LOGGER = logging.getLogger(__name__)

TellDamage = Callable[[RecordsDamagedError], None]
"""Is told of a stretch that cannot be read before it is passed over."""


def say_damage(damage: RecordsDamagedError) -> None:
    """Say that a stretch is passed over."""
    _LOGGER.error("%s. What is there is passed over.", damage)


def poll_past_damage(
    log: Log, reader: Reader, max_records: int, timeout_seconds: float, tell: TellDamage
) -> list[RecordBatch]:
    """Poll; where what comes next cannot be read, return nothing and have `reader` go on behind it.

    Where damage ends nowhere, the partition is passed over to its end.
    """
    try:
        return reader.poll(max_records, timeout_seconds)
    except RecordsDamagedError as damage:
        tell(damage)
        end = damage.next_offset
        if end is None:
            end = log.end_offsets(damage.topic)[damage.partition]
        reader.seek(damage.partition, end)
        return []


def read_range(
    log: Log,
    topic: str,
    partition: int,
    start: int,
    stop: int,
    tell: TellDamage = say_damage,
) -> Iterator[RecordBatch]:
    """Yield the records of `partition` with offsets ``start : stop``, in batches.

    What cannot be read is passed over, and told.

    Raises
    ------
    LogUnavailableError
        The log has ended `stop`, yet gives nothing.
    OffsetExpiredError
        `start` fell off the topic's retention.
    """
    if start >= stop:
        return
    reader = log.reader(topic, partitions=[partition])
    try:
        reader.seek(partition, start)
        empty = 0
        while reader.position(partition) < stop:
            batches = poll_past_damage(log, reader, _POLL_RECORDS, _POLL_SECONDS, tell)
            if not batches and reader.position(partition) < stop:
                if stop > log.end_offsets(topic)[partition]:
                    return
                empty += 1
                if empty >= _EMPTY_POLLS:
                    raise LogUnavailableError(
                        f"{topic}[{partition}]: nothing comes from offset "
                        f"{reader.position(partition)} on, though the log goes to {stop}"
                    )
            for batch in batches:
                empty = 0
                cut = int(np.searchsorted(batch.offsets, stop))
                if cut == len(batch):
                    yield batch
                elif cut:
                    yield head(batch, cut)
    finally:
        reader.close()


def head(batch: RecordBatch, count: int) -> RecordBatch:
    """Return the first `count` records of `batch`."""
    return replace(
        batch,
        offsets=batch.offsets[:count],
        append_times=batch.append_times[:count],
        keys=batch.keys[:count],
        values=batch.values[:count],
        headers=batch.headers[:count],
    )

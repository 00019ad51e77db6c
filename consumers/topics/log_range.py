"""A known stretch of a partition, read to its end."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from stream.errors import LogUnavailableError
from stream.log.interface import Log, RecordBatch

_POLL_RECORDS: Final = 10_000
_POLL_SECONDS: Final = 1.0
_EMPTY_POLLS: Final = 30


def read_range(
    log: Log, topic: str, partition: int, start: int, stop: int
) -> Iterator[RecordBatch]:
    """Yield the records of `partition` with offsets ``start : stop``, in batches.

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
            batches = reader.poll(_POLL_RECORDS, _POLL_SECONDS)
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

"""A look-up of the newest record of a key, by reading its partition from the start."""

from consumers.topics.log_range import read_range
from stream.log.interface import Log
from stream.log.partitioner import partition_of


def newest_record(log: Log, topic: str, key: bytes) -> tuple[int, bytes | None] | None:
    """Return the offset and value of the newest record of `key`; None where there is none.

    The value is None where the newest record is a tombstone. Keys are found by the usual
    partitioner, so records that were sent to a partition by hand are found only if it agrees.

    Raises
    ------
    UnknownTopicError
        The topic does not exist yet.
    """
    ends = log.end_offsets(topic)
    partition = partition_of(key, len(ends))
    found: tuple[int, bytes | None] | None = None
    start = log.start_offsets(topic)[partition]
    for batch in read_range(log, topic, partition, start, ends[partition]):
        for offset, other, value in zip(
            batch.offsets.tolist(), batch.keys, batch.values, strict=True
        ):
            if other == key:
                found = (offset, value)
    return found

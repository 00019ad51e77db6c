"""Which partition a key belongs to: the same answer as Kafka's default partitioner."""

from kafka.partitioner.default import murmur2


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of `key`, as the Java producer would choose it.

    Parameters
    ----------
    key
        The record's key.
    partitions
        How many partitions the topic has.

    Examples
    --------
    >>> partition_of(b"user-1", 1)
    0
    """
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)

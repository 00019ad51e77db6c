"""Sending one append with a kafka-python producer, in bounded time."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from kafka import KafkaProducer

from stream.clock import Clock
from stream.log.interface import Outgoing
from stream.log.kafka.cluster.failures import is_too_large

_OVERHEAD_BYTES: Final = 100  # of a batch's header and of a record without anything in it
_HEADER_OVERHEAD_BYTES: Final = 10  # two lengths


def send(producer: KafkaProducer, topic: str, placed: Iterable[tuple[Outgoing, int]]) -> list[Any]:
    """Hand records to the producer's network thread and return their futures.

    Raises
    ------
    KafkaError
        The producer takes none; what it had taken before may be written.
    """
    return [
        producer.send(
            topic,
            (record.value,),
            (record.key,),
            list(record.headers),
            partition,
        )
        for record, partition in placed
    ]


def offsets(futures: Sequence[Any], clock: Clock, timeout_seconds: float) -> list[int]:
    """Wait for the acknowledgements and return the offsets.

    Raises
    ------
    KafkaError
        Why a record was not acknowledged.
    """
    deadline = clock.monotonic() + timeout_seconds
    return [
        int(future.get(timeout=max(0.001, deadline - clock.monotonic())).offset)
        for future in futures
    ]


def too_large(futures: Sequence[Any]) -> int | None:
    """Return which record of a partition was refused because of its size, if one was.

    It is the first one: kafka-python then gives the others up with the same error.
    """
    refused = (row for row, future in enumerate(futures) if is_too_large(future.exception))
    return next(refused, None)


def record_bytes(record: Outgoing) -> int:
    """Return the most bytes that a batch of this record alone has, uncompressed."""
    size = _OVERHEAD_BYTES + len(record.key or b"") + len(record.value or b"")
    for name, value in record.headers:
        size += _HEADER_OVERHEAD_BYTES + len(name.encode()) + len(value)
    return size

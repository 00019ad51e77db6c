"""Producers whose thread ends although the brokers are away.

Wrong: where the brokers are away, `KafkaProducer.close` gives up before its network thread ends.
Issue: https://github.com/dpkp/kafka-python/pull/3108 shortens that, and leaves such threads.
Probe: `fits`; elsewhere the thread ends when the brokers are back.
Until: `close(timeout)` leaves no thread.
"""

from contextlib import suppress
from typing import Any, Final

from kafka import KafkaProducer

from stream.log.kafka.cluster.library import has_all

_CLOSE_SECONDS: Final = 1.0


def discard(producer: KafkaProducer) -> None:
    """Close the producer without waiting for what it has not sent."""
    with suppress(Exception):  # it is going away, whatever it says
        producer.close(timeout=_CLOSE_SECONDS)
    if fits(producer):
        sender: Any = producer._sender  # noqa: SLF001 - no public way
        if sender.is_alive():
            with suppress(Exception):
                sender.force_close()


def fits(producer: KafkaProducer) -> bool:
    """Return whether the thread can be told to end."""
    return has_all(getattr(producer, "_sender", None), "is_alive", "force_close")

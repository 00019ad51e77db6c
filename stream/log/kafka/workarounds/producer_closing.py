"""Producers whose thread ends although the brokers are away.

Wrong: where the brokers are away, `KafkaProducer.close` raises a timeout before it has ended its
    network thread.
Issue: not reported.
Probe: `fits`; elsewhere the thread ends when the brokers are back.
Until: `close(timeout)` leaves no thread.
"""

from contextlib import suppress
from typing import Any, Final

from kafka import KafkaProducer

from stream.log.kafka.cluster.library import has_all, warn_unfit

_CLOSE_SECONDS: Final = 1.0


def discard(producer: KafkaProducer) -> None:
    """Close the producer without waiting for what it has not sent."""
    with suppress(Exception):  # it is going away, whatever it says
        producer.close(timeout=_CLOSE_SECONDS)
    if not fits(producer):
        warn_unfit("producer_closing", "threads of producers may outlive an outage")
        return
    sender: Any = producer._sender  # noqa: SLF001 - no public way
    if sender.is_alive():
        with suppress(Exception):
            sender.force_close()


def fits(producer: KafkaProducer) -> bool:
    """Return whether the thread can be told to end."""
    return has_all(getattr(producer, "_sender", None), "is_alive", "force_close")

"""Sending one append with a kafka-python producer, in bounded time."""

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from kafka import KafkaProducer, Serializer
from kafka.errors import IllegalStateError, KafkaError, KafkaTimeoutError

from stream.clock import Clock
from stream.log.interface import Outgoing

_CLOSE_SECONDS: Final = 1.0


class Boxed(Serializer):  # type: ignore[misc] # kafka-python is untyped
    """Takes keys and values in 1-tuples: kafka-python refuses a record that lacks both."""

    def serialize(self, topic: str, headers: object, data: tuple[bytes | None]) -> bytes | None:  # noqa: ARG002 - the library's signature
        """Return what is in the box."""
        return data[0]


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


def discard(producer: KafkaProducer) -> None:
    """Close the producer without waiting for what it has not sent."""
    with suppress(Exception):  # it is going away, whatever it says
        producer.close(timeout=_CLOSE_SECONDS)
    # Where the brokers are away, close gives up before it has stopped the network thread.
    sender = getattr(producer, "_sender", None)
    if sender is not None and sender.is_alive():
        with suppress(Exception):
            sender.force_close()


class Bounded:
    """Runs kafka-python's calls that wait without a bound; one at a time.

    A call that is late goes on in its thread, and the next one waits for it first: a transaction
    that is being committed can neither be given up nor followed by another one.
    """

    def __init__(self) -> None:
        self._late: threading.Thread | None = None

    def run(self, call: Callable[[], None], timeout_seconds: float) -> None:
        """Run `call` and raise what it raises.

        Raises
        ------
        KafkaTimeoutError
            It, or a call before it, has not ended.
        """
        self.settle(timeout_seconds)
        raised: list[Exception] = []

        def target() -> None:
            try:
                call()
            except Exception as error:  # noqa: BLE001 - raised again below
                raised.append(error)

        thread = threading.Thread(target=target, name="kafka-transaction", daemon=True)
        thread.start()
        thread.join(timeout_seconds)
        if thread.is_alive():
            self._late = thread
            raise KafkaTimeoutError("the transaction has not ended")
        if raised:
            raise raised[0]

    def settle(self, timeout_seconds: float) -> None:
        """Wait for a call that was late."""
        if self._late is not None:
            self._late.join(timeout_seconds)
            if self._late.is_alive():
                raise KafkaTimeoutError("the transaction before has not ended")
            self._late = None


def begin(producer: KafkaProducer, bounded: Bounded, timeout_seconds: float) -> None:
    """Begin a transaction, after aborting one that had failed."""
    try:
        producer.begin_transaction()
    except KafkaError as error:
        if is_fenced(error):
            raise
        with suppress(IllegalStateError):
            bounded.run(producer.abort_transaction, timeout_seconds)
        producer.begin_transaction()


def is_fenced(error: BaseException) -> bool:
    """Return whether `error`, or what it reports, says that another producer took over."""
    # kafka-python repeats the first error inside the later ones' texts only.
    names = ("ProducerFencedError", "InvalidProducerEpochError", "TransactionCoordinatorFenced")
    text = f"{type(error).__name__} {error} {error.args}"
    return any(name in text for name in names)

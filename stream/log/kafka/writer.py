"""Appends to a Kafka topic: idempotently, or fenced and in transactions."""

from collections.abc import Callable, Sequence
from typing import Final

from kafka import KafkaProducer
from kafka.errors import KafkaError

from stream.clock import Clock
from stream.errors import FencedError, LogError
from stream.log.interface import Outgoing
from stream.log.kafka.failures import log_error
from stream.log.kafka.figures import KafkaFigures
from stream.log.kafka.producing import Bounded, begin, discard, is_fenced, offsets, send
from stream.log.kafka.transactions import repeat_unanswered_requests
from stream.log.placement import Placement

OpenProducer = Callable[[], KafkaProducer]


class KafkaWriter:
    """A `Writer` without a fence: acknowledged by all replicas in sync, each record once.

    After trouble the client is given up with what it had not sent, so that no record of a failed
    append overtakes a later one; what was under way may still arrive.

    Parameters
    ----------
    topic
        Its name.
    placement
        Chooses partitions.
    open_producer
        Opens a client.
    clock
        Times what waits.
    timeout_seconds
        The bound of an append.
    figures
        Counts trouble.
    """

    def __init__(
        self,
        topic: str,
        placement: Placement,
        open_producer: OpenProducer,
        clock: Clock,
        timeout_seconds: float,
        figures: KafkaFigures,
    ) -> None:
        self._topic = topic
        self._placement = placement
        self._open_producer = open_producer
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._figures = figures
        self._producer: KafkaProducer | None = None
        self.closed = False
        """Whether `close` was called."""

    def append(self, records: Sequence[Outgoing]) -> list[tuple[int, int]]:
        """Append all of `records` and return each one's (partition, offset)."""
        if self.closed:
            raise LogError(f"this writer to {self._topic} was closed")
        if not records:
            return []
        partitions = self._placement.partitions(records)
        try:
            if self._producer is None:
                self._producer = self._open_producer()
            placed = zip(records, partitions, strict=True)
            futures = send(self._producer, self._topic, placed)
            self._producer.flush(self._timeout_seconds)
            acknowledged = offsets(futures, self._clock, self._timeout_seconds)
        except (KafkaError, OSError) as error:
            self._give_up()
            raise log_error(error, f"append to {self._topic}") from error
        return list(zip(partitions, acknowledged, strict=True))

    def close(self) -> None:
        """Refuse further appends."""
        self.closed = True
        if self._producer is not None:
            discard(self._producer)
            self._producer = None

    def _give_up(self) -> None:
        self._figures.count("reconnects")
        if self._producer is not None:
            discard(self._producer)
            self._producer = None


class FencedKafkaWriter:
    """A `Writer` with a fence: each append is a transaction of one transactional id.

    It locks out every earlier writer of its name when it opens. It never opens again by itself,
    for that would lock out a later one.

    Parameters
    ----------
    topic
        Its name.
    placement
        Chooses partitions.
    open_producer
        Opens a client with the transactional id.
    clock
        Times what waits.
    timeout_seconds
        The bound of an append, but for trouble that is being cleared up.
    """

    def __init__(
        self,
        topic: str,
        placement: Placement,
        open_producer: OpenProducer,
        clock: Clock,
        timeout_seconds: float,
    ) -> None:
        self._topic = topic
        self._placement = placement
        self._clock = clock
        self._timeout_seconds: Final = timeout_seconds
        self._bounded = Bounded()
        self._fenced = False
        self.closed = False
        """Whether `close` was called."""
        repeat_unanswered_requests()
        self._producer = open_producer()
        try:
            self._producer.init_transactions()
        except (KafkaError, OSError) as error:
            discard(self._producer)
            raise log_error(error, f"open a writer to {topic}") from error

    def append(self, records: Sequence[Outgoing]) -> list[tuple[int, int]]:
        """Append all of `records`, or none of them, and return each one's (partition, offset)."""
        if self.closed:
            raise LogError(f"this writer to {self._topic} was closed")
        if self._fenced:
            raise self._fenced_error()
        if not records:
            return []
        partitions = self._placement.partitions(records)
        try:
            self._bounded.settle(self._timeout_seconds)
            begin(self._producer, self._bounded, self._timeout_seconds)
            placed = zip(records, partitions, strict=True)
            futures = send(self._producer, self._topic, placed)
            self._bounded.run(self._producer.commit_transaction, self._timeout_seconds)
            acknowledged = offsets(futures, self._clock, self._timeout_seconds)
        except (KafkaError, OSError) as error:
            if is_fenced(error):
                self._fenced = True
                raise self._fenced_error() from error
            raise log_error(error, f"append to {self._topic}") from error
        return list(zip(partitions, acknowledged, strict=True))

    def close(self) -> None:
        """Refuse further appends."""
        if not self.closed:
            self.closed = True
            discard(self._producer)

    def _fenced_error(self) -> FencedError:
        return FencedError(
            f"append to {self._topic}: another writer of the same name was opened later, this "
            "one must stop"
        )

"""Appends to a Kafka topic: idempotently, or fenced and in transactions."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from kafka import KafkaProducer
from kafka.errors import KafkaError, UnknownError

from stream.clock import Clock
from stream.errors import FencedError, LogError, RecordTooLargeError
from stream.log.interface import Outgoing
from stream.log.kafka.cluster.failures import is_passing, log_error
from stream.log.kafka.cluster.trouble_counts import KafkaFigures
from stream.log.kafka.workarounds.producer_closing import discard
from stream.log.kafka.workarounds.transactions import NOBODY, commit, open_transactions
from stream.log.kafka.writing.producing import offsets, record_bytes, send, too_large
from stream.log.placement import Placement

Placed = Sequence[tuple[Outgoing, int]]
"""Records, each with its partition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """The topic that a writer appends to.

    Parameters
    ----------
    topic
        Its name.
    placement
        Chooses partitions.
    largest_bytes
        The largest record, uncompressed and by itself, that is sent at all.
    open_producer
        Opens a client; of a writer with a fence, one with the transactional id.
    timeout_seconds
        The bound of each thing that an append waits for.
    """

    topic: str
    placement: Placement
    largest_bytes: int
    open_producer: Callable[[], KafkaProducer]
    timeout_seconds: float


class KafkaWriter:
    """A `Writer` without a fence: acknowledged by all replicas in sync, each record once.

    After trouble the client is given up with what it had not sent, so that no record of a failed
    append overtakes a later one; what was under way may still arrive.

    Parameters
    ----------
    destination
        Where to append.
    clock
        Times what waits.
    figures
        Counts trouble.
    """

    def __init__(self, destination: Destination, clock: Clock, figures: KafkaFigures) -> None:
        self._destination = destination
        self._clock = clock
        self._figures = figures
        self._producer: KafkaProducer | None = None
        self.closed = False
        """Whether `close` was called."""

    def append(self, records: Sequence[Outgoing]) -> list[tuple[int, int]]:
        """Append all of `records` and return each one's (partition, offset)."""
        if self.closed:
            raise LogError(f"this writer to {self._destination.topic} was closed")
        if not records:
            return []
        partitions = self._destination.placement.partitions(records)
        self._check_sizes(records)
        try:
            acknowledged = self._append(list(zip(records, partitions, strict=True)))
        except (KafkaError, OSError) as error:
            self._give_up()
            raise log_error(
                error, f"append to {self._destination.topic}", self._figures.brokers
            ) from error
        return list(zip(partitions, acknowledged, strict=True))

    def close(self) -> None:
        """Refuse further appends."""
        self.closed = True
        self._discard()

    def _check_sizes(self, records: Sequence[Outgoing]) -> None:
        limit = self._destination.largest_bytes
        rows = [row for row, record in enumerate(records) if record_bytes(record) > limit]
        if rows:
            raise RecordTooLargeError(self._destination.topic, rows, limit)

    def _append(self, placed: Placed) -> list[int]:
        return self._send(self._client(), placed)

    def _client(self) -> KafkaProducer:
        """Return the producer, a new one where the last one was given up."""
        if self._producer is None:
            self._producer = self._destination.open_producer()
        return self._producer

    def _send(self, producer: KafkaProducer, placed: Placed) -> list[int]:
        """Return the offsets, once all is acknowledged."""
        futures = send(producer, self._destination.topic, placed)
        # What is raised of a batch that was split meanwhile is said of its parts too.
        with suppress(UnknownError):
            producer.flush(self._destination.timeout_seconds)
        try:
            return offsets(futures, self._clock, self._destination.timeout_seconds)
        except KafkaError as error:
            row = too_large(futures)
            if row is None:
                raise
            self._give_up()
            raise RecordTooLargeError(self._destination.topic, [row], None) from error

    def _give_up(self) -> None:
        self._figures.count("reconnects")
        self._discard()

    def _discard(self) -> None:
        if self._producer is not None:
            discard(self._producer)
            self._producer = None


class FencedKafkaWriter(KafkaWriter):
    """A `Writer` with a fence: each append is a transaction of one transactional id.

    It locks out every earlier writer of its name when it opens, and never a later one: after
    trouble its next client takes up where the last one was, if nobody else has.

    Parameters
    ----------
    destination, clock, figures
        As `KafkaWriter` takes them.
    """

    def __init__(self, destination: Destination, clock: Clock, figures: KafkaFigures) -> None:
        super().__init__(destination, clock, figures)
        self._identity = NOBODY
        self._refusal: FencedError | None = None
        try:
            self._client()
        except (KafkaError, OSError) as error:
            self._discard()
            doing = f"open a writer to {destination.topic}"
            raise log_error(error, doing, figures.brokers) from error

    def append(self, records: Sequence[Outgoing]) -> list[tuple[int, int]]:
        """Append all of `records`, or none of them, and return each one's (partition, offset)."""
        if self._refusal is not None:
            raise FencedError(*self._refusal.args)
        try:
            return super().append(records)
        except FencedError as error:
            self._refusal = error
            raise

    def _append(self, placed: Placed) -> list[int]:
        producer = self._client()
        try:
            return self._transact(producer, placed)
        except KafkaError as error:
            if is_passing(error):
                raise
        # Perhaps only this producer is done for: one that takes its place finds out.
        self._give_up()
        return self._transact(self._client(), placed)

    def _transact(self, producer: KafkaProducer, placed: Placed) -> list[int]:
        producer.begin_transaction()
        acknowledged = self._send(producer, placed)
        commit(producer, self._destination.timeout_seconds)
        return acknowledged

    def _client(self) -> KafkaProducer:
        if self._producer is None:
            producer = super()._client()
            self._identity = open_transactions(
                producer, self._identity, self._destination.timeout_seconds
            )
        return self._producer

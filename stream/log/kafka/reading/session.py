"""A reader's connection to the cluster: a kafka-python consumer that can be replaced."""

import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import (
    CorruptRecordError,
    KafkaError,
    LogTruncationError,
    UnknownTopicIdError,
    UnsupportedCodecError,
)

from stream.clock import Clock
from stream.errors import LogError
from stream.log.interface import RecordBatch
from stream.log.kafka.cluster.admin import KafkaAdmin
from stream.log.kafka.cluster.failures import kafka_errors, log_error
from stream.log.kafka.cluster.trouble_counts import KafkaFigures
from stream.log.kafka.decoding.plain_records import record_columns
from stream.log.kafka.decoding.record_columns import columns_batch
from stream.log.kafka.reading.rebalance import Change, RebalanceInterrupt, RebalanceQueue
from stream.log.kafka.workarounds.begun_joins import end_joins
from stream.log.kafka.workarounds.damage_place import plain_damage
from stream.log.kafka.workarounds.fast_fetch import install
from stream.log.kafka.workarounds.fenced_members import MembershipWatch, heartbeat_age_seconds
from stream.log.kafka.workarounds.static_leaders import watch_topics
from stream.log.kafka.workarounds.topic_pin import TopicPin, pin_topic
from stream.log.kafka.workarounds.unpolled_joins import hold_joins

# What kafka-python's own unpacking raises beside its own errors.
_BROKEN_BYTES: Final = (
    ArithmeticError,
    EOFError,
    LookupError,
    RuntimeError,
    ValueError,
    struct.error,
)
_CLOSE_SECONDS: Final = 2.0
_SAVE_SECONDS: Final = 5.0  # kafka-python asks again and again where the topic is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The topic that a reader reads, and the cluster's answers about it.

    Parameters
    ----------
    topic
        Its name.
    topic_id
        What tells it from others of that name; None: nothing does.
    compacted
        Whether a position may lie before the start without a loss.
    group
        Whose saved positions to begin from; None: the start.
    admin
        Answers questions about offsets.
    open_consumer
        Opens a client that is assigned nothing.
    timeout_seconds
        The bound of what waits for the cluster, but for `poll`.
    session_timeout_seconds
        After which a silent member is no member any more.
    """

    topic: str
    topic_id: str | None
    compacted: bool
    group: str | None
    admin: KafkaAdmin
    open_consumer: Callable[[], KafkaConsumer]
    timeout_seconds: float
    session_timeout_seconds: float


class ConsumerSession:
    """Fetches, seeks and saves, by partition number, until the client must be replaced.

    Parameters
    ----------
    source
        What to read.
    positions
        Where to begin; None: as a member of the group, where `changes` says what it got.
    clock
        Times what waits.
    figures
        Counts trouble.
    """

    def __init__(
        self,
        source: Source,
        positions: Mapping[int, int] | None,
        clock: Clock,
        figures: KafkaFigures,
    ) -> None:
        self._source = source
        self._clock = clock
        self._figures = figures
        self.member: Final = positions is None
        self._queue = RebalanceQueue()
        self._by_batch = False
        self._pin: TopicPin | None = None
        self._membership = MembershipWatch(
            source.topic,
            lambda: source.admin.members(str(source.group)),
            source.session_timeout_seconds,
            clock,
        )
        self._consumer: KafkaConsumer = self._open(positions or {}, ())

    @property
    def change(self) -> Change | None:
        """The oldest change of the assignment that is not yet done with."""
        return self._queue.changes[0] if self._queue.changes else None

    def change_done(self) -> None:
        """Go on to the next change."""
        self._queue.changes.popleft()

    def fetch(self, max_records: int, wait_seconds: float) -> list[RecordBatch]:
        """Return what is there, or nothing after `wait_seconds` or where the assignment changes.

        Raises
        ------
        OffsetOutOfRangeError, NoOffsetForPartitionError
            Of kafka-python: its position is none.
        UnknownTopicIdError
            Of kafka-python: the topic is no more, whatever has its name now.
        RecordsDamagedError
            What was fetched cannot be read; the next call fetches it again.
        """
        try:
            records: Mapping[Any, Sequence[Any]] = self._consumer.poll(
                timeout_ms=1000 * wait_seconds, max_records=max_records
            )
            batches = [
                columns_batch(
                    place.topic, place.partition, some if self._by_batch else [record_columns(some)]
                )
                for place, some in records.items()
            ]
        except KafkaError as error:
            if isinstance(error.__cause__, RebalanceInterrupt):
                return []
            if not self._by_batch and isinstance(error, CorruptRecordError | UnsupportedCodecError):
                raise plain_damage(self._consumer, self._source.topic, error) from error
            raise
        except _BROKEN_BYTES as error:
            if self._by_batch:
                raise
            raise plain_damage(self._consumer, self._source.topic, error) from error
        self._refuse_other_topic(batches)
        return batches

    def _refuse_other_topic(self, batches: Sequence[RecordBatch]) -> None:
        """Refuse what may have come from another topic of the same name, and say so.

        Where fetches name the topic's id the brokers see to it. Else, who finds the id unchanged
        after a fetch knows whom the fetch was answered by: an id never comes back.
        """
        wanted, pin = self._source.topic_id, self._pin
        if wanted is None:
            return
        if batches and (pin is None or pin.by_name):
            refused = self._source.admin.topic_id(self._source.topic) != wanted
        else:
            refused = pin is not None and pin.take_refusal() and not batches
        if refused:
            raise UnknownTopicIdError

    @property
    def survives_damage(self) -> bool:
        """Whether the client can be used on after `fetch` has met damaged records."""
        return self._by_batch

    def failure(self, error: Exception) -> LogError:
        """Return what an error of `fetch` means."""
        self._figures.count("fetch_errors")
        topic = self._source.topic
        if isinstance(error, LogTruncationError):
            return LogError(
                f"{topic}: the log was cut back behind what was read already ({error}); records "
                "were lost with a broker. State may know clicks that the log no longer has: keep "
                "it. If a replica that has them can be brought back, do that first"
            )
        return log_error(error, f"read {topic}", self._figures.brokers)

    def seek(self, positions: Mapping[int, int]) -> None:
        """Fetch from `positions` next; those that a new client has not joined for are passed over.

        Such are lost already, which the next poll tells.
        """
        for place in self._assigned(positions):
            self._consumer.seek(place, positions[place.partition])

    def position(self, partition: int) -> int | None:
        """Return the offset that is fetched next, where it is known."""
        with suppress(KafkaError):  # found by the next fetch, where it is handled
            position = self._consumer.position(self._place(partition), timeout_ms=0)
            return None if position is None else int(position)
        return None

    def pause(self, partitions: Collection[int]) -> None:
        """Fetch nothing of `partitions`."""
        self._consumer.pause(*self._assigned(partitions))

    def resume(self, partitions: Collection[int]) -> None:
        """Undo `pause`."""
        self._consumer.resume(*self._assigned(partitions))

    def _assigned(self, partitions: Collection[int]) -> list[TopicPartition]:
        assigned = self._consumer.assignment()
        return [place for place in map(self._place, partitions) if place in assigned]

    def save(self, positions: Mapping[int, int]) -> None:
        """Commit `positions` as a member of the group.

        Raises
        ------
        FencedError
            Another process took over this static member.
        LogUnavailableError
            This process's share has changed meanwhile: poll, then save what is still owned.
        """
        offsets = {
            self._place(partition): OffsetAndMetadata(offset, "", -1)
            for partition, offset in positions.items()
        }
        doing = f"save the positions of group {self._source.group}"
        patience = min(_SAVE_SECONDS, self._source.timeout_seconds)
        with kafka_errors(doing, self._figures.brokers):
            self._consumer.commit(offsets, timeout_ms=1000 * patience)

    def heartbeat_age_seconds(self) -> float | None:
        """Return how long ago the coordinator last answered or was found; None: no member."""
        return heartbeat_age_seconds(self._consumer, self._clock) if self.member else None

    def check_membership(self, positions: Mapping[int, int]) -> None:
        """Join again where the group goes on without this member.

        Raises
        ------
        FencedError
            Another process has taken over.
        LogUnavailableError
            The cluster cannot be asked.
        """
        if self.member and self._membership.has_left(self._consumer):
            self.replace(positions)

    def replace(self, positions: Mapping[int, int], paused: Collection[int] = ()) -> None:
        """Start over with a new client; a member loses its partitions and joins again."""
        self.close()
        self._figures.count("reconnects")
        self._queue = RebalanceQueue()
        if self.member and positions:
            self._queue.changes.append(Change("lost", tuple(sorted(positions))))
        self._consumer = self._open(positions, paused)

    def close(self) -> None:
        """Leave the group, if any, and let go of the connections."""
        self._queue.close()
        with suppress(Exception):  # it is going away, whatever it says
            self._consumer.close(autocommit=False, timeout_ms=1000 * _CLOSE_SECONDS)

    def _open(self, positions: Mapping[int, int], paused: Collection[int]) -> KafkaConsumer:
        with kafka_errors(f"read {self._source.topic}", self._figures.brokers):
            consumer = self._source.open_consumer()
            if self.member:
                hold_joins(consumer)
                end_joins(consumer)
                watch_topics(consumer)
                consumer.subscribe([self._source.topic], listener=self._queue)
            else:
                consumer.assign([self._place(partition) for partition in positions])
                for partition, position in positions.items():
                    consumer.seek(self._place(partition), position)
                consumer.pause(*map(self._place, paused))
        self._by_batch = install(consumer, self._figures.fell_back)
        if not self._by_batch:
            self._figures.fell_back()
        if self._source.topic_id is not None:
            self._pin = pin_topic(consumer, self._source.topic, self._source.topic_id)
        return consumer

    def _place(self, partition: int) -> TopicPartition:
        return TopicPartition(self._source.topic, partition)

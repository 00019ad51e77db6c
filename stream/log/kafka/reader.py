"""Reads a Kafka topic's partitions, by assignment or as a member of a group."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import (
    CorruptRecordError,
    KafkaError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from stream.clock import Clock
from stream.errors import LogCorruptError, LogError, LogUnavailableError, OffsetExpiredError
from stream.log.interface import RebalanceListener, RecordBatch
from stream.log.kafka.admin import KafkaAdmin
from stream.log.kafka.failures import kafka_errors, log_error
from stream.log.kafka.fast_fetch import fetched_batch, install
from stream.log.kafka.fetch_buffer import FetchBuffer
from stream.log.kafka.figures import KafkaFigures
from stream.log.kafka.plain_records import record_batch
from stream.log.kafka.rebalance import Change, RebalanceInterrupt, RebalanceQueue
from stream.log.kafka.record_batches import BatchRefusedError
from stream.log.kafka.watch import SilenceWatch

_BUFFERED_RECORDS: Final = 5_000  # at least; so much of one partition before the next one's turn
_LONGEST_WAIT_SECONDS: Final = 1.0  # between two looks at partitions that wait past their end
_SHORTEST_WAIT_SECONDS: Final = 0.05
_CORRUPT_READS: Final = 3  # a checksum that fails so often is wrong on the disk, not on the wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The topic that a reader reads, and the cluster's answers about it.

    Parameters
    ----------
    topic
        Its name.
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
    """

    topic: str
    compacted: bool
    group: str | None
    admin: KafkaAdmin
    open_consumer: Callable[[], KafkaConsumer]
    timeout_seconds: float


class KafkaReader:
    """A `Reader` of a Kafka topic.

    Positions are kept here; kafka-python's own run ahead of them by what `FetchBuffer` holds.

    Parameters
    ----------
    source
        What to read.
    partitions
        Exactly these; None: this member's share of the group.
    clock
        Times what waits.
    figures
        Counts trouble.
    listener
        Told of changes.
    """

    def __init__(
        self,
        source: Source,
        partitions: Sequence[int] | None,
        clock: Clock,
        figures: KafkaFigures,
        listener: RebalanceListener | None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._figures = figures
        self._listener = listener
        self._member = partitions is None
        self._positions: dict[int, int] = {}
        self._buffer = FetchBuffer()
        self._paused: set[int] = set()
        self._waiting: set[int] = set()  # positions past the end
        self._rebalance = RebalanceQueue()
        self._corrupt_reads = 0
        self._closed = False
        self._watch = SilenceWatch(clock)
        if partitions is not None:
            self._positions = self._first_positions(partitions)
            self._rebalance.changes.append(Change("assigned", tuple(sorted(partitions))))
        self._batch: Callable[[str, int, Sequence[Any]], RecordBatch] = record_batch
        self._consumer: KafkaConsumer = self._open()

    @property
    def assignment(self) -> tuple[int, ...]:
        """The partitions that this reader reads."""
        return tuple(sorted(self._positions))

    @property
    def group(self) -> str | None:
        """The group of which this reader is a member."""
        return self._source.group if self._member and not self._closed else None

    @property
    def topic(self) -> str:
        """The topic that is read."""
        return self._source.topic

    def seek(self, partition: int, offset: int) -> None:
        """Read `partition` from `offset` next; past the end waits there."""
        if offset < 0:
            raise ValueError(f"offset {offset} is negative")
        self._check_assigned([partition])
        self._move(partition, offset)

    def position(self, partition: int) -> int:
        """Return the offset that is read next."""
        self._check_assigned([partition])
        return self._positions[partition]

    def pause(self, partitions: Sequence[int]) -> None:
        """Keep polling alive but return nothing of `partitions` until `resume`."""
        self._check_assigned(partitions)
        self._paused.update(partitions)
        self._consumer.pause(*map(self._place, partitions))

    def resume(self, partitions: Sequence[int]) -> None:
        """Undo `pause`."""
        self._check_assigned(partitions)
        self._paused.difference_update(partitions)
        self._consumer.resume(*[self._place(p) for p in partitions if p not in self._waiting])

    def poll(self, max_records: int, timeout_seconds: float) -> list[RecordBatch]:
        """Return what is there, at most `max_records`, at most one batch per partition."""
        if self._closed:
            raise LogError(f"this reader of {self._source.topic} was closed")
        deadline = self._clock.monotonic() + timeout_seconds
        while True:
            self._handle_changes()
            self._end_waits()
            left = max(0.0, deadline - self._clock.monotonic())
            self._fetch(max_records, left)
            batches = self._buffer.take(max_records, self._paused)
            for batch in batches:
                self._positions[batch.partition] = batch.next_offset
            if batches:
                self._watch.heard()
                return batches
            self._follow_gaps()
            if self._clock.monotonic() >= deadline and not self._rebalance.changes:
                self._probe()
                return []

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
        with kafka_errors(f"save the positions of group {self._source.group}"):
            self._consumer.commit(offsets, timeout_ms=1000 * self._source.timeout_seconds)

    def heartbeat_age_seconds(self) -> float | None:
        """Return how long ago the group's coordinator last answered; None: no member."""
        # No public way leads there; where the library changes, the figure is missing.
        coordinator = getattr(self._consumer, "_coordinator", None)
        answered = getattr(getattr(coordinator, "heartbeat", None), "last_receive", None)
        if not self._member or answered is None or answered < 0:
            return None
        return max(0.0, self._clock.monotonic() - float(answered))

    def close(self) -> None:
        """Leave the group, if any, and refuse further polls."""
        if not self._closed:
            self._closed = True
            self._drop_consumer()

    # Fetching

    def _fetch(self, max_records: int, left_seconds: float) -> None:
        """Fetch into the buffer; wait only while there is nothing to hand out."""
        buffered = self._buffer.records(without=self._paused)
        room = max(1, max(max_records, _BUFFERED_RECORDS) - buffered)
        wait = 0.0 if buffered else self._wait(left_seconds)
        try:
            for batch in self._polled(room, wait):
                self._buffer.add(batch)
        except (CorruptRecordError, BatchRefusedError) as error:
            self._figures.count("fetch_errors")
            raise self._corrupt(error) from error
        except OffsetOutOfRangeError as error:
            for place, offset in error.args[0].items():
                self._out_of_range(place.partition, offset)
        except NoOffsetForPartitionError:
            self._seek_all()
        except LogTruncationError as error:
            raise LogError(
                f"{self._source.topic}: the log was cut back behind what was read already "
                f"({error}); records were lost with a broker. Rebuild the state from the log."
            ) from error
        except KafkaError as error:
            if isinstance(error.__cause__, RebalanceInterrupt):
                return
            self._figures.count("fetch_errors")
            raise log_error(error, f"read {self._source.topic}") from error
        else:
            self._corrupt_reads = 0

    def _polled(self, max_records: int, wait_seconds: float) -> list[RecordBatch]:
        """Return what the client has, batch by batch or record by record."""
        records: Mapping[Any, Sequence[Any]] = self._consumer.poll(
            timeout_ms=1000 * wait_seconds, max_records=max_records
        )
        return [self._batch(place.topic, place.partition, some) for place, some in records.items()]

    def _wait(self, left_seconds: float) -> float:
        """Return how long one fetch may wait; not long where something else must be looked at."""
        if self._waiting:
            return min(left_seconds, _SHORTEST_WAIT_SECONDS)
        return min(left_seconds, _LONGEST_WAIT_SECONDS)

    def _follow_gaps(self) -> None:
        """Move positions past what holds no records: transaction markers, compaction's gaps."""
        for partition, position in self._positions.items():
            if self._buffer.holds(partition) or partition in self._waiting:
                continue
            with suppress(KafkaError):  # found on the next poll, where it is handled
                theirs = self._consumer.position(self._place(partition), timeout_ms=0)
                if theirs is not None and theirs > position:
                    self._positions[partition] = theirs

    def _probe(self) -> None:
        """After a long silence, find out whether there is nothing or something is wrong."""
        if not self._watch.is_due(self._positions):
            return
        ends = self._source.admin.end_offsets(self._source.topic, self._watch.patience_seconds)
        waiting = self._paused | self._waiting
        behind = {p for p, at in self._positions.items() if at < ends[p] and p not in waiting}
        if self._watch.is_stalled(self._positions, behind):
            self._figures.count("stalls")
            self._replace_consumer()
            raise LogUnavailableError(
                f"{self._source.topic}: nothing comes although the log goes on; connected anew"
            )

    # Positions

    def _first_positions(self, partitions: Sequence[int]) -> dict[int, int]:
        """Return where to begin: what the group saved, else the start."""
        source, saved = self._source, dict[int, int]()
        if source.group is not None:
            saved = source.admin.saved_positions(source.group, source.topic)
        if all(partition in saved for partition in partitions):
            return {p: saved[p] for p in partitions}
        starts = source.admin.start_offsets(source.topic)
        return {p: saved.get(p, starts[p]) for p in partitions}

    def _move(self, partition: int, offset: int) -> None:
        self._buffer.drop([partition])
        self._positions[partition] = offset
        self._consumer.seek(self._place(partition), offset)
        if partition in self._waiting:
            self._wait_past_end(partition, waiting=False)

    def _out_of_range(self, partition: int, offset: int) -> None:
        """Wait past the end, go on behind a compacted gap, or report what expired."""
        if partition not in self._positions or self._buffer.holds(partition):
            return  # found again once what was fetched before is handed out
        start = self._source.admin.start_offsets(self._source.topic)[partition]
        if offset >= start:
            self._wait_past_end(partition, waiting=True)
        elif self._source.compacted:
            self._move(partition, start)
        else:
            raise OffsetExpiredError(self._source.topic, partition, offset, start)

    def _wait_past_end(self, partition: int, *, waiting: bool) -> None:
        if waiting:
            self._waiting.add(partition)
            self._consumer.pause(self._place(partition))
        else:
            self._waiting.discard(partition)
            if partition not in self._paused:
                self._consumer.resume(self._place(partition))
        self._figures.waiting_past_end = len(self._waiting)

    def _end_waits(self) -> None:
        """Go on where the log has reached a position that was past its end."""
        if self._waiting:
            ends = self._source.admin.end_offsets(self._source.topic)
            for partition in [p for p in self._waiting if ends[p] >= self._positions[p]]:
                self._wait_past_end(partition, waiting=False)

    def _seek_all(self) -> None:
        for partition, position in self._positions.items():
            self._consumer.seek(self._place(partition), position)

    # Membership

    def _handle_changes(self) -> None:
        """Pass on what happened to the partitions; what fails is passed on again."""
        changes = self._rebalance.changes
        while changes:
            change = changes[0]
            if change.kind == "assigned":
                self._take_over(change.partitions)
            else:
                self._give_up(change)
            changes.popleft()

    def _take_over(self, partitions: tuple[int, ...]) -> None:
        new = [partition for partition in partitions if partition not in self._positions]
        if new:
            self._positions.update(self._first_positions(new))
            self._seek_all_of(new)
        if self._member:
            self._figures.count("rebalances")
        if self._listener is not None:
            self._listener.assigned(partitions)

    def _seek_all_of(self, partitions: Sequence[int]) -> None:
        for partition in partitions:
            self._consumer.seek(self._place(partition), self._positions[partition])

    def _give_up(self, change: Change) -> None:
        self._buffer.drop(change.partitions)
        if change.kind == "lost":
            self._figures.count("lost_partitions", len(change.partitions))
            self._forget(change.partitions)
        if self._listener is not None:
            tell = self._listener.lost if change.kind == "lost" else self._listener.revoked
            tell(change.partitions)
        self._forget(change.partitions)

    def _forget(self, partitions: Sequence[int]) -> None:
        for partition in partitions:
            self._positions.pop(partition, None)
        self._paused.difference_update(partitions)
        self._waiting.difference_update(partitions)

    # The client

    def _open(self) -> KafkaConsumer:
        with kafka_errors(f"read {self._source.topic}"):
            consumer = self._source.open_consumer()
            if self._member:
                consumer.subscribe([self._source.topic], listener=self._rebalance)
            else:
                consumer.assign([self._place(partition) for partition in self._positions])
                for partition, position in self._positions.items():
                    consumer.seek(self._place(partition), position)
                consumer.pause(*map(self._place, self._paused))
            if install(consumer, self._figures.fell_back):
                self._batch = fetched_batch
            else:
                self._batch = record_batch
                self._figures.fell_back()
            return consumer

    def _drop_consumer(self) -> None:
        self._rebalance.close()
        with suppress(Exception):  # it is going away, whatever it says
            self._consumer.close(autocommit=False, timeout_ms=2000)

    def _replace_consumer(self) -> None:
        """Start over with a new client; a member loses its partitions and joins again."""
        self._drop_consumer()
        self._figures.count("reconnects")
        self._buffer.drop(self.assignment)
        self._waiting.clear()
        self._rebalance = RebalanceQueue()
        if self._member and self._positions:
            self._rebalance.changes.append(Change("lost", self.assignment))
        self._consumer = self._open()

    def _corrupt(self, error: CorruptRecordError | BatchRefusedError) -> LogError:
        """Return what to raise for damage; the client cannot be used on."""
        self._corrupt_reads += 1
        self._replace_consumer()
        if self._corrupt_reads >= _CORRUPT_READS:
            return LogCorruptError(
                f"{error}, {_CORRUPT_READS} times in a row. The record is damaged on the broker's "
                "disk: restore that replica, or seek past the record."
            )
        return LogUnavailableError(f"{error}; fetching it again")

    def _place(self, partition: int) -> TopicPartition:
        return TopicPartition(self._source.topic, partition)

    def _check_assigned(self, partitions: Sequence[int]) -> None:
        for partition in partitions:
            if partition not in self._positions:
                raise ValueError(
                    f"{self._source.topic}[{partition}] is not read here, only partitions "
                    f"{list(self.assignment)}"
                )

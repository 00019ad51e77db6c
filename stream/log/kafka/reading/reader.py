"""Reads a Kafka topic's partitions, by assignment or as a member of a group."""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from kafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from stream.clock import Clock, Periodic
from stream.errors import (
    LogError,
    LogUnavailableError,
    OffsetExpiredError,
    RecordsDamagedError,
    TopicMismatchError,
)
from stream.log.checks import check_assigned, check_offsets
from stream.log.interface import RebalanceListener, RecordBatch
from stream.log.kafka.cluster.trouble_counts import KafkaFigures
from stream.log.kafka.reading.fetch_buffer import FetchBuffer
from stream.log.kafka.reading.rebalance import Change
from stream.log.kafka.reading.session import ConsumerSession, Source
from stream.log.kafka.reading.silence import SilenceWatch

_logger = logging.getLogger(__name__)

_BUFFERED_RECORDS: Final = 5_000  # at least; so much of one partition before the next one's turn
_DAMAGED_READS: Final = 3  # what fails so often is wrong on the disk, not on the wire
_LONGEST_WAIT_SECONDS: Final = 1.0  # between two looks at everything else
_WAIT_PAST_END_SECONDS: Final = 0.05
_GAPS_SECONDS: Final = 0.1  # between two looks for gaps while records come


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
        self._positions: dict[int, int] = {}
        self._buffer = FetchBuffer()
        self._paused: set[int] = set()
        self._waiting: set[int] = set()  # positions past the end
        self._damaged: dict[int, tuple[int, int]] = {}  # where, and how often it was fetched
        self._watch = SilenceWatch(clock, source.timeout_seconds / 3)
        self._gaps = Periodic(clock, _GAPS_SECONDS)
        self._announced = partitions is None
        self.closed = False
        """Whether `close` was called."""
        if partitions is not None:
            self._positions = self._first_positions(partitions)
        self._session = ConsumerSession(
            source, None if partitions is None else self._positions, clock, figures
        )

    @property
    def assignment(self) -> tuple[int, ...]:
        """The partitions that this reader reads."""
        return tuple(sorted(self._positions))

    @property
    def topic_id(self) -> str | None:
        """What tells the topic that is read from others of its name; None: the brokers do not."""
        return self._source.topic_id

    @property
    def group(self) -> str | None:
        """The group of which this reader is a member."""
        return self._source.group if self._session.member and not self.closed else None

    @property
    def topic(self) -> str:
        """The topic that is read."""
        return self._source.topic

    def seek(self, partition: int, offset: int) -> None:
        """Read `partition` from `offset` next; past the end waits there."""
        check_offsets([offset])
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
        self._session.pause(partitions)

    def resume(self, partitions: Sequence[int]) -> None:
        """Undo `pause`."""
        self._check_assigned(partitions)
        self._paused.difference_update(partitions)
        self._session.resume(set(partitions) - self._waiting)

    def poll(self, max_records: int, timeout_seconds: float) -> list[RecordBatch]:
        """Return what is there, at most `max_records`, at most one batch per partition."""
        if self.closed:
            raise LogError(f"this reader of {self._source.topic} was closed")
        deadline = self._clock.monotonic() + timeout_seconds
        while True:
            self._session.check_membership(self._positions)
            self._handle_changes()
            self._end_waits()
            self._fetch(max_records, max(0.0, deadline - self._clock.monotonic()))
            batches = self._buffer.take(max_records, self._paused)
            for batch in batches:
                self._positions[batch.partition] = batch.next_offset
            if not batches or self._gaps.due():
                self._follow_gaps()
            if batches:
                self._watch.heard()
                return batches
            if self._clock.monotonic() >= deadline and self._session.change is None:
                self._probe()
                return []

    def save(self, positions: Mapping[int, int]) -> None:
        """Commit `positions` as a member of the group: see `ConsumerSession.save`."""
        self._session.save(positions)

    def heartbeat_age_seconds(self) -> float | None:
        """Return how long ago the group's coordinator last answered; None: no member."""
        return None if self.closed else self._session.heartbeat_age_seconds()

    def close(self) -> None:
        """Leave the group, if any, and refuse further polls."""
        if not self.closed:
            self.closed = True
            self._session.close()

    def _fetch(self, max_records: int, left_seconds: float) -> None:
        """Fetch into the buffer; wait only while there is nothing to hand out."""
        buffered = self._buffer.records(without=self._paused)
        room = max(1, max(max_records, _BUFFERED_RECORDS) - buffered)
        longest = _WAIT_PAST_END_SECONDS if self._waiting else _LONGEST_WAIT_SECONDS
        try:
            for batch in self._session.fetch(room, 0.0 if buffered else min(left_seconds, longest)):
                self._buffer.add(batch)
        except OffsetOutOfRangeError as error:
            for place, offset in error.args[0].items():
                self._out_of_range(place.partition, offset)
        except NoOffsetForPartitionError:
            self._session.seek(self._positions)
        except RecordsDamagedError as damage:
            if not self._passes(damage):
                raise
        except LogUnavailableError:
            self._start_over()  # records came, but nobody could say of which topic
            raise
        except (KafkaError, OSError) as error:
            meaning = self._session.failure(error)
            self._start_over()
            raise meaning from error

    def _passes(self, damage: RecordsDamagedError) -> bool:
        """Return whether `damage` may still pass, or is to be found again later."""
        if not self._session.survives_damage:
            self._session.replace(self._positions, self._paused)
            self._start_over()
        if damage.partition not in self._positions or self._buffer.holds(damage.partition):
            return True  # found again once what was fetched before it is handed out
        self._figures.count("fetch_errors")
        before, reads = self._damaged.get(damage.partition, (damage.offset, 0))
        reads = reads + 1 if before == damage.offset else 1
        self._damaged[damage.partition] = damage.offset, reads
        if reads >= _DAMAGED_READS:
            return False
        _logger.warning("%s; fetching it again", damage)
        return True

    def _follow_gaps(self) -> None:
        """Move positions past what holds no records: transaction markers, compaction's gaps."""
        self._gaps.restart()
        for partition, position in self._positions.items():
            if not self._buffer.holds(partition) and partition not in self._waiting:
                theirs = self._session.position(partition)
                self._positions[partition] = max(position, theirs or 0)

    def _probe(self) -> None:
        """After a long silence, find out whether there is nothing or something is wrong."""
        if not self._watch.is_due(self._positions):
            return
        ends = self._source.admin.end_offsets(self._source.topic, self._watch.patience_seconds)
        waiting = self._paused | self._waiting
        behind = {p for p, at in self._positions.items() if at < ends[p] and p not in waiting}
        if self._watch.is_stalled(self._positions, behind):
            self._figures.count("stalls")
            self._session.replace(self._positions, self._paused)
            self._start_over()
            raise LogUnavailableError(
                f"{self._source.topic}: nothing comes although the log goes on; connected anew"
            )

    def _start_over(self) -> None:
        """Forget what the client fetched ahead of the positions."""
        self._buffer.drop(self.assignment)
        for partition in list(self._waiting):
            self._wait_past_end(partition, waiting=False)
        if self._session.change is None:
            self._session.seek(self._positions)
            self._session.pause(self._paused)

    def _first_positions(self, partitions: Sequence[int]) -> dict[int, int]:
        """Return where to begin: what the group saved, else the start."""
        source, saved = self._source, dict[int, int]()
        began_with = source.admin.partitions(source.topic)
        if any(partition >= began_with for partition in partitions):
            raise TopicMismatchError(
                f"{source.topic} has {max(partitions) + 1} partitions or more and had {began_with} "
                "when this process began: keys go to other partitions now. State cannot follow "
                "them; docs/kafka.md, 'The number of partitions', says how to go on."
            )
        if source.group is not None:
            saved = source.admin.saved_positions(source.group, source.topic)
        if all(partition in saved for partition in partitions):
            return {p: saved[p] for p in partitions}
        starts = source.admin.start_offsets(source.topic)
        return {p: saved.get(p, starts[p]) for p in partitions}

    def _move(self, partition: int, offset: int) -> None:
        self._buffer.drop([partition])
        self._positions[partition] = offset
        self._session.seek({partition: offset})
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
            self._session.pause([partition])
        else:
            self._waiting.discard(partition)
            if partition not in self._paused:
                self._session.resume([partition])
        self._figures.waiting_past_end = len(self._waiting)

    def _end_waits(self) -> None:
        """Go on where the log has reached a position that was past its end."""
        if self._waiting:
            ends = self._source.admin.end_offsets(self._source.topic)
            for partition in [p for p in self._waiting if ends[p] >= self._positions[p]]:
                self._wait_past_end(partition, waiting=False)

    def _handle_changes(self) -> None:
        """Pass on what happened to the partitions; what fails is passed on again."""
        if not self._announced:
            if self._listener is not None:
                self._listener.assigned(self.assignment)
            self._announced = True
        while (change := self._session.change) is not None:
            if change.kind == "assigned":
                self._take_over(change.partitions)
            else:
                self._give_up(change)
            self._session.change_done()

    def _take_over(self, partitions: Sequence[int]) -> None:
        new = [partition for partition in partitions if partition not in self._positions]
        if new:
            first = self._first_positions(new)
            self._session.seek(first)
            self._positions |= first
        self._figures.count("rebalances")
        if self._listener is not None:
            self._listener.assigned(partitions)

    def _give_up(self, change: Change) -> None:
        self._buffer.drop(change.partitions)
        if change.kind == "lost":
            self._figures.count("lost_partitions", len(change.partitions))
            self._forget(change.partitions)
        if self._listener is not None:
            tell = self._listener.lost if change.kind == "lost" else self._listener.revoked
            tell(change.partitions)
        self._forget(change.partitions)

    def _forget(self, partitions: Collection[int]) -> None:
        for partition in partitions:
            self._positions.pop(partition, None)
        self._paused.difference_update(partitions)
        self._waiting.difference_update(partitions)

    def _check_assigned(self, partitions: Sequence[int]) -> None:
        check_assigned(self._source.topic, self._positions, partitions)

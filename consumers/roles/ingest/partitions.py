"""The partitions of clicks that one ingest process owns."""

import functools
import logging
from collections.abc import Collection, Sequence
from typing import Final

from consumers.artifacts.store import ArtifactStore
from consumers.config.settings import GsrConfig
from consumers.metrics.names import GaugeName
from consumers.metrics.registry import Metrics
from consumers.roles.ingest.partition_ingest import PartitionIngest
from consumers.roles.ingest.partition_opening import PartitionBounds, PartitionOpening
from consumers.roles.ingest.sequences import SequenceBudgets
from consumers.roles.ingest.topic_origin import TopicOrigin
from consumers.runtime.partition_ownership import PartitionOwnership
from consumers.topics.sequences_completeness import (
    RESENDING,
    note_completeness,
    read_completeness,
    sequence_group,
)
from stream.clock import Clock
from stream.errors import FencedError, LogUnavailableError, StreamError
from stream.log.interface import Log

_LOGGER = logging.getLogger(__name__)

_PER_PARTITION: Final[tuple[GaugeName, ...]] = (
    "gsr_ingest_lag_records",
    "gsr_ingest_withheld_records",
    "gsr_ingest_progress_timestamp_seconds",
    "gsr_ingest_watermark_timestamp_seconds",
    "gsr_ingest_checkpoint_margin_records",
)


class IngestPartitions(PartitionOwnership[PartitionOpening]):
    """Opens what is assigned, hands over what is revoked, drops what is lost.

    Opening is done a little at a time by `advance`. `revoked` flushes, and nothing more: what waits
    to be sent is sent by the next owner, who reads it again. Trouble with that is raised by the
    next `advance`, since whoever tells of changes could do nothing about it.

    Parameters
    ----------
    config
        All settings.
    log, clock, metrics, artifacts
        As the role got them.

    Attributes
    ----------
    parts
        Those that are open, by number.
    """

    def __init__(
        self,
        config: GsrConfig,
        log: Log,
        clock: Clock,
        metrics: Metrics,
        artifacts: ArtifactStore,
    ) -> None:
        super().__init__(
            member="ingest",
            group=config.ingest.group,
            fenced_topic=config.log.clicks,
            clock=clock,
            changes=metrics.counter("gsr_ingest_partition_changes_total"),
        )
        self.parts: dict[int, PartitionIngest] = {}
        self._config = config
        self._log = log
        self._metrics = metrics
        self._artifacts = artifacts
        self._budgets = SequenceBudgets(config.ingest.sequence_bytes_per_second, clock)
        self._trouble: StreamError | None = None
        self._saved: tuple[dict[int, int], ...] = ()

    @property
    def open_partitions(self) -> Collection[int]:
        """The partitions that are open."""
        return self.parts.keys()

    def opening_positions(self) -> dict[int, int]:
        """Return where the partitions that are on their way were last read, as the group knows."""
        if not self._openings:
            return {}
        clicks = self._config.log.clicks
        starts = self._log.start_offsets(clicks)
        saved = self._log.saved_positions(self._config.ingest.group, clicks)
        return {p: max(starts[p], saved.get(p, 0)) for p in self._openings}

    # -- what the group says -------------------------------------------------------------------

    def revoked(self, partitions: Sequence[int]) -> None:
        """Make what was applied durable, and let go."""
        began = self._clock.monotonic()
        leaving = [self.parts[p] for p in partitions if p in self.parts]
        try:
            self._flush(leaving)
        except StreamError as error:
            self._trouble = error
        super().revoked(partitions)
        if leaving:
            self._metrics.histogram("gsr_ingest_revoke_seconds").observe(
                self._clock.monotonic() - began
            )

    def close(self, *, orderly: bool) -> None:
        """Let go of everything; where `orderly`, flush it and save positions first."""
        try:
            if orderly:
                self._flush(list(self.parts.values()))
        finally:
            self._let_go_of_all()

    # -- the work ------------------------------------------------------------------------------

    def advance(self) -> bool:
        """Open what can be opened now; True where any partition became ready.

        Raises
        ------
        StreamError, GsrError
            See `PartitionOpening.advance`; or what went wrong when partitions were handed over.
        FencedError
            Another process took a partition over, but the group does not know of it.
        """
        if self._trouble is not None:
            trouble, self._trouble = self._trouble, None
            raise trouble
        self.refuse_two_owners()
        for part in self.parts.values():
            if part.lacks_sequences:
                self._say_resending(part.partition)
                part.resend()
        ready = [p for p in sorted(self._openings) if self._open(p)]
        openings = self._openings.values()
        self._metrics.gauge("gsr_ingest_locked_partitions").set(sum(o.locked for o in openings))
        self._metrics.gauge("gsr_ingest_restoring_partitions").set(
            sum(o.restoring for o in openings)
        )
        return bool(ready)

    def save_positions(self) -> None:
        """Tell lag tools how far state is durable, and remember how far sequences are sent.

        Trouble is none: the next call tries again.
        """
        self._save(list(self.parts.values()))

    def _open(self, partition: int) -> bool:
        opening = self._openings[partition]
        store = opening.advance()
        if store is None or self._reader is None:
            return False
        lost = opening.lost_records(store)
        sent = self._sent_offset(partition, store.next_offset)
        sequences_end = self._sequences_end(partition)
        lacks_sequences = sequences_end == RESENDING and bool(store.stored_user_ids(b"", 1))
        if lacks_sequences:
            self._say_resending(partition)
        part = PartitionIngest(
            self._config,
            partition,
            store=store,
            log=self._log,
            clock=self._clock,
            metrics=self._metrics,
            artifacts=self._artifacts,
            budgets=self._budgets,
            sent_offset=sent,
            sequences_end=sequences_end or None,
            checkpointed_offset=opening.checkpointed_offset,
        )
        if lacks_sequences:
            part.resend()
        start = self._bounds(partition).start
        offset = part.next_offset
        if offset < start:
            self._say_gap(partition, lost, start)
            part.begin_at(start)
            offset = start
        self._read_on(partition, offset)
        self.parts[partition] = part
        self._metrics.gauge("gsr_ingest_partitions").set(len(self.parts))
        if opening.restored_offset is not None:
            self._metrics.histogram("gsr_ingest_restore_seconds").observe(opening.seconds)
        _LOGGER.info("partition %d: reading on from offset %d", partition, offset)
        return True

    def _begin(self, partition: int) -> PartitionOpening:
        return PartitionOpening(
            self._config,
            partition,
            functools.partial(self._bounds, partition),
            self._origin(partition),
            self._artifacts,
            self._clock,
        )

    def _origin(self, partition: int) -> TopicOrigin:
        # Not of the topic that has the name now: what counts is whose records come.
        topic_id = None if self._reader is None else self._reader.topic_id
        return TopicOrigin(self._config, self._log, partition, topic_id)

    def _sent_offset(self, partition: int, next_offset: int) -> int:
        """Return up to where sequences were sent.

        What was sent past the state's offset is sent again. A restart before that must know so:
        the saved position may be that of another topic, or of a state that is no more.
        """
        group = sequence_group(self._config)
        clicks, reached = self._config.log.clicks, max(0, next_offset)
        sent = self._log.saved_positions(group, clicks).get(partition, 0)
        if sent > reached:
            self._log.save_positions(group, clicks, {partition: reached})
        return min(sent, reached)

    def _sequences_end(self, partition: int) -> int:
        """Return where a partition of `sequences` ends; `RESENDING`: it does not hold everybody."""
        # What a predecessor's transaction holds back for a moment is there all the same.
        end = self._log.written_offsets(self._config.log.sequences)[partition]
        known = read_completeness(self._log, self._config).get(partition, end)
        return RESENDING if end < known else min(end, known)

    def look_at_sequences(self) -> None:
        """Find out whether `sequences` was emptied while nothing was sent."""
        ends = self._log.written_offsets(self._config.log.sequences)
        for partition, part in self.parts.items():
            part.note_sequences_end(ends[partition])

    def _say_resending(self, partition: int) -> None:
        """Note it before the first is sent: else a crash midway would look like the end."""
        note_completeness(self._log, self._config, {partition: RESENDING})
        self._saved = ()  # the topic may end where it did before
        _LOGGER.warning(
            "partition %d: %s has lost sequences (it was deleted or emptied, or clicks whose users "
            "it was still to be told of cannot be read any more): everybody's is sent again from "
            "the state",
            partition,
            self._config.log.sequences,
        )

    def _say_gap(self, partition: int, lost: int, start: int) -> None:
        if lost:
            self._metrics.counter("gsr_ingest_lost_records_total").inc(lost)
            _LOGGER.error(
                "partition %d: %d clicks left the log before they were applied; going on at "
                "offset %d, as ingest.accept_gap says",
                partition,
                lost,
                start,
            )
        else:
            _LOGGER.warning(
                "partition %d: new state begins at offset %d, older clicks are gone",
                partition,
                start,
            )

    def _bounds(self, partition: int) -> PartitionBounds:
        clicks = self._config.log.clicks
        # The group's own position may have passed what never was a click.
        sent = self._log.saved_positions(sequence_group(self._config), clicks)
        return PartitionBounds(
            start=self._log.start_offsets(clicks)[partition],
            end=self._log.end_offsets(clicks)[partition],
            had_state=sent.get(partition, 0) > 0,
        )

    def _flush(self, parts: Sequence[PartitionIngest]) -> None:
        for part in parts:
            part.flush()
        self._save(parts)

    def _save(self, parts: Sequence[PartitionIngest]) -> None:
        if not parts:
            return
        clicks = self._config.log.clicks
        durable = {part.partition: self._passed(part, part.durable_offset) for part in parts}
        sent = {part.partition: self._sent(part) for part in parts}
        sequences = {
            part.partition: part.sequences_end for part in parts if part.sequences_end is not None
        }
        if (durable, sent, sequences) == self._saved:
            return
        try:
            self._log.save_positions(self._config.ingest.group, clicks, durable)
            # The note first: what it says must not be less than what `sent` takes for granted.
            note_completeness(self._log, self._config, sequences)
            self._log.save_positions(sequence_group(self._config), clicks, sent)
        except (FencedError, LogUnavailableError) as error:
            # Only lag tools, and the next owner's sending, read them: what rules is in the state.
            _LOGGER.info("positions were not saved: %s", error)
        else:
            self._saved = (durable, sent, sequences)

    def _passed(self, part: PartitionIngest, offset: int) -> int:
        """Return `offset`, or where the reader is if only markers and aborted clicks lie between.

        They never become part of the state, so the group's tools would show a lag for ever.
        """
        if offset != part.next_offset or self._reader is None:
            return offset
        reading = part.partition in self._reader.assignment
        return max(offset, self._reader.position(part.partition) if reading else 0)

    def _sent(self, part: PartitionIngest) -> int:
        """Return up to where sequences are sent and their clicks durable; 0: no click ever was."""
        offset = min(part.sequences.sent_offset, part.durable_offset)
        return self._passed(part, offset) if offset else 0

    def _close(self, partition: int, opening: PartitionOpening | None) -> None:
        if opening is not None:
            opening.abandon()
        for name in _PER_PARTITION:
            self._metrics.forget(name, str(partition))
        part = self.parts.pop(partition, None)
        if part is not None:
            part.close()
            self._metrics.gauge("gsr_ingest_partitions").set(len(self.parts))

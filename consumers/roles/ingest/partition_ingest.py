"""Ingest of one partition of clicks: decode, set aside, apply, send sequences, checkpoint."""

import logging
from collections.abc import Sequence
from typing import Final

import numpy as np

from consumers.artifacts.store import ArtifactStore
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.ingest.dead_letter_policy import DeadLetterPolicy
from consumers.roles.ingest.dead_letter_topic import DeadLetterTopic, recent_dead_letters
from consumers.roles.ingest.sequences import (
    MAX_WAITING_USERS,
    PartitionSequences,
    SequenceBudgets,
    size_of,
)
from consumers.roles.ingest.topic_origin import remember_record
from consumers.topics.oversized_records import append_what_fits
from consumers.topics.sequences_completeness import NOTHING_TO_SEND, RESENDING
from gsr.counters.applied_clicks import ACCEPTED, DUPLICATE, FORGOTTEN, TOO_OLD, AppliedClicks
from gsr.counters.click_batch import NO_CLICKS, ClickBatch
from stream.clock import Clock, Periodic
from stream.errors import RecordsDamagedError
from stream.events.clicks.bad_record import BadRecord
from stream.events.clicks.codec import ClickCodec
from stream.log.interface import Log, RecordBatch
from stream.state.store import PartitionStore
from stream.state.store_stats import StoreStats

OUTCOMES: Final = {
    ACCEPTED: "accepted",
    DUPLICATE: "duplicate",
    TOO_OLD: "too_old",
    FORGOTTEN: "forgotten",
}

CATCH_UP_PATIENCE: Final = 3
"""How many more intervals pass between checkpoints while clicks wait."""
CATCH_UP_FLUSH_RECORDS: Final = 1_000_000
CATCH_UP_FLUSH_SECONDS: Final = 30.0
"""While clicks wait, a flush needs so many of them since the last one, or so much time."""


_LOGGER = logging.getLogger(__name__)


class PartitionIngest:
    """Applies one partition's clicks, each exactly once whatever the crash.

    The order is what makes it so: a bad record is on the dead-letter topic before a flush passes
    it, and the offset is inside the flush. What a crash takes is read again.

    Parameters
    ----------
    config
        All settings.
    partition
        Which one.
    store
        Its state, open; closed with this.
    log, clock, metrics, artifacts
        As the role got them.
    budgets
        Bytes of sequences, shared by the partitions.
    sent_offset
        Up to where sequences are known to have been sent.
    sequences_end
        Offset behind the newest sequence of the partition, None where that is not known.
    checkpointed_offset
        Of the newest checkpoint, 0 without one.
    """

    def __init__(
        self,
        config: GsrConfig,
        partition: int,
        *,
        store: PartitionStore,
        log: Log,
        clock: Clock,
        metrics: Metrics,
        artifacts: ArtifactStore,
        budgets: SequenceBudgets,
        sent_offset: int,
        sequences_end: int | None,
        checkpointed_offset: int,
    ) -> None:
        self.partition = partition
        self._config = config
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._artifacts = artifacts
        ingest, rules = config.ingest, config.events.rules()
        self._codec = ClickCodec(rules)
        clicks = config.log.clicks
        self._policy = DeadLetterPolicy(
            clicks,
            partition,
            max_share=ingest.max_bad_share,
            window_records=ingest.bad_window_records,
            minimum_records=ingest.bad_minimum_records,
        )
        # Whoever sent the partition's sequences before is locked out: a late record of theirs would
        # stand over a newer one of ours.
        self._sender = log.writer(
            config.log.sequences, fence=f"{ingest.group}-sequences-{partition}"
        )
        self._dead_letters = DeadLetterTopic(log, config.log.dead_letters, clicks, partition)
        reached = self._store.next_offset
        recent = recent_dead_letters(
            log,
            config.log.dead_letters,
            clicks,
            partition,
            reached - ingest.bad_window_records,
            reached,
        )
        self._policy.resume(reached, recent)
        self._sequences = PartitionSequences(
            log,
            clicks,
            partition,
            store=self._store,
            event_names=tuple(rules.weights),
            sent_offset=sent_offset,
            linger_seconds=ingest.sequence_linger_seconds,
            budgets=budgets,
            clock=clock,
            max_waiting=MAX_WAITING_USERS,
        )
        self._sequences_end = sequences_end
        self._sequences_gone = self._resent = False
        self._append_time: float | None = None
        self._checkpointed_offset = checkpointed_offset
        self._exposed_since: float | None = None
        self._flushed_at = clock.monotonic()
        self._next_checkpoint = Periodic(clock, ingest.checkpoint_interval_seconds)

    @property
    def next_offset(self) -> int:
        """Offset of the first record that was not applied."""
        return self._store.next_offset

    @property
    def append_time(self) -> float | None:
        """When the log took the newest record applied since the start; None before the first."""
        return self._append_time

    @property
    def watermark(self) -> float:
        """Newest event time so far; -inf before the first click."""
        return self._store.watermark

    @property
    def durable_offset(self) -> int:
        """Every record before it is in the state on disk."""
        return self._store.durable_offset

    def stats(self) -> StoreStats:
        """Return the state's gauges."""
        return self._store.stats()

    def apply(self, batch: RecordBatch) -> None:
        """Decode a batch, set its bad records aside, and apply its clicks.

        Raises
        ------
        TooManyBadError
            Nothing of the batch was applied.
        """
        decoded = self._codec.decode(batch, self._store.watermark)
        if decoded.bad:
            self._policy.record(len(batch), decoded.bad)
            self._count_bad(decoded.bad, self._dead_letters.append(batch, decoded.bad))
        else:
            self._policy.record(len(batch), ())
        applied = self._store.apply(decoded.clicks, decoded.watermark, batch.next_offset)
        remember_record(self._store, batch)
        touched = self._store.drain_touched()
        self._sequences.touch(
            touched, int(batch.offsets[0]), forgotten_users(decoded.clicks, applied)
        )
        self._append_time = float(batch.append_times[-1])
        if self._exposed_since is None:
            self._exposed_since = float(batch.append_times[0])
        self._count(len(batch), applied)

    def set_aside(self, damage: RecordsDamagedError, end_offset: int) -> None:
        """Move past records that nobody can read; a dead letter says so before the state does.

        Parameters
        ----------
        damage
            Which they are.
        end_offset
            The offset behind the last of them.
        """
        records = end_offset - damage.offset
        if self._dead_letters.append_damaged(damage, end_offset, self._clock.time()):
            self._metrics.counter("gsr_ingest_damaged_records_total").inc(records)
        _LOGGER.error(
            "%s. The offsets %d to %d are set aside, as ingest.skip_damaged says: clicks among "
            "them are missing in the state.",
            damage,
            damage.offset,
            end_offset - 1,
        )
        self._policy.record(records, ())
        self.begin_at(end_offset)

    def begin_at(self, offset: int) -> None:
        """Go on at `offset`: what is before it is no click, or will never be read."""
        self._store.apply(NO_CLICKS, self._store.watermark, offset)

    @property
    def checkpointed_offset(self) -> int:
        """Every record before it is in a published checkpoint."""
        return self._checkpointed_offset

    @property
    def exposed_since(self) -> float | None:
        """Append time of the oldest record that is in no checkpoint; None where all are."""
        return self._exposed_since

    def send_sequences(self, *, catching_up: bool = False, everything: bool = False) -> bool:
        """Append the sequences that are due (see `PartitionSequences.take`); True for any.

        Raises
        ------
        FencedError
            Another process sends this partition's sequences now.
        """
        records = self._sequences.take(catching_up=catching_up, everything=everything)
        if records:
            places = append_what_fits(self._sender, records)
            self._note_appended(places)
            oversized = len(records) - len(places)
            self._metrics.counter("gsr_ingest_oversized_sequences_total").inc(oversized)
            self._metrics.counter("gsr_ingest_sequences_total").inc(len(places))
            self._metrics.counter("gsr_ingest_sequence_bytes_total").inc(sum(map(size_of, records)))
        self._sequences.sent()
        return bool(records)

    def _note_appended(self, places: Sequence[tuple[int, int]]) -> None:
        offsets = [offset for _, offset in places]
        if not offsets:
            return
        if self._sequences_end is not None and min(offsets) < self._sequences_end:
            self._sequences_gone = True  # offsets only grow: this is another topic by that name
        self._sequences_end = max(offsets) + 1

    def note_sequences_end(self, end: int) -> None:
        """Note where `sequences` ends; one that ends at 0 after an append was emptied."""
        self._sequences_gone |= end == 0 and bool(self._sequences_end)

    @property
    def lacks_sequences(self) -> bool:
        """Whether `sequences` has lost records that `resend` can bring back from the state."""
        return self._sequences_gone or self._sequences.missed

    @property
    def sequences_end(self) -> int | None:
        """Offset behind the newest sequence; `RESENDING` while all are sent again."""
        if self._sequences.resending or self.lacks_sequences:
            return RESENDING
        if self._sequences_end is None and self._resent:
            return NOTHING_TO_SEND
        return self._sequences_end

    def resend(self) -> None:
        """Send everybody's sequence again, a bounded number at each `send_sequences`."""
        self.flush()
        self._sequences.resend()
        self._sequences_gone = False
        self._sequences_end = None
        self._resent = True

    @property
    def sequences(self) -> PartitionSequences:
        """The sequences of touched users that wait to be sent."""
        return self._sequences

    def flush_if_due(self, *, catching_up: bool) -> bool:
        """Flush where enough has changed; True where it did.

        While clicks wait, nearly every item changes between two flushes, and each flush writes
        nearly all of them: so flushes are spaced by clicks, and the work per click stays the same
        whatever the load. A crash then re-reads more, at full speed.
        """
        if not self._store.due_for_flush():
            return False
        if catching_up and not self._store.overfull and not self._enough_for_a_flush():
            return False
        self.flush()
        return True

    def _enough_for_a_flush(self) -> bool:
        records = self._store.next_offset - self._store.durable_offset
        waited = self._clock.monotonic() - self._flushed_at
        return records >= CATCH_UP_FLUSH_RECORDS or waited >= CATCH_UP_FLUSH_SECONDS

    def flush(self) -> None:
        """Make everything applied durable."""
        if self._store.durable_offset == self._store.next_offset:
            return
        started = self._clock.monotonic()
        self._store.flush()
        self._flushed_at = self._clock.monotonic()
        self._metrics.histogram("gsr_ingest_flush_seconds").observe(self._flushed_at - started)
        self._metrics.gauge("gsr_ingest_flush_timestamp_seconds").set(self._clock.time())

    def checkpoint_if_due(self, *, catching_up: bool) -> bool:
        """Publish a checkpoint on schedule, if anything changed; True where it did.

        While clicks wait they are rarer: the trainer would only get a faster-ageing past.
        """
        patience = self._config.ingest.checkpoint_interval_seconds * CATCH_UP_PATIENCE
        if self._next_checkpoint.seconds_left() > -patience * catching_up:
            return False
        if self._store.next_offset <= self._checkpointed_offset:
            return False
        self.flush()
        self._checkpointed_offset = self._artifacts.publish_checkpoint(
            self.partition, self._store.next_offset, self._store.checkpoint
        )
        self._exposed_since = None
        self._next_checkpoint.restart()
        self._metrics.counter("gsr_ingest_checkpoints_total").inc()
        self._metrics.gauge("gsr_ingest_checkpoint_timestamp_seconds").set(self._clock.time())
        return True

    def close(self) -> None:
        """Let go of everything without a flush."""
        try:
            self._sequences.close()
            self._dead_letters.close()
            self._sender.close()
        finally:
            self._store.close()

    def _count(self, records: int, applied: AppliedClicks) -> None:
        self._metrics.counter("gsr_ingest_records_total").inc(records)
        counts = np.bincount(applied.outcomes, minlength=max(OUTCOMES) + 1)
        clicks = self._metrics.counter("gsr_ingest_clicks_total")
        for outcome, name in OUTCOMES.items():
            if counts[outcome]:
                clicks.labels(name).inc(int(counts[outcome]))
        if counts[FORGOTTEN]:
            self._metrics.counter("gsr_ingest_forgotten_users_total").inc(int(counts[FORGOTTEN]))

    def _count_bad(self, bad: list[BadRecord], fresh: int) -> None:
        counter = self._metrics.counter("gsr_ingest_bad_records_total")
        for record in bad[len(bad) - fresh :]:
            counter.labels(record.reason).inc()


def forgotten_users(clicks: ClickBatch, applied: AppliedClicks) -> list[str]:
    """Return the users whom the batch asked to forget."""
    if not clicks.forget.any():
        return []
    return [clicks.user_ids[row] for row in np.flatnonzero(applied.outcomes == FORGOTTEN).tolist()]

"""The ingest role: clicks from the log into durable state, and on to whoever follows."""

import itertools
import logging
from collections.abc import Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

from consumers.artifacts.store import ArtifactStore
from consumers.config import GsrConfig
from consumers.ingest.partition_ingest import PartitionIngest
from consumers.ingest.sequences import SequenceBudgets, size_of
from consumers.metrics.registry import Metrics
from stream.clock import Clock
from stream.errors import StateMismatchError
from stream.log.interface import Log

_LOGGER = logging.getLogger(__name__)

MEASURE_SECONDS: Final = 1.0
"""How often lag is measured; the log's ends are asked for only then."""
MEASURE_STATE_SECONDS: Final = 10.0
"""How often the state's gauges are set; asking RocksDB takes milliseconds."""
CLEAN_HURRY: Final = 0.1
"""A topic with more to clean is taken up again after this share of the interval."""


class Cleaned(Protocol):
    """What one round of cleaning did."""

    @property
    def more(self) -> bool:
        """Whether there is more to do in this topic."""
        ...


@runtime_checkable
class Cleanable(Protocol):
    """A log that has to be kept tidy by one of its users."""

    def clean(self, topic: str) -> Cleaned:
        """Delete and compact some of what `topic` no longer needs; bounded work."""
        ...


class IngestRole:
    """Reads clicks; keeps state, dead letters, sequences and checkpoints up to date.

    Where a partition is read from is what its state says, not what the group saved: the group's
    positions only tell lag tools how far things are.

    Parameters
    ----------
    config
        All settings; `log`, `events`, `state` and `ingest` are used.
    log, clock, metrics
        The seams to the world.
    artifacts
        Where checkpoints go.
    """

    def __init__(
        self,
        config: GsrConfig,
        log: Log,
        clock: Clock,
        metrics: Metrics,
        artifacts: ArtifactStore,
    ) -> None:
        self._config = config
        self._log = log
        self._clock = clock
        self._metrics = metrics
        self._artifacts = artifacts
        self._budgets = SequenceBudgets(config.ingest.sequence_bytes_per_second, clock)
        self._parts: dict[int, PartitionIngest] = {}
        self._polled = False
        self._failed = False
        self._lag: int | None = None
        self._measure_due = self._measure_state_due = clock.monotonic()
        self._clean_due = clock.monotonic() + config.ingest.clean_interval_seconds
        self._clean_topics = itertools.cycle([spec.name for spec in config.log.topics()])
        self._cleaning = next(self._clean_topics)
        self._sequence_group = f"{config.ingest.group}-sequences"
        self._sequences = log.writer(config.log.sequences)
        self._reader = log.reader(config.log.clicks, group=config.ingest.group, listener=self)

    # -- the loop ------------------------------------------------------------------------------

    def step(self) -> bool:
        """Read and apply one micro-batch, and do what is due; True where there was any work.

        Raises
        ------
        TooManyBadError
            Too large a share of the recent records is bad.
        OffsetExpiredError
            Clicks that were never applied have fallen off the log's retention.
        StreamError
            State or log cannot go on; the message says what to do.
        """
        try:
            return self._step()
        except BaseException as error:
            if getattr(error, "retriable", False):
                self._read_again()
            else:
                self._failed = True
            raise

    def _step(self) -> bool:
        ingest = self._config.ingest
        batches = self._reader.poll(ingest.poll_records, ingest.poll_timeout_seconds)
        self._polled = True
        for batch in batches:
            self._parts[batch.partition].apply(batch)
        behind = sum(map(len, batches)) >= ingest.poll_records // 2
        worked = bool(batches)
        worked |= self._send_sequences(catching_up=behind)
        flushed = [part.flush_if_due(catching_up=behind) for part in self._parts.values()]
        # One checkpoint at a time, so that a step stays short.
        handed_on = any(p.checkpoint_if_due(catching_up=behind) for p in self._parts.values())
        if handed_on or any(flushed):
            self._save_positions(self._parts)
            worked = True
        self._clean()
        self._measure()
        return worked

    def _read_again(self) -> None:
        """Go back to what was not applied: a batch may have been read and then given up."""
        for partition, part in self._parts.items():
            self._reader.seek(partition, part.position.next_offset)

    def checks(self) -> dict[str, bool]:
        """Return what must hold before ingest counts as ready."""
        lag = self._lag
        return {
            "assigned": self._polled and bool(self._parts),
            "caught_up": lag is not None and lag < self._config.ingest.ready_lag_records,
        }

    def positions(self) -> dict[int, int]:
        """Return the offset up to which each partition has been applied."""
        return {partition: part.position.next_offset for partition, part in self._parts.items()}

    def close(self) -> None:
        """Send, flush and let go; after a failure leave everything as the last flush has it."""
        try:
            self._hand_over(tuple(self._parts), orderly=not self._failed)
        finally:
            self._sequences.close()
            self._reader.close()

    # -- what the log tells about partitions ---------------------------------------------------

    def assigned(self, partitions: Sequence[int]) -> None:
        """Open the state of `partitions` and read on from where it stands."""
        clicks = self._config.log.clicks
        ends, starts = self._log.end_offsets(clicks), self._log.start_offsets(clicks)
        sent = self._log.saved_positions(self._sequence_group, clicks)
        for partition in partitions:
            part = PartitionIngest(
                self._config,
                partition,
                log=self._log,
                clock=self._clock,
                metrics=self._metrics,
                artifacts=self._artifacts,
                budgets=self._budgets,
                sent_offset=sent.get(partition, 0),
            )
            self._parts[partition] = part
            offset = part.position.next_offset
            if offset > ends[partition]:
                raise StateMismatchError(
                    f"{clicks}[{partition}]: the state has applied records up "
                    f"to offset {offset}, but the log ends at {ends[partition]}: it is another "
                    "log. Name the log that this state was built from, or begin with an empty "
                    "state directory."
                )
            if offset == 0 and starts[partition] > 0:
                offset = starts[partition]
                _LOGGER.warning(
                    "partition %d: new state begins at offset %d, older clicks are gone",
                    partition,
                    offset,
                )
            self._reader.seek(partition, offset)
            _LOGGER.info("partition %d: reading on from offset %d", partition, offset)

    def revoked(self, partitions: Sequence[int]) -> None:
        """Flush and hand over `partitions`."""
        self._hand_over(partitions, orderly=True)

    def lost(self, partitions: Sequence[int]) -> None:
        """Drop `partitions` without a flush: another process may have them already."""
        self._hand_over(partitions, orderly=False)

    def _hand_over(self, partitions: Sequence[int], *, orderly: bool) -> None:
        parts = {p: self._parts[p] for p in partitions if p in self._parts}
        try:
            if orderly:
                self._send_sequences(everything=True)
                for part in parts.values():
                    part.flush()
                self._save_positions(parts)
        finally:
            for partition, part in parts.items():
                del self._parts[partition]
                part.close()

    # -- chores --------------------------------------------------------------------------------

    def _send_sequences(self, *, catching_up: bool = False, everything: bool = False) -> bool:
        """Append what is due of all partitions in one go; True where there was any."""
        records = [
            record
            for part in self._parts.values()
            for record in part.sequences.take(catching_up=catching_up, everything=everything)
        ]
        if records:
            self._sequences.append(records)
            self._metrics.counter("gsr_ingest_sequences_total").inc(len(records))
            self._metrics.counter("gsr_ingest_sequence_bytes_total").inc(sum(map(size_of, records)))
        for part in self._parts.values():
            part.sequences.sent()
        return bool(records)

    def _save_positions(self, parts: Mapping[int, PartitionIngest]) -> None:
        """Tell lag tools how far state is durable, and remember how far sequences are sent."""
        if not parts:
            return
        clicks, durable = self._config.log.clicks, {p: q.durable_offset for p, q in parts.items()}
        sent = {p: min(q.sequences.sent_offset, durable[p]) for p, q in parts.items()}
        self._log.save_positions(self._config.ingest.group, clicks, durable)
        self._log.save_positions(self._sequence_group, clicks, sent)

    def _clean(self) -> None:
        if not isinstance(self._log, Cleanable) or self._clock.monotonic() < self._clean_due:
            return
        pause = self._config.ingest.clean_interval_seconds
        if self._log.clean(self._cleaning).more:
            pause *= CLEAN_HURRY
        else:
            self._cleaning = next(self._clean_topics)
        self._clean_due = self._clock.monotonic() + pause

    def _measure(self) -> None:
        if self._clock.monotonic() < self._measure_due or not self._parts:
            return
        self._measure_due = self._clock.monotonic() + MEASURE_SECONDS
        gauge = self._metrics.gauge
        ends = self._log.end_offsets(self._config.log.clicks)
        lags: dict[int, int] = {}
        oldest, newest = 0.0, 0.0
        for partition, part in self._parts.items():
            at = part.position
            lags[partition] = max(0, ends[partition] - at.next_offset)
            gauge("gsr_ingest_lag_records").labels(str(partition)).set(lags[partition])
            if part.watermark > 0:
                gauge("gsr_ingest_watermark_timestamp_seconds").labels(str(partition)).set(
                    part.watermark
                )
            if at.append_time is not None:
                newest = max(newest, at.append_time)
                if lags[partition]:
                    oldest = max(oldest, self._clock.time() - at.append_time)
        self._lag = sum(lags.values())
        gauge("gsr_ingest_lag_seconds").set(max(0.0, oldest))
        if newest:
            gauge("gsr_ingest_newest_append_timestamp_seconds").set(newest)
        if self._clock.monotonic() >= self._measure_state_due:
            self._measure_state_due = self._clock.monotonic() + MEASURE_STATE_SECONDS
            self._measure_state()

    def _measure_state(self) -> None:
        config, parts = self._config, list(self._parts.values())
        stats = [part.stats() for part in parts]
        values = {
            "sequence_backlog_users": sum(part.sequences.waiting_users for part in parts),
            "longest_interpreter_hold_seconds": max(s.longest_hold_seconds for s in stats),
            "cached_users": sum(s.users_cached for s in stats),
            "cached_users_limit": config.ingest.cached_users * len(parts),
            "items": sum(s.items for s in stats),
            "items_limit": config.state.max_items * len(parts),
            "edges": sum(s.edges for s in stats),
            "dirty_bytes": sum(s.dirty_bytes for s in stats),
            "feed_bytes": sum(s.feed_bytes for s in stats),
            "feed_limit_bytes": config.state.feed_bytes * len(parts),
            "state_bytes": sum(s.rocksdb_disk_bytes for s in stats),
            "rocksdb_memory_bytes": sum(s.rocksdb_memory_bytes for s in stats),
        }
        for name, value in values.items():
            self._metrics.gauge(f"gsr_ingest_{name}").set(value)

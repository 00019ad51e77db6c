"""The ingest role: clicks from the log into durable state, sequences and checkpoints."""

import itertools
import logging
from typing import Final, Protocol, runtime_checkable

from consumers.artifacts.store import ArtifactStore
from consumers.config.settings import GsrConfig
from consumers.errors import ClicksDamagedError, ClicksExpiredError
from consumers.metrics.registry import Metrics
from consumers.roles.ingest.measures import IngestLag, measure_state, warn_of_short_retention
from consumers.roles.ingest.partitions import IngestPartitions
from stream.clock import Clock, Periodic
from stream.errors import (
    FencedError,
    LogUnavailableError,
    OffsetExpiredError,
    RecordsDamagedError,
)
from stream.log.interface import Log, RecordBatch

_LOGGER = logging.getLogger(__name__)

MEASURE_SECONDS: Final = 1.0
"""How often lag is measured; the log's ends are asked for only then."""
MEASURE_STATE_SECONDS: Final = 10.0
"""How often the state's gauges are set; asking RocksDB takes milliseconds."""
CLEAN_HURRY: Final = 0.1
"""A topic with more to clean is taken up again after this share of the interval."""


class CleaningRound(Protocol):
    """What one round of cleaning did."""

    @property
    def more(self) -> bool:
        """Whether there is more to do in this topic."""
        ...


@runtime_checkable
class Cleanable(Protocol):
    """A log that has to be kept tidy by one of its users."""

    def clean(self, topic: str) -> CleaningRound:
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
        self._partitions = IngestPartitions(config, log, clock, metrics, artifacts)
        self._parts = self._partitions.parts
        self._polled = self._failed = False
        self._damage: RecordsDamagedError | None = None
        self._lag = IngestLag(config, log, clock, metrics)
        self._next_measure = Periodic(clock, MEASURE_SECONDS)
        self._next_state_measure = Periodic(clock, MEASURE_STATE_SECONDS)
        pause = config.ingest.clean_interval_seconds
        self._next_clean = Periodic(clock, pause, first=pause)
        self._clean_topics = itertools.cycle([spec.name for spec in config.log.topics()])
        self._cleaning = next(self._clean_topics)
        self._reader = log.reader(
            config.log.clicks, group=config.ingest.group, listener=self._partitions
        )
        self._partitions.read_with(self._reader)
        warn_of_short_retention(config)

    # -- the loop ------------------------------------------------------------------------------

    def step(self) -> bool:
        """Read and apply one micro-batch, and do what is due; True where there was any work.

        Raises
        ------
        TooManyBadError
            Too large a share of the recent records is bad.
        ClicksExpiredError
            Clicks that were never applied have fallen off the log's retention.
        ClicksDamagedError
            Clicks cannot be read.
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
        self._damage = None  # a step that failed went back: damage is found again
        batches = self._poll()
        if self._partitions.advance():
            self._damage = None  # the same of a partition that has just been opened again
            batches += self._poll()
        for batch in batches:
            part = self._parts.get(batch.partition)
            if part is not None:  # else it has just left
                part.apply(batch)
        self._set_damage_aside()
        behind = sum(map(len, batches)) >= ingest.poll_records // 2
        worked = bool(batches)
        worked |= self._send_sequences(catching_up=behind)
        flushed = [part.flush_if_due(catching_up=behind) for part in self._parts.values()]
        # One checkpoint at a time, so that a step stays short.
        handed_on = any(p.checkpoint_if_due(catching_up=behind) for p in self._parts.values())
        if handed_on or any(flushed):
            self._partitions.save_positions()
            worked = True
        self._clean()
        self._measure()
        return worked

    def _poll(self) -> list[RecordBatch]:
        ingest = self._config.ingest
        # What is assigned in the first poll is opened before any waiting.
        wait = ingest.poll_timeout_seconds if self._polled else 0.0
        self._polled = True
        try:
            return self._reader.poll(ingest.poll_records, wait)
        except OffsetExpiredError as expired:
            if not ingest.accept_gap:
                raise ClicksExpiredError(
                    expired.topic, expired.partition, expired.offset, expired.start_offset
                ) from None
            lost = expired.start_offset - expired.offset
            self._metrics.counter("gsr_ingest_lost_records_total").inc(lost)
            _LOGGER.error("%s Going on there, as ingest.accept_gap says.", expired)  # noqa: TRY400 - no bug
            part = self._parts.get(expired.partition)
            if part is not None:
                part.begin_at(expired.start_offset)
            self._reader.seek(expired.partition, expired.start_offset)
            return []
        except RecordsDamagedError as damage:
            self._damage = damage
            return []

    def _set_damage_aside(self) -> None:
        """Go on behind records that cannot be read, where that is allowed and they have an end.

        All that was read before them is applied.
        """
        damage, self._damage = self._damage, None
        if damage is None:
            return
        part, end = self._parts.get(damage.partition), damage.next_offset
        if end is None or not self._config.ingest.skip_damaged:
            raise ClicksDamagedError(damage)
        if part is not None:  # else it has just left
            part.set_aside(damage, end)
            self._reader.seek(damage.partition, end)

    def _read_again(self) -> None:
        """Go back to what was not applied: a batch may have been read and then given up."""
        reading = self._reader.assignment
        for partition, part in self._parts.items():
            if partition in reading:
                self._reader.seek(partition, part.next_offset)

    def checks(self) -> dict[str, bool]:
        """Return what must hold before ingest counts as ready."""
        return {
            "assigned": self._partitions.settled() and not self._partitions.opening,
            **self._lag.checks(),
        }

    def positions(self) -> dict[int, int]:
        """Return the offset up to which each partition has been read and applied."""
        reading = self._partitions.positions()
        return {p: max(part.next_offset, reading.get(p, 0)) for p, part in self._parts.items()}

    def close(self) -> None:
        """Send, flush and let go; after a failure leave everything as the last flush has it."""
        try:
            if not self._failed:
                self._send_last_sequences()
            self._partitions.close(orderly=not self._failed)
        finally:
            self._reader.close()

    # -- chores --------------------------------------------------------------------------------

    def _send_sequences(self, *, catching_up: bool = False, everything: bool = False) -> bool:
        """Append what is due of all partitions; True where there was any."""
        worked = False
        for part in list(self._parts.values()):
            try:
                worked |= part.send_sequences(catching_up=catching_up, everything=everything)
            except FencedError:
                self._partitions.fence(part.partition)
        return worked

    def _send_last_sequences(self) -> None:
        """Send what waits; where the log is away, leave it to the next owner."""
        try:
            self._send_sequences(everything=True)
        except LogUnavailableError as error:
            _LOGGER.warning("sequences that wait are sent after the next start: %s", error)

    def _clean(self) -> None:
        if not isinstance(self._log, Cleanable) or self._next_clean.seconds_left() > 0:
            return
        if self._log.clean(self._cleaning).more:
            self._next_clean.restart(self._config.ingest.clean_interval_seconds * CLEAN_HURRY)
        else:
            self._cleaning = next(self._clean_topics)
            self._next_clean.restart()

    def _measure(self) -> None:
        if not self._partitions.settled() or not self._next_measure.due():
            return
        self._partitions.save_positions()
        self._lag.measure(self._parts, self._partitions.opening_positions() | self.positions())
        if self._next_state_measure.due():
            self._partitions.look_at_sequences()
            measure_state(self._config, self._metrics, self._parts)

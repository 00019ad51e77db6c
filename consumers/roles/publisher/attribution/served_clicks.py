"""The reading of clicks, to see what became of the lists that were sent."""

import logging
from collections.abc import Iterable
from typing import Final

import numpy as np

from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.publisher.attribution.list_judge import ListJudge
from consumers.roles.publisher.attribution.replaced_lists import ReplacedLists
from consumers.roles.publisher.attribution.sent_defaults import SentDefaults
from consumers.roles.publisher.attribution.served_measures import ServedMeasures
from consumers.roles.publisher.user_table import UserTable
from consumers.topics.log_range import poll_past_damage, say_damage
from stream.clock import Clock, Periodic
from stream.errors import FencedError, LogUnavailableError, OffsetExpiredError
from stream.events.clicks.codec import ClickCodec
from stream.log.interface import Log, Reader, RecordBatch
from stream.log.lag import lag

_LOGGER = logging.getLogger(__name__)

POLL_RECORDS: Final = 20_000
"""Counting so many takes some 30 ms. A publisher that is behind takes a step a second, and clicks
that are counted late find their lists gone."""
CLOSE_SECONDS: Final = 1.0
"""For so long clicks are still read at the end."""
PAUSE_SECONDS: Final = 5.0
"""After trouble with the log, clicks are left alone for so long: lists matter more."""


def served_group(config: GsrConfig) -> str:
    """Return the name under which the log remembers which clicks were counted."""
    return f"{config.publisher.group}-served"


class ServedClicks:
    """Follows the clicks of the served partitions and counts what became of their lists.

    The log remembers how far each partition was counted, so that a restart goes on there. What a
    killed process had counted since is told by the lists: a click that the restored list knows of
    was counted before that list was sent.

    Parameters
    ----------
    config, log, clock, metrics
        As the role got them.
    users, replaced
        The newest list of each user, and those before.
    """

    def __init__(
        self,
        config: GsrConfig,
        log: Log,
        clock: Clock,
        metrics: Metrics,
        *,
        users: UserTable,
        replaced: ReplacedLists,
    ) -> None:
        rules = config.events.rules()
        self._config = config
        self._log = log
        self._clock = clock
        self._metrics = metrics
        self._codec = ClickCodec(rules)
        self._counts = rules.weight_by_code > 0
        self._defaults = SentDefaults(log, config.log.default_recommendations)
        self._judge = ListJudge(users, replaced, self._defaults)
        self._measures = ServedMeasures(metrics)
        self._reader: Reader | None = None
        self._positions: dict[int, int] = {}
        self._saved: dict[int, int] = {}
        self._pause = Periodic(clock, PAUSE_SECONDS)

    def step(self, serving: Iterable[int]) -> bool:
        """Count the next clicks of the partitions `serving`, a bounded number; True for any."""
        if self._pause.seconds_left() > 0.0:
            return False
        try:
            self._read_partitions(sorted(serving))
            batches = self._poll()
            self._defaults.follow()  # always: Kafka sends what it was asked for a moment before
        except LogUnavailableError as error:
            _LOGGER.warning("clicks are not counted against lists for a while: %s", error)
            self._pause.restart()
            return False
        for batch in batches:
            self._count(batch)
        return bool(batches)

    def leave(self, partition: int) -> None:
        """Stop counting the clicks of a partition that others serve from now on."""
        if partition not in self._positions:
            return
        self.save()
        self._close_reader()
        del self._positions[partition]
        self._saved.pop(partition, None)

    def measure(self) -> None:
        """Say how many clicks wait, and save what has been counted."""
        if self._pause.seconds_left() > 0.0:
            return
        self.save()
        lags = lag(self._log, self._config.log.clicks, self._positions)
        waiting = sum(one.readable for one in lags.values())
        self._metrics.gauge("gsr_served_lag_records").set(waiting)

    def save(self) -> None:
        """Save up to where clicks were counted; trouble is none, some are counted twice then."""
        self._note_positions()
        if self._positions == self._saved or not self._positions:
            return
        group, topic = served_group(self._config), self._config.log.clicks
        try:
            self._log.save_positions(group, topic, self._positions)
        except (FencedError, LogUnavailableError) as error:
            _LOGGER.info("positions of counted clicks were not saved: %s", error)
        else:
            self._saved = dict(self._positions)

    def close(self) -> None:
        """Count what is there, save how far that was, and let go of the log."""
        until = self._clock.monotonic() + CLOSE_SECONDS
        while self.step(list(self._positions)) and self._clock.monotonic() < until:
            pass
        self.save()
        self._close_reader()
        self._defaults.close()

    def _read_partitions(self, serving: list[int]) -> None:
        """Read just these partitions, each from where it was left."""
        if self._reader is not None and list(self._reader.assignment) == serving:
            return
        self._close_reader()
        if not serving:
            return
        if any(partition not in self._positions for partition in serving):
            self._begin(serving)
        topic = self._config.log.clicks
        reader = self._log.reader(topic, partitions=serving)
        for partition in serving:
            reader.seek(partition, self._positions[partition])
        self._reader = reader

    def _begin(self, serving: list[int]) -> None:
        """Find out where to begin: where others left off, else at the end."""
        topic = self._config.log.clicks
        saved = self._log.saved_positions(served_group(self._config), topic)
        starts, ends = self._log.start_offsets(topic), self._log.end_offsets(topic)
        for partition in serving:
            if partition not in self._positions:
                position = saved.get(partition, ends[partition])
                known = starts[partition] <= position <= ends[partition]
                self._positions[partition] = position if known else ends[partition]
        self._defaults.follow()

    def _poll(self) -> list[RecordBatch]:
        """Read on, past what cannot be read or has left the log."""
        reader = self._reader
        if reader is None:
            return []
        try:
            return poll_past_damage(self._log, reader, POLL_RECORDS, 0.0, say_damage)
        except OffsetExpiredError as expired:
            _LOGGER.warning("clicks left the log before they were counted: %s", expired)
            reader.seek(expired.partition, expired.start_offset)
            return []

    def _count(self, batch: RecordBatch) -> None:
        decoded = self._codec.decode(batch, -np.inf)
        clicks, named = decoded.clicks, decoded.named
        rows = np.flatnonzero(self._counts[clicks.events] & ~clicks.forget)
        if len(rows):
            self._measures.count(self._judge.judge(clicks.rows(rows), named.rows(rows)))

    def _note_positions(self) -> None:
        """Note how far the reader is, which passes what is no record too."""
        reader = self._reader
        if reader is not None:
            self._positions.update({p: reader.position(p) for p in reader.assignment})

    def _close_reader(self) -> None:
        self._note_positions()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

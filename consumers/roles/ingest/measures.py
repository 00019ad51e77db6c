"""The ingest role's gauges: lag, progress, age, and the size of the state."""

import logging
from collections.abc import Mapping
from typing import Final

from consumers.config.settings import GsrConfig
from consumers.metrics.names import GaugeName
from consumers.metrics.registry import Metrics
from consumers.roles.ingest.partition_ingest import CATCH_UP_PATIENCE, PartitionIngest
from consumers.topics.followed_topic import RECENT_SECONDS, FollowedTopic
from stream.clock import Clock
from stream.log.interface import Log

_LOGGER = logging.getLogger(__name__)

RETENTION_CHECKPOINTS: Final = 10
"""The retention of clicks should cover so many of the longest pauses between checkpoints."""


def warn_of_short_retention(config: GsrConfig) -> None:
    """Warn where clicks may leave the log before a checkpoint holds them."""
    retention = config.log.clicks_retention_seconds
    between = config.ingest.checkpoint_interval_seconds * (1 + CATCH_UP_PATIENCE)
    if retention is not None and retention < RETENTION_CHECKPOINTS * between:
        _LOGGER.warning(
            "clicks stay for %.0f s (log.clicks_retention_seconds), but up to %.0f s pass between "
            "two checkpoints: a partition that is lost for a while could not be restored. Raise "
            "the one, or lower ingest.checkpoint_interval_seconds.",
            retention,
            between,
        )


class IngestLag:
    """Gauges of clicks that are not applied yet; they grow while the log cannot be asked.

    Parameters
    ----------
    config
        All settings; `log`, `ingest` and `process` are used.
    log, clock, metrics
        As the role got them.
    """

    def __init__(self, config: GsrConfig, log: Log, clock: Clock, metrics: Metrics) -> None:
        self._config = config
        self._log = log
        self._clock = clock
        self._metrics = metrics
        self._clicks = FollowedTopic(log, config.log.clicks, clock)
        self._waited = 0.0
        metrics.on_scrape(self._show_waiting)

    def checks(self) -> dict[str, bool]:
        """Return what must hold before ingest counts as ready."""
        clicks, limit = self._clicks, self._config.ingest.ready_lag_records
        waiting = sum(lag.readable for lag in clicks.lags.values())
        return {
            "caught_up": clicks.is_recent() and waiting < limit,
            "progressing": clicks.is_recent()
            and not clicks.stalled(self._config.process.stalled_seconds),
        }

    def measure(self, parts: Mapping[int, PartitionIngest], positions: Mapping[int, int]) -> None:
        """Set the gauges.

        Parameters
        ----------
        parts
            The partitions that are open.
        positions
            Of those, and of those that are still being opened: where they are read on. Those of
            the reader pass aborted clicks and the markers of transactions, which never become
            part of the state, and which nobody waits for.
        """
        gauge, clicks = self._metrics.gauge, self._clicks
        clicks.measure(positions)
        for partition, lag in clicks.lags.items():
            label = str(partition)
            gauge("gsr_ingest_lag_records").labels(label).set(lag.readable)
            gauge("gsr_ingest_withheld_records").labels(label).set(lag.withheld)
            gauge("gsr_ingest_progress_timestamp_seconds").labels(label).set(
                clicks.progressed_at(partition)
            )
        self._waited = clicks.waited_seconds(
            (partition, part.append_time) for partition, part in parts.items()
        )
        self._show_waiting()
        self._measure_parts(parts)

    def _show_waiting(self) -> None:
        """Let the lag grow with the age of its measurement: nothing is known to be applied."""
        age = self._clicks.age_seconds
        late = age if age > RECENT_SECONDS else 0.0
        self._metrics.gauge("gsr_ingest_lag_seconds").set(self._waited + late)

    def _measure_parts(self, parts: Mapping[int, PartitionIngest]) -> None:
        gauge, now = self._metrics.gauge, self._clock.time()
        starts = self._log.start_offsets(self._config.log.clicks)
        newest = exposed = 0.0
        for partition, part in parts.items():
            label = str(partition)
            margin = part.checkpointed_offset - starts[partition]
            gauge("gsr_ingest_checkpoint_margin_records").labels(label).set(margin)
            if part.watermark > 0:
                gauge("gsr_ingest_watermark_timestamp_seconds").labels(label).set(part.watermark)
            if part.exposed_since is not None:
                exposed = max(exposed, now - part.exposed_since)
            newest = max(newest, part.append_time or 0.0)
        if newest:
            gauge("gsr_ingest_newest_append_timestamp_seconds").set(newest)
        retention = self._config.log.clicks_retention_seconds
        gauge("gsr_ingest_retention_used_ratio").set(exposed / retention if retention else 0.0)


def measure_state(
    config: GsrConfig, metrics: Metrics, parts: Mapping[int, PartitionIngest]
) -> None:
    """Set the gauges of the state; asking RocksDB takes milliseconds."""
    stats = [part.stats() for part in parts.values()]
    count = len(parts)
    values: dict[GaugeName, float] = {
        "gsr_ingest_sequence_backlog_users": sum(p.sequences.waiting_users for p in parts.values()),
        "gsr_ingest_resending_partitions": sum(p.sequences.resending for p in parts.values()),
        "gsr_ingest_longest_interpreter_hold_seconds": max(
            (s.longest_hold_seconds for s in stats), default=0
        ),
        "gsr_ingest_cached_users": sum(s.users_cached for s in stats),
        "gsr_ingest_cached_users_limit": config.ingest.cached_users * count,
        "gsr_ingest_cached_user_bytes": sum(s.user_bytes for s in stats),
        "gsr_ingest_cached_user_limit_bytes": config.ingest.cached_user_bytes * count,
        "gsr_ingest_items": sum(s.items for s in stats),
        "gsr_ingest_items_limit": config.state.max_items * count,
        "gsr_ingest_edges": sum(s.edges for s in stats),
        "gsr_ingest_dirty_bytes": sum(s.dirty_bytes for s in stats),
        "gsr_ingest_feed_bytes": sum(s.feed_bytes for s in stats),
        "gsr_ingest_feed_limit_bytes": config.state.feed_bytes * count,
        "gsr_ingest_state_bytes": sum(s.rocksdb_disk_bytes for s in stats),
        "gsr_ingest_rocksdb_memory_bytes": sum(s.rocksdb_memory_bytes for s in stats),
    }
    for name, value in values.items():
        metrics.gauge(name).set(value)

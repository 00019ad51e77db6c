"""The ingest role's gauges: lag, age, and the size of the state."""

import logging
from collections.abc import Mapping
from typing import Final

from consumers.config import GsrConfig
from consumers.ingest.partition_ingest import CATCH_UP_PATIENCE, PartitionIngest
from consumers.metrics.registry import Metrics
from stream.clock import Clock
from stream.log.interface import Log

_LOGGER = logging.getLogger(__name__)

RETENTION_CHECKPOINTS: Final = 10
"""The retention of clicks should cover so many of the longest pauses between checkpoints."""


def warn_of_short_retention(config: GsrConfig) -> None:
    """Say where clicks may leave the log before a checkpoint holds them."""
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


def measure_lag(
    config: GsrConfig,
    log: Log,
    clock: Clock,
    metrics: Metrics,
    parts: Mapping[int, PartitionIngest],
    positions: Mapping[int, int],
) -> int:
    """Set the gauges of lag and of what is in no checkpoint; return the lag in records.

    `positions` are those of the reader: it passes aborted clicks and the markers of transactions,
    which never become part of the state, and which nobody waits for.
    """
    gauge, now = metrics.gauge, clock.time()
    ends = log.end_offsets(config.log.clicks)
    starts = log.start_offsets(config.log.clicks)
    lags: dict[int, int] = {}
    oldest, newest, exposed = 0.0, 0.0, 0.0
    for partition, part in parts.items():
        at, label = part.position, str(partition)
        lags[partition] = max(0, ends[partition] - positions[partition])
        gauge("gsr_ingest_lag_records").labels(label).set(lags[partition])
        margin = part.checkpointed_offset - starts[partition]
        gauge("gsr_ingest_checkpoint_margin_records").labels(label).set(margin)
        if part.watermark > 0:
            gauge("gsr_ingest_watermark_timestamp_seconds").labels(label).set(part.watermark)
        if part.exposed_since is not None:
            exposed = max(exposed, now - part.exposed_since)
        if at.append_time is not None:
            newest = max(newest, at.append_time)
            if lags[partition]:
                oldest = max(oldest, now - at.append_time)
    gauge("gsr_ingest_lag_seconds").set(max(0.0, oldest))
    if newest:
        gauge("gsr_ingest_newest_append_timestamp_seconds").set(newest)
    retention = config.log.clicks_retention_seconds
    gauge("gsr_ingest_retention_used_ratio").set(exposed / retention if retention else 0.0)
    return sum(lags.values())


def measure_state(
    config: GsrConfig, metrics: Metrics, parts: Mapping[int, PartitionIngest]
) -> None:
    """Set the gauges of the state; asking RocksDB takes milliseconds."""
    stats = [part.stats() for part in parts.values()]
    count = len(parts)
    values = {
        "sequence_backlog_users": sum(p.sequences.waiting_users for p in parts.values()),
        "resending_partitions": sum(p.sequences.resending for p in parts.values()),
        "longest_interpreter_hold_seconds": max((s.longest_hold_seconds for s in stats), default=0),
        "cached_users": sum(s.users_cached for s in stats),
        "cached_users_limit": config.ingest.cached_users * count,
        "cached_user_bytes": sum(s.user_bytes for s in stats),
        "cached_user_limit_bytes": config.ingest.cached_user_bytes * count,
        "items": sum(s.items for s in stats),
        "items_limit": config.state.max_items * count,
        "edges": sum(s.edges for s in stats),
        "dirty_bytes": sum(s.dirty_bytes for s in stats),
        "feed_bytes": sum(s.feed_bytes for s in stats),
        "feed_limit_bytes": config.state.feed_bytes * count,
        "state_bytes": sum(s.rocksdb_disk_bytes for s in stats),
        "rocksdb_memory_bytes": sum(s.rocksdb_memory_bytes for s in stats),
    }
    for name, value in values.items():
        metrics.gauge(f"gsr_ingest_{name}").set(value)

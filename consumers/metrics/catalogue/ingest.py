"""Metrics of ingest."""

from types import MappingProxyType
from typing import Final

from consumers.metrics.catalogue.spec import PARTITION_CHANGES, counter, gauge, histogram
from stream.events.clicks.bad_record import REASONS

CLICK_OUTCOMES: Final = ("accepted", "duplicate", "too_old", "forgotten")

_PARTITION: Final = MappingProxyType({"partition": ()})

INGEST: Final = (
    counter(
        "gsr_ingest_records_total",
        "Records read from clicks.",
        "Traffic. Its rate against the producers' says whether ingest keeps up.",
    ),
    counter(
        "gsr_ingest_clicks_total",
        "Valid clicks by what became of them.",
        "Mostly duplicate: a producer repeats itself. Many too_old: clicks arrive late.",
        labels={"outcome": CLICK_OUTCOMES},
    ),
    counter(
        "gsr_ingest_bad_records_total",
        "Refused records by reason; they are on the dead-letter topic.",
        "A jump of one reason: a producer changed its format.",
        labels={"reason": REASONS},
    ),
    counter(
        "gsr_ingest_damaged_records_total",
        "Offsets of clicks that nobody can read, set aside (ingest.skip_damaged).",
        "Any: the state lacks these clicks; dead letters with the reason damaged name them.",
    ),
    counter(
        "gsr_ingest_oversized_sequences_total",
        "Sequences that were left out because their topic takes no record of that size.",
        "Any: raise max.message.bytes of sequences; these users' lists stand still.",
    ),
    counter(
        "gsr_ingest_forgotten_users_total",
        "Forget records applied.",
        "Requests of deletion that were carried out.",
    ),
    gauge(
        "gsr_ingest_lag_records",
        "Records that can be read and are not applied, by partition.",
        "Growing for minutes: ingest does not keep up.",
        labels=_PARTITION,
    ),
    gauge(
        "gsr_ingest_withheld_records",
        "Records that nobody can read before an open transaction ends, by partition.",
        "Growing for minutes: a producer hangs in a transaction.",
        labels=_PARTITION,
    ),
    gauge(
        "gsr_ingest_progress_timestamp_seconds",
        "When a partition last advanced, or had nothing to read.",
        "Minutes ago: it is stuck; lag_records and withheld_records say before what.",
        labels=_PARTITION,
    ),
    gauge(
        "gsr_ingest_lag_seconds",
        "How long the oldest record that waits has waited at most; 0 where none does.",
        "What users feel of a lag. It grows also while the log cannot be asked.",
    ),
    gauge(
        "gsr_ingest_newest_append_timestamp_seconds",
        "Append time of the newest record applied.",
        "Old with no lag: nobody sends clicks.",
    ),
    gauge(
        "gsr_ingest_watermark_timestamp_seconds",
        "Newest event time seen, by partition.",
        "The now of all decay. Far behind the clock in live use: producers send old times.",
        labels=_PARTITION,
    ),
    histogram(
        "gsr_ingest_flush_seconds",
        "Time of one flush of changed state to disk.",
        "Growing: the disk is slow, or flushes are too rare.",
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    ),
    gauge(
        "gsr_ingest_longest_interpreter_hold_seconds",
        "Longest time that a flush held the interpreter since the start.",
        "Bounds how late /livez can answer; above 1: lower ingest.flush_dirty_bytes.",
    ),
    gauge(
        "gsr_ingest_flush_timestamp_seconds",
        "When state last flushed.",
        "Old with traffic: state is not becoming durable.",
    ),
    counter(
        "gsr_ingest_checkpoints_total",
        "Checkpoints published.",
        "Standing still with traffic: the trainer sees nothing new.",
    ),
    gauge(
        "gsr_ingest_checkpoint_timestamp_seconds",
        "When the newest checkpoint was published.",
        "Its age plus a margin must stay below the retention of clicks.",
    ),
    gauge(
        "gsr_ingest_checkpoint_margin_records",
        "Records between the log's start and the newest checkpoint, by partition.",
        "Near 0: a lost or moved partition could not be restored. Raise the retention.",
        labels=_PARTITION,
    ),
    gauge(
        "gsr_ingest_retention_used_ratio",
        "Age of the oldest click that is in no checkpoint, over the retention of clicks.",
        "Alert well below 1; at 1 a lost or moved partition loses clicks.",
    ),
    counter(
        "gsr_ingest_lost_records_total",
        "Records that left the log before they were applied (ingest.accept_gap).",
        "Any: the state lacks clicks for good.",
    ),
    gauge(
        "gsr_ingest_partitions",
        "Partitions owned and read.",
        "Over all ingest processes their sum is the number of partitions.",
    ),
    counter(
        "gsr_ingest_partition_changes_total",
        "Partitions that came and went, by how.",
        "Growing all the time: processes hang or restart. lost, fenced: one was too slow.",
        labels={"change": PARTITION_CHANGES},
    ),
    gauge(
        "gsr_ingest_locked_partitions",
        "Partitions whose state directory another process still holds.",
        "Above 0 for ingest.lock_wait_seconds: ingest stops and names the process.",
    ),
    gauge(
        "gsr_ingest_restoring_partitions",
        "Partitions whose checkpoint is being fetched.",
        "Above 0 for long: the artifact store is slow or away; see the messages.",
    ),
    histogram(
        "gsr_ingest_restore_seconds",
        "From a partition's assignment until its restored state is open.",
        "How long a move interrupts a partition, without the catching up.",
        buckets=(0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0),
    ),
    histogram(
        "gsr_ingest_revoke_seconds",
        "Time to flush and hand over partitions when they are revoked.",
        "Must stay far below the group's rebalance timeout.",
        buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    ),
    counter(
        "gsr_ingest_sequences_total",
        "Sequence records sent.",
        "Refreshed users. Below accepted clicks: users are coalesced, which is fine.",
    ),
    counter(
        "gsr_ingest_sequence_bytes_total",
        "Bytes of sequences sent.",
        "Near ingest.sequence_bytes_per_second: sequences are throttled.",
    ),
    gauge(
        "gsr_ingest_sequence_backlog_users",
        "Touched users whose sequence is not yet sent.",
        "Growing: catch-up, or the byte rate is too low.",
    ),
    gauge(
        "gsr_ingest_resending_partitions",
        "Partitions of which everybody's sequence is sent again, since the topic lost some.",
        "0; else `sequences` was deleted or emptied, and lists follow as it is filled.",
    ),
    gauge(
        "gsr_ingest_cached_users",
        "Users held in memory.",
        "At its limit: others are read from disk, which is slower.",
    ),
    gauge(
        "gsr_ingest_cached_users_limit",
        "Most users held in memory.",
        "ingest.cached_users times partitions.",
    ),
    gauge(
        "gsr_ingest_cached_user_bytes",
        "Memory of the users held.",
        "At its limit: others are read from disk, which is slower.",
    ),
    gauge(
        "gsr_ingest_cached_user_limit_bytes",
        "Most memory of the users held.",
        "ingest.cached_user_bytes times partitions.",
    ),
    gauge(
        "gsr_ingest_items",
        "Items known, over all partitions.",
        "At its limit: those clicked longest ago are dropped.",
    ),
    gauge(
        "gsr_ingest_items_limit",
        "Most items known.",
        "state.max_items times partitions.",
    ),
    gauge(
        "gsr_ingest_edges",
        "Edges of the item graph.",
        "Size of the graph.",
    ),
    gauge(
        "gsr_ingest_dirty_bytes",
        "Changed state not yet flushed.",
        "What a crash has to re-read.",
    ),
    gauge(
        "gsr_ingest_feed_bytes",
        "Accepted clicks kept for the trainer.",
        "At its limit: a stopped trainer will find a gap.",
    ),
    gauge(
        "gsr_ingest_feed_limit_bytes",
        "Most bytes of accepted clicks.",
        "state.feed_bytes times partitions.",
    ),
    gauge(
        "gsr_ingest_state_bytes",
        "Size of the state on disk.",
        "Plan disks by it; checkpoints share most of it by hard links.",
    ),
    gauge(
        "gsr_ingest_rocksdb_memory_bytes",
        "Memory held by RocksDB.",
        "Part of the resident memory.",
    ),
)

"""Metrics of the publisher."""

from typing import Final, get_args

from consumers.metrics.catalogue.spec import PARTITION_CHANGES, counter, gauge, histogram
from stream.events.records.recommendation import Reason

PUBLISHER: Final = (
    gauge(
        "gsr_publisher_partitions",
        "Partitions owned and served.",
        "Over all publishers their sum is the number of partitions.",
    ),
    gauge(
        "gsr_publisher_restoring_partitions",
        "Partitions whose lists and sequences are being read before they are served.",
        "Above 0 for minutes: the topics are long, or the log is slow.",
    ),
    counter(
        "gsr_publisher_partition_changes_total",
        "Partitions that came and went, by how.",
        "Growing all the time: processes hang or restart. lost, fenced: one was too slow.",
        labels={"change": PARTITION_CHANGES},
    ),
    histogram(
        "gsr_publisher_restore_seconds",
        "From a partition's assignment until it is served.",
        "How long a move interrupts the lists of a partition.",
        buckets=(0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0),
    ),
    counter(
        "gsr_publisher_damaged_records_total",
        "Records of sequences, recommendations and items that nobody can read, passed over.",
        "Any: lists or take-downs of some users or items are out of date; see the message.",
    ),
    counter(
        "gsr_publisher_foreign_records_total",
        "Records of these topics that are none of ours, or of a newer version, passed over.",
        "Any: something else writes to our topics, or a newer gsr does: upgrade the publisher.",
    ),
    counter(
        "gsr_publisher_oversized_lists_total",
        "Lists that were left out because their topic takes no record of that size.",
        "Any: raise max.message.bytes of the topic, or lower publisher.list_length.",
    ),
    counter(
        "gsr_publisher_sequences_total",
        "Sequence records read.",
        "Must follow what ingest sends.",
    ),
    gauge(
        "gsr_publisher_lag_records",
        "Sequence records that wait.",
        "Growing: the publisher does not keep up.",
    ),
    gauge(
        "gsr_publisher_progress_timestamp_seconds",
        "When the partition that stood still longest last advanced, or had nothing to read.",
        "Minutes ago: the publisher cannot read `sequences`.",
    ),
    counter(
        "gsr_publisher_lists_total",
        "Lists sent by reason.",
        "What goes out: click is freshness, model the walk, items take-downs, cold newcomers.",
        labels={"reason": get_args(Reason)},
    ),
    counter(
        "gsr_publisher_unchanged_lists_total",
        "Lists computed but not sent, because nothing changed.",
        "High after a new model: it changed little.",
    ),
    counter(
        "gsr_publisher_tombstones_total",
        "Lists withdrawn.",
        "Forgotten users.",
    ),
    gauge(
        "gsr_publisher_due_users",
        "Users whose list is due.",
        "Growing: lists go out late.",
    ),
    gauge(
        "gsr_publisher_kept_record_bytes",
        "Sequences kept in memory, so that they need not be read again.",
        "At its limit: lists are slow to make; raise publisher.kept_record_bytes.",
    ),
    gauge(
        "gsr_publisher_kept_record_limit_bytes",
        "Limit of gsr_publisher_kept_record_bytes.",
        "Setting publisher.kept_record_bytes.",
    ),
    gauge(
        "gsr_publisher_walk_remaining_users",
        "Active users whom the walk to the newest version has not reached.",
        "Never 0: versions come faster than publisher.walk_users_per_second serves.",
    ),
    gauge(
        "gsr_publisher_walk_progress_ratio",
        "Share of the walk done.",
        "1: everyone active has a list of the newest version.",
    ),
    histogram(
        "gsr_publisher_click_to_list_seconds",
        "From a click's append to its refreshed list on the topic.",
        "Freshness, the promise to users: p99 below 1 in calm operation.",
        buckets=(
            0.025,
            0.05,
            0.1,
            0.2,
            0.3,
            0.5,
            0.75,
            1.0,
            1.5,
            2.0,
            3.0,
            5.0,
            10.0,
            30.0,
            60.0,
            300.0,
        ),
    ),
    histogram(
        "gsr_publisher_score_seconds",
        "Time to score one batch.",
        "Compute share of the latency.",
        buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
    ),
    gauge(
        "gsr_publisher_list_timestamp_seconds",
        "When a list last went.",
        "Old while sequences arrive: publishing fails.",
    ),
    gauge(
        "gsr_publisher_model_version",
        "Model version that is served.",
        "Must follow the trainer's snapshot version within seconds; 0: counters only.",
    ),
    gauge(
        "gsr_publisher_model_timestamp_seconds",
        "When the served model was made.",
        "Old: the trainer stopped or rejects everything.",
    ),
    gauge(
        "gsr_publisher_view_timestamp_seconds",
        "When the served counters were made.",
        "Older than a minute: the trainer stopped.",
    ),
    gauge(
        "gsr_publisher_users",
        "Users kept in memory.",
        "At publisher.kept_users: those whose click is oldest leave.",
    ),
    gauge(
        "gsr_publisher_blocked_items",
        "Items that may not be listed.",
        "Take-downs and expired items.",
    ),
)

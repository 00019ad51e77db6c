"""Every metric that gsr exports, in one place: name, kind, unit, labels, and what it tells.

`docs/metrics.md` is written from this list. The rules of the names: prefix `gsr_`, base units in
plural as a suffix, `_total` on counters only, `_ratio` for 0 to 1, `_timestamp_seconds` for *when*
(an age is `time() - x` in a query), no ids as labels, and a sum over any label makes sense or the
label is what one selects by (`k`, `slice`, `model`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from stream.events.clicks.bad_record import REASONS

Kind = Literal["counter", "gauge", "histogram", "info"]
RoleName = Literal["ingest", "trainer", "publisher"]

ROLES: Final[tuple[RoleName, ...]] = ("ingest", "trainer", "publisher")

BAD_REASONS: Final = REASONS
CLICK_OUTCOMES: Final = ("accepted", "duplicate", "too_old", "forgotten")
PARTITION_CHANGES: Final = ("assigned", "revoked", "lost", "fenced")
CYCLE_RESULTS: Final = ("promoted", "rejected", "idle", "failed")
MODELS: Final = ("joint", "popularity", "graph")
CUTS: Final = ("5", "10", "20")
SLICES: Final = ("all", "new_users", "new_items")
DETECTORS: Final = ("adwin", "page_hinkley")
LOG_EVENTS: Final = (
    *("reconnects", "retries", "rebalances", "lost_partitions", "fetch_errors", "stalls"),
)
LIST_REASONS: Final = ("click", "model", "items", "cold")

_QUALITY: Final = MappingProxyType({"model": MODELS, "k": CUTS, "slice": SLICES})


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """One metric.

    Parameters
    ----------
    name
        As scraped; counters with `_total`.
    kind
        Counter, gauge, histogram or info.
    unit
        `seconds`, `bytes`, `ratio`, `records`, ... for the reader of the manual.
    help
        What is measured; one line in /metrics.
    meaning
        What an operator reads from it.
    role
        Whose it is; None: every role has it.
    labels
        Label -> its values, which exist from the start at 0; no values where they are only known
        later (partitions).
    buckets
        Upper bounds of a histogram, in its unit.
    """

    name: str
    kind: Kind
    unit: str
    help: str
    meaning: str
    role: RoleName | None
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()


def _specs(
    role: RoleName | None, rows: tuple[tuple[str, Kind, str, str, str], ...]
) -> tuple[MetricSpec, ...]:
    return tuple(
        MetricSpec(
            name=name,
            kind=kind,
            unit=unit,
            help=text,
            meaning=meaning,
            role=role,
            labels=_LABELS.get(name, {}),
            buckets=_BUCKETS.get(name, ()),
        )
        for name, kind, unit, text, meaning in rows
    )


_LABELS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "gsr_log_events_total": {"event": LOG_EVENTS},
    "gsr_ingest_clicks_total": {"outcome": CLICK_OUTCOMES},
    "gsr_ingest_bad_records_total": {"reason": BAD_REASONS},
    "gsr_ingest_lag_records": {"partition": ()},
    "gsr_ingest_withheld_records": {"partition": ()},
    "gsr_ingest_progress_timestamp_seconds": {"partition": ()},
    "gsr_ingest_watermark_timestamp_seconds": {"partition": ()},
    "gsr_ingest_partition_changes_total": {"change": PARTITION_CHANGES},
    "gsr_ingest_checkpoint_margin_records": {"partition": ()},
    "gsr_publisher_partition_changes_total": {"change": PARTITION_CHANGES},
    "gsr_trainer_cycles_total": {"result": CYCLE_RESULTS},
    "gsr_trainer_hit_ratio": _QUALITY,
    "gsr_trainer_ndcg_ratio": _QUALITY,
    "gsr_trainer_mrr_ratio": _QUALITY,
    "gsr_trainer_drift_alarms_total": {"detector": DETECTORS},
    "gsr_publisher_lists_total": {"reason": LIST_REASONS},
}

_BUCKETS: Final[Mapping[str, tuple[float, ...]]] = {
    "gsr_ingest_flush_seconds": (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    "gsr_ingest_revoke_seconds": (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    "gsr_ingest_restore_seconds": (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0),
    "gsr_publisher_restore_seconds": (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0),
    "gsr_trainer_cycle_seconds": (0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0),
    "gsr_publisher_click_to_list_seconds": (
        *(0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0),
        *(3.0, 5.0, 10.0, 30.0, 60.0, 300.0),
    ),
    "gsr_publisher_score_seconds": (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
}

_PROCESS = _specs(
    None,
    (
        (
            *("gsr_build_info", "info", "", "Version of gsr and name of the role."),
            "Which version runs where.",
        ),
        (
            *("gsr_heartbeat_timestamp_seconds", "gauge", "seconds"),
            "When the role's loop last came round.",
            "Older than a minute or two: the process hangs; /livez fails, SIGUSR1 shows where.",
        ),
        (
            *("gsr_steps_total", "counter", "steps", "Rounds of the role's loop."),
            "Standing still: see the heartbeat.",
        ),
        (
            *("gsr_retries_total", "counter", "retries"),
            "Passing troubles (log away, file system busy) that were retried.",
            "Growing: the log or the disk has trouble that has not yet stopped the role.",
        ),
        (
            *("gsr_log_events_total", "counter", "events"),
            "What the Kafka client went through, by kind; 0 with the embedded log.",
            "rebalances growing: members hang or restart. reconnects growing: a broker is away.",
        ),
        (
            *("gsr_log_member_heartbeat_timestamp_seconds", "gauge", "seconds"),
            "When the group's coordinator last answered this member; 0: no member of a group.",
            "Older than kafka.session_timeout_seconds: its partitions are being given to others.",
        ),
        (
            *("gsr_log_partitions_past_end", "gauge", "partitions"),
            "Partitions whose position is past the end of the log.",
            "Above 0 for long: the cluster lost records that were acknowledged.",
        ),
        (
            *("gsr_log_slow_decoder", "gauge", ""),
            "1 where Kafka batches are decoded record by record, 0 where in columns.",
            "1: the Kafka client is another version than the decoder was made for; see the log.",
        ),
    ),
)

_INGEST = _specs(
    "ingest",
    (
        (
            *("gsr_ingest_records_total", "counter", "records", "Records read from clicks."),
            "Traffic. Its rate against the producers' says whether ingest keeps up.",
        ),
        (
            *("gsr_ingest_clicks_total", "counter", "clicks"),
            "Valid clicks by what became of them.",
            "Mostly duplicate: a producer repeats itself. Many too_old: clicks arrive late.",
        ),
        (
            *("gsr_ingest_bad_records_total", "counter", "records"),
            "Refused records by reason; they are on the dead-letter topic.",
            "A jump of one reason: a producer changed its format.",
        ),
        (
            *("gsr_ingest_damaged_records_total", "counter", "records"),
            "Offsets of clicks that nobody can read, set aside (ingest.skip_damaged).",
            "Any: the state lacks these clicks; dead letters with the reason damaged name them.",
        ),
        (
            *("gsr_ingest_oversized_sequences_total", "counter", "records"),
            "Sequences that were left out because their topic takes no record of that size.",
            "Any: raise max.message.bytes of sequences; these users' lists stand still.",
        ),
        (
            *("gsr_ingest_forgotten_users_total", "counter", "users", "Forget records applied."),
            "Requests of deletion that were carried out.",
        ),
        (
            *("gsr_ingest_lag_records", "gauge", "records"),
            "Records that can be read and are not applied, by partition.",
            "Growing for minutes: ingest does not keep up.",
        ),
        (
            *("gsr_ingest_withheld_records", "gauge", "records"),
            "Records that nobody can read before an open transaction ends, by partition.",
            "Growing for minutes: a producer hangs in a transaction.",
        ),
        (
            *("gsr_ingest_progress_timestamp_seconds", "gauge", "seconds"),
            "When a partition last advanced, or had nothing to read.",
            "Minutes ago: it is stuck; lag_records and withheld_records say before what.",
        ),
        (
            *("gsr_ingest_lag_seconds", "gauge", "seconds"),
            "How long the oldest record that waits has waited at most; 0 where none does.",
            "What users feel of a lag. It grows also while the log cannot be asked.",
        ),
        (
            *("gsr_ingest_newest_append_timestamp_seconds", "gauge", "seconds"),
            "Append time of the newest record applied.",
            "Old with no lag: nobody sends clicks.",
        ),
        (
            *("gsr_ingest_watermark_timestamp_seconds", "gauge", "seconds"),
            "Newest event time seen, by partition.",
            "The now of all decay. Far behind the clock in live use: producers send old times.",
        ),
        (
            *("gsr_ingest_flush_seconds", "histogram", "seconds"),
            "Time of one flush of changed state to disk.",
            "Growing: the disk is slow, or flushes are too rare.",
        ),
        (
            *("gsr_ingest_longest_interpreter_hold_seconds", "gauge", "seconds"),
            "Longest time that a flush held the interpreter since the start.",
            "Bounds how late /livez can answer; above 1: lower ingest.flush_bytes.",
        ),
        (
            *("gsr_ingest_flush_timestamp_seconds", "gauge", "seconds", "When state last flushed."),
            "Old with traffic: state is not becoming durable.",
        ),
        (
            *("gsr_ingest_checkpoints_total", "counter", "checkpoints", "Checkpoints published."),
            "Standing still with traffic: the trainer sees nothing new.",
        ),
        (
            *("gsr_ingest_checkpoint_timestamp_seconds", "gauge", "seconds"),
            "When the newest checkpoint was published.",
            "Its age plus a margin must stay below the retention of clicks.",
        ),
        (
            *("gsr_ingest_checkpoint_margin_records", "gauge", "records"),
            "Records between the log's start and the newest checkpoint, by partition.",
            "Near 0: a lost or moved partition could not be restored. Raise the retention.",
        ),
        (
            *("gsr_ingest_retention_used_ratio", "gauge", "ratio"),
            "Age of the oldest click that is in no checkpoint, over the retention of clicks.",
            "Alert well below 1; at 1 a lost or moved partition loses clicks.",
        ),
        (
            *("gsr_ingest_lost_records_total", "counter", "records"),
            "Records that left the log before they were applied (ingest.accept_gap).",
            "Any: the state lacks clicks for good.",
        ),
        (
            *("gsr_ingest_partitions", "gauge", "partitions", "Partitions owned and read."),
            "Over all ingest processes their sum is the number of partitions.",
        ),
        (
            *("gsr_ingest_partition_changes_total", "counter", "partitions"),
            "Partitions that came and went, by how.",
            "Growing all the time: processes hang or restart. lost, fenced: one was too slow.",
        ),
        (
            *("gsr_ingest_locked_partitions", "gauge", "partitions"),
            "Partitions whose state directory another process still holds.",
            "Above 0 for ingest.lock_wait_seconds: ingest stops and names the process.",
        ),
        (
            *("gsr_ingest_restoring_partitions", "gauge", "partitions"),
            "Partitions whose checkpoint is being fetched.",
            "Above 0 for long: the artifact store is slow or away; see the messages.",
        ),
        (
            *("gsr_ingest_restore_seconds", "histogram", "seconds"),
            "From a partition's assignment until its restored state is open.",
            "How long a move interrupts a partition, without the catching up.",
        ),
        (
            *("gsr_ingest_revoke_seconds", "histogram", "seconds"),
            "Time to flush and hand over partitions when they are revoked.",
            "Must stay far below the group's rebalance timeout.",
        ),
        (
            *("gsr_ingest_sequences_total", "counter", "records", "Sequence records sent."),
            "Refreshed users. Below accepted clicks: users are coalesced, which is fine.",
        ),
        (
            *("gsr_ingest_sequence_bytes_total", "counter", "bytes", "Bytes of sequences sent."),
            "Near ingest.sequence_bytes_per_second: sequences are throttled.",
        ),
        (
            *("gsr_ingest_sequence_backlog_users", "gauge", "users"),
            "Touched users whose sequence is not yet sent.",
            "Growing: catch-up, or the byte rate is too low.",
        ),
        (
            *("gsr_ingest_resending_partitions", "gauge", "partitions"),
            "Partitions of which everybody's sequence is sent again, since the topic lost some.",
            "0; else `sequences` was deleted or emptied, and lists follow as it is filled.",
        ),
        (
            *("gsr_ingest_cached_users", "gauge", "users", "Users held in memory."),
            "At its limit: others are read from disk, which is slower.",
        ),
        (
            *("gsr_ingest_cached_users_limit", "gauge", "users", "Most users held in memory."),
            "ingest.cached_users times partitions.",
        ),
        (
            *("gsr_ingest_cached_user_bytes", "gauge", "bytes", "Memory of the users held."),
            "At its limit: others are read from disk, which is slower.",
        ),
        (
            *("gsr_ingest_cached_user_limit_bytes", "gauge", "bytes"),
            "Most memory of the users held.",
            "ingest.cached_user_bytes times partitions.",
        ),
        (
            *("gsr_ingest_items", "gauge", "items", "Items known, over all partitions."),
            "At its limit: those clicked longest ago are dropped.",
        ),
        (
            *("gsr_ingest_items_limit", "gauge", "items", "Most items known."),
            "state.max_items times partitions.",
        ),
        (
            *("gsr_ingest_edges", "gauge", "edges", "Edges of the item graph."),
            "Size of the graph.",
        ),
        (
            *("gsr_ingest_dirty_bytes", "gauge", "bytes", "Changed state not yet flushed."),
            "What a crash has to re-read.",
        ),
        (
            *("gsr_ingest_feed_bytes", "gauge", "bytes", "Accepted clicks kept for the trainer."),
            "At its limit: a stopped trainer will find a gap.",
        ),
        (
            *("gsr_ingest_feed_limit_bytes", "gauge", "bytes", "Most bytes of accepted clicks."),
            "state.feed_bytes times partitions.",
        ),
        (
            *("gsr_ingest_state_bytes", "gauge", "bytes", "Size of the state on disk."),
            "Plan disks by it; checkpoints share most of it by hard links.",
        ),
        (
            *("gsr_ingest_rocksdb_memory_bytes", "gauge", "bytes", "Memory held by RocksDB."),
            "Part of the resident memory.",
        ),
    ),
)

_TRAINER = _specs(
    "trainer",
    (
        (
            *("gsr_trainer_cycles_total", "counter", "cycles", "Learning cycles by result."),
            "Only rejected: learning does not help any more; look at the drift gauges.",
        ),
        (
            *("gsr_trainer_cycle_seconds", "histogram", "seconds", "Time of one learning cycle."),
            "Near trainer.budget_seconds: learning is shed.",
        ),
        (
            *("gsr_trainer_cycle_timestamp_seconds", "gauge", "seconds"),
            "When a cycle last finished.",
            "Older than a few trainer.cycle_seconds with traffic: the trainer is stuck or starved.",
        ),
        (
            *("gsr_trainer_clicks_tested_total", "counter", "clicks"),
            "Fresh clicks that went through the test.",
            "Must follow accepted clicks.",
        ),
        (
            *("gsr_trainer_clicks_scored_total", "counter", "clicks"),
            "Tested clicks that count for quality (user known, item not in their buffer).",
            "The weight of the quality gauges.",
        ),
        (
            *("gsr_trainer_clicks_learned_total", "counter", "clicks", "Fresh clicks learned."),
            "Below tested: clicks are shed or held back for the judge.",
        ),
        (
            *("gsr_trainer_clicks_replayed_total", "counter", "clicks", "Older clicks relearned."),
            "0 for long: replay is shed, the model forgets.",
        ),
        (
            *("gsr_trainer_clicks_shed_total", "counter", "clicks"),
            "Clicks, fresh or replayed, not learned for lack of time; they still count.",
            "Growing: give the trainer more cores, or raise trainer.cycle_max_clicks.",
        ),
        (
            *("gsr_trainer_clicks_missed_total", "counter", "clicks"),
            "Accepted clicks that left the feed before the trainer read them.",
            "Any: the trainer was away for longer than state.feed_bytes holds.",
        ),
        (
            *("gsr_trainer_lag_clicks", "gauge", "clicks"),
            "Accepted clicks of the newest checkpoints not yet tested.",
            "Growing: the trainer does not keep up.",
        ),
        (
            *("gsr_trainer_newest_append_timestamp_seconds", "gauge", "seconds"),
            "Append time of the newest click tested.",
            "How far the trainer's picture lies behind.",
        ),
        (
            *("gsr_trainer_hit_ratio", "gauge", "ratio"),
            "HR@k over the recent scored clicks, each ranked before it was learned.",
            "The model's quality now, beside two counters. joint below graph: do not serve joint.",
        ),
        (
            *("gsr_trainer_ndcg_ratio", "gauge", "ratio", "NDCG@k, likewise."),
            "Like the hit ratio, with weight on high ranks.",
        ),
        (
            *("gsr_trainer_mrr_ratio", "gauge", "ratio", "MRR@k, likewise."),
            "Like the hit ratio, mostly the first few ranks.",
        ),
        (
            *("gsr_trainer_drift_alarms_total", "counter", "alarms"),
            "Alarms of the drift detectors on single outcomes.",
            "Behaviour changed; learning works harder until it is calm. Many: look at the data.",
        ),
        (
            *("gsr_trainer_drift_active", "gauge", "", "1 while learning works harder by drift."),
            "1 for hours: the model does not catch up.",
        ),
        (
            *("gsr_trainer_popularity_psi", "gauge", "", "Shift of item popularity (PSI)."),
            "Below 0.1 stable, to 0.25 watch, above act. News moves fast by nature.",
        ),
        (
            *("gsr_trainer_embedding_movement_ratio", "gauge", "ratio"),
            "Mean cosine distance of item vectors between the last two snapshots.",
            "A jump: learning is unstable, or the world changed.",
        ),
        (
            *("gsr_trainer_graph_churn_ratio", "gauge", "ratio"),
            "Share of the items' strongest neighbours replaced since the view before.",
            "How fast co-click structure moves.",
        ),
        (
            *("gsr_trainer_catalogue_coverage_ratio", "gauge", "ratio"),
            "Share of items that were in a recent top list.",
            "Falling to 0: everyone gets the same few items.",
        ),
        (
            *("gsr_trainer_new_item_ratio", "gauge", "ratio"),
            "Share of recent clicks on items that were new.",
            "High: quality hangs on how new items are handled; see slice new_items.",
        ),
        (
            *("gsr_trainer_loss", "gauge", "nats", "Mean training loss of the last cycle."),
            "Not finite or jumping: weights are dropped, see the cycles.",
        ),
        (
            *("gsr_trainer_learning_effort_ratio", "gauge", "ratio"),
            "Learning effort as a multiple of the normal one.",
            "Above 1 after a drift alarm.",
        ),
        (
            *("gsr_trainer_snapshot_version", "gauge", "", "Newest model version."),
            "Grows with each promotion; 0 before the first.",
        ),
        (
            *("gsr_trainer_snapshot_timestamp_seconds", "gauge", "seconds"),
            "When the newest snapshot was published.",
            "Old with promoted cycles: the artifact store has trouble.",
        ),
        (
            *("gsr_trainer_view_timestamp_seconds", "gauge", "seconds"),
            "When the newest serving view was published.",
            "Older than a minute: the publisher serves stale counters.",
        ),
        (
            *("gsr_trainer_items", "gauge", "items", "Items in the trainer's index."),
            "Rows of the embedding table in use.",
        ),
        (
            *("gsr_trainer_users", "gauge", "users", "Users in the trainer's mirror."),
            "What its memory grows with.",
        ),
        (
            *("gsr_trainer_reservoir_bytes", "gauge", "bytes", "Clicks kept for replay."),
            "At its limit: the oldest are replaced, which is fine.",
        ),
        (
            *("gsr_trainer_reservoir_limit_bytes", "gauge", "bytes", "Most bytes for replay."),
            "By configuration.",
        ),
    ),
)

_PUBLISHER = _specs(
    "publisher",
    (
        (
            *("gsr_publisher_partitions", "gauge", "partitions", "Partitions owned and served."),
            "Over all publishers their sum is the number of partitions.",
        ),
        (
            *("gsr_publisher_restoring_partitions", "gauge", "partitions"),
            "Partitions whose lists and sequences are being read before they are served.",
            "Above 0 for minutes: the topics are long, or the log is slow.",
        ),
        (
            *("gsr_publisher_partition_changes_total", "counter", "partitions"),
            "Partitions that came and went, by how.",
            "Growing all the time: processes hang or restart. lost, fenced: one was too slow.",
        ),
        (
            *("gsr_publisher_restore_seconds", "histogram", "seconds"),
            "From a partition's assignment until it is served.",
            "How long a move interrupts the lists of a partition.",
        ),
        (
            *("gsr_publisher_damaged_records_total", "counter", "records"),
            "Records of sequences, recommendations and items that nobody can read, passed over.",
            "Any: lists or take-downs of some users or items are out of date; see the message.",
        ),
        (
            *("gsr_publisher_foreign_records_total", "counter", "records"),
            "Records of these topics that are none of ours, or of a newer version, passed over.",
            "Any: something else writes to our topics, or a newer gsr does: upgrade the publisher.",
        ),
        (
            *("gsr_publisher_oversized_lists_total", "counter", "records"),
            "Lists that were left out because their topic takes no record of that size.",
            "Any: raise max.message.bytes of the topic, or lower publisher.list_length.",
        ),
        (
            *("gsr_publisher_sequences_total", "counter", "records", "Sequence records read."),
            "Must follow what ingest sends.",
        ),
        (
            *("gsr_publisher_lag_records", "gauge", "records", "Sequence records that wait."),
            "Growing: the publisher does not keep up.",
        ),
        (
            *("gsr_publisher_progress_timestamp_seconds", "gauge", "seconds"),
            "When the partition that stood still longest last advanced, or had nothing to read.",
            "Minutes ago: the publisher cannot read `sequences`.",
        ),
        (
            *("gsr_publisher_lists_total", "counter", "records", "Lists sent by reason."),
            "What goes out: click is freshness, model the walk, items take-downs, cold newcomers.",
        ),
        (
            *("gsr_publisher_unchanged_lists_total", "counter", "lists"),
            "Lists computed but not sent, because nothing changed.",
            "High after a new model: it changed little.",
        ),
        (
            *("gsr_publisher_tombstones_total", "counter", "records", "Lists withdrawn."),
            "Forgotten users.",
        ),
        (
            *("gsr_publisher_due_users", "gauge", "users", "Users whose list is due."),
            "Growing: lists go out late.",
        ),
        (
            *("gsr_publisher_kept_record_bytes", "gauge", "bytes"),
            "Sequences kept in memory, so that they need not be read again.",
            "At its limit: lists are slow to make; raise publisher.kept_record_bytes.",
        ),
        (
            *("gsr_publisher_kept_record_limit_bytes", "gauge", "bytes"),
            "Limit of gsr_publisher_kept_record_bytes.",
            "Setting publisher.kept_record_bytes.",
        ),
        (
            *("gsr_publisher_walk_remaining_users", "gauge", "users"),
            "Active users whom the walk to the newest version has not reached.",
            "Never 0: versions come faster than publisher.walk_users_per_second serves.",
        ),
        (
            *("gsr_publisher_walk_progress_ratio", "gauge", "ratio", "Share of the walk done."),
            "1: everyone active has a list of the newest version.",
        ),
        (
            *("gsr_publisher_click_to_list_seconds", "histogram", "seconds"),
            "From a click's append to its refreshed list on the topic.",
            "Freshness, the promise to users: p99 below 1 in calm operation.",
        ),
        (
            *("gsr_publisher_score_seconds", "histogram", "seconds", "Time to score one batch."),
            "Compute share of the latency.",
        ),
        (
            *("gsr_publisher_list_timestamp_seconds", "gauge", "seconds", "When a list last went."),
            "Old while sequences arrive: publishing fails.",
        ),
        (
            *("gsr_publisher_model_version", "gauge", "", "Model version that is served."),
            "Must follow the trainer's snapshot version within seconds; 0: counters only.",
        ),
        (
            *("gsr_publisher_model_timestamp_seconds", "gauge", "seconds"),
            "When the served model was made.",
            "Old: the trainer stopped or rejects everything.",
        ),
        (
            *("gsr_publisher_view_timestamp_seconds", "gauge", "seconds"),
            "When the served counters were made.",
            "Older than a minute: the trainer stopped.",
        ),
        (
            *("gsr_publisher_users", "gauge", "users", "Users kept in memory."),
            "At publisher.keep_users: those whose click is oldest leave.",
        ),
        (
            *("gsr_publisher_blocked_items", "gauge", "items", "Items that may not be listed."),
            "Take-downs and expired items.",
        ),
    ),
)

CATALOGUE: Final[tuple[MetricSpec, ...]] = _PROCESS + _INGEST + _TRAINER + _PUBLISHER
"""All of them, in the manual's order."""

"""Metrics of the trainer."""

from types import MappingProxyType
from typing import Final

from consumers.metrics.catalogue.spec import counter, gauge, histogram

CYCLE_RESULTS: Final = ("promoted", "rejected", "idle", "failed")
DETECTORS: Final = ("adwin", "page_hinkley")

_QUALITY: Final = MappingProxyType(
    {
        "model": ("joint", "popularity", "graph"),
        "k": ("5", "10", "20"),
        "slice": ("all", "new_users", "new_items"),
    }
)

TRAINER: Final = (
    counter(
        "gsr_trainer_cycles_total",
        "Learning cycles by result.",
        "Only rejected: learning does not help any more; look at the drift gauges.",
        labels={"result": CYCLE_RESULTS},
    ),
    histogram(
        "gsr_trainer_cycle_seconds",
        "Time of one learning cycle.",
        "Near trainer.budget_seconds: learning is shed.",
        buckets=(0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0),
    ),
    gauge(
        "gsr_trainer_cycle_timestamp_seconds",
        "When a cycle last finished.",
        "Older than a few trainer.cycle_seconds with traffic: the trainer is stuck or starved.",
    ),
    counter(
        "gsr_trainer_clicks_counted_total",
        "Fresh clicks counted; each one is, also where there was no time to test it.",
        "Must follow accepted clicks.",
    ),
    counter(
        "gsr_trainer_clicks_scored_total",
        "Tested clicks that count for quality (user known, item not in their buffer).",
        "The weight of the quality gauges.",
    ),
    counter(
        "gsr_trainer_clicks_learned_total",
        "Fresh clicks learned.",
        "Below counted: clicks are shed, kept for the judge, or on items that lists leave out.",
    ),
    counter(
        "gsr_trainer_clicks_replayed_total",
        "Older clicks relearned.",
        "0 for long: replay is shed, the model forgets.",
    ),
    counter(
        "gsr_trainer_clicks_shed_total",
        "Clicks, fresh or replayed, not learned for lack of time; they still count.",
        "Growing: give the trainer more cores, or a smaller learner.replay.",
    ),
    counter(
        "gsr_trainer_clicks_missed_total",
        "Accepted clicks that left the feed before the trainer read them.",
        "Any: the trainer was away for longer than state.feed_bytes holds.",
    ),
    gauge(
        "gsr_trainer_lag_clicks",
        "Accepted clicks of the newest checkpoints not yet counted.",
        "Growing: the trainer does not keep up.",
    ),
    gauge(
        "gsr_trainer_newest_append_timestamp_seconds",
        "Append time of the newest click counted.",
        "How far the trainer's picture lies behind.",
    ),
    gauge(
        "gsr_trainer_hit_ratio",
        "HR@k over the recent scored clicks, each ranked before it was learned.",
        "The model's quality now, beside two counters. joint below graph: do not serve joint.",
        labels=_QUALITY,
    ),
    gauge(
        "gsr_trainer_ndcg_ratio",
        "NDCG@k, likewise.",
        "Like the hit ratio, with weight on high ranks.",
        labels=_QUALITY,
    ),
    gauge(
        "gsr_trainer_mrr_ratio",
        "MRR@k, likewise.",
        "Like the hit ratio, mostly the first few ranks.",
        labels=_QUALITY,
    ),
    counter(
        "gsr_trainer_drift_alarms_total",
        "Alarms of the drift detectors on single outcomes.",
        "Behaviour changed. Many: the model does not catch up; look at the data.",
        labels={"detector": DETECTORS},
    ),
    gauge(
        "gsr_trainer_popularity_psi",
        "Shift of item popularity (PSI).",
        "Below 0.1 stable, to 0.25 watch, above act. News moves fast by nature.",
    ),
    gauge(
        "gsr_trainer_embedding_movement_ratio",
        "Mean cosine distance of item vectors between the last two snapshots.",
        "A jump: learning is unstable, or the world changed.",
    ),
    gauge(
        "gsr_trainer_graph_churn_ratio",
        "Share of the items' strongest neighbours replaced since the view before.",
        "How fast co-click structure moves.",
    ),
    gauge(
        "gsr_trainer_catalogue_coverage_ratio",
        "Share of items that were in a recent top list.",
        "Falling to 0: everyone gets the same few items.",
    ),
    gauge(
        "gsr_trainer_new_item_ratio",
        "Share of recent clicks on items that were new.",
        "High: quality hangs on how new items are handled; see slice new_items.",
    ),
    gauge(
        "gsr_trainer_loss",
        "Mean training loss of the last cycle.",
        "Not finite or jumping: weights are dropped, see the cycles.",
    ),
    gauge(
        "gsr_trainer_snapshot_version",
        "Newest model version.",
        "Grows with each promotion; 0 before the first.",
    ),
    gauge(
        "gsr_trainer_snapshot_timestamp_seconds",
        "When the newest snapshot was published.",
        "Old with promoted cycles: the artifact store has trouble.",
    ),
    gauge(
        "gsr_trainer_view_timestamp_seconds",
        "When the newest serving view was published.",
        "Older than a minute: the publisher serves stale counters.",
    ),
    gauge(
        "gsr_trainer_items",
        "Items in the trainer's index.",
        "Rows of the embedding table in use.",
    ),
    gauge(
        "gsr_trainer_users",
        "Users in the trainer's mirror.",
        "What its memory grows with.",
    ),
    gauge(
        "gsr_trainer_reservoir_bytes",
        "Clicks kept for replay.",
        "At its limit: the oldest are replaced, which is fine.",
    ),
    gauge(
        "gsr_trainer_reservoir_limit_bytes",
        "Most bytes for replay.",
        "By configuration.",
    ),
)

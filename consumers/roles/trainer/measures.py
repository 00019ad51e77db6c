"""The trainer's metrics, set from its parts' reports."""

from collections.abc import Mapping
from typing import Final

from consumers.metrics.names import CounterName, GaugeName
from consumers.metrics.registry import Metrics
from consumers.roles.trainer.checkpoint_follower import CheckpointFollower
from gsr.loop.baseline_choice import choose_baselines
from gsr.loop.drift_watch import DriftFigures
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.reports import CycleReport
from gsr.quality.prequential import SLICES
from gsr.quality.ranking_metrics import CUTOFFS

ALL: Final = "all"
BASELINES: Final = ("popularity", "graph")
"""Shown beside the joint model, as the label `model`."""

_QUALITY: Final[Mapping[GaugeName, str]] = {
    "gsr_trainer_hit_ratio": "hr",
    "gsr_trainer_ndcg_ratio": "ndcg",
    "gsr_trainer_mrr_ratio": "mrr",
}
_Series = tuple[CounterName, *tuple[str, ...]]
"""Name and label values of a counter."""


class TrainerFigures:
    """Counts up and sets gauges; counters begin at zero with the process.

    Parameters
    ----------
    metrics
        Of the trainer.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._before: dict[_Series, int] = {}

    def begin(self, loop: LearningLoop) -> None:
        """Count from where `loop` is now: earlier work was counted by an earlier process."""
        self._before = _counts(loop)
        self._metrics.gauge("gsr_trainer_reservoir_limit_bytes").set(
            loop.stream.learner.replay_limit_bytes
        )

    def took_in(
        self, loop: LearningLoop, follower: CheckpointFollower, newest_append: float
    ) -> None:
        """Note that clicks were taken in and tested."""
        gauge = self._metrics.gauge
        missed: dict[_Series, int] = {("gsr_trainer_clicks_missed_total",): follower.missed}
        self._count(_counts(loop) | missed)
        gauge("gsr_trainer_lag_clicks").set(follower.left)
        gauge("gsr_trainer_newest_append_timestamp_seconds").set(newest_append)
        gauge("gsr_trainer_users").set(len(loop.mirror.arrays.users))
        gauge("gsr_trainer_items").set(len(loop.mirror.arrays.items))

    def cycle(self, loop: LearningLoop, report: CycleReport, seconds: float, now: float) -> None:
        """Note that a cycle ended."""
        gauge = self._metrics.gauge
        result = "promoted" if report.verdict.promoted else "rejected"
        self._metrics.counter("gsr_trainer_cycles_total").labels(result).inc()
        self._metrics.histogram("gsr_trainer_cycle_seconds").observe(seconds)
        gauge("gsr_trainer_cycle_timestamp_seconds").set(now)
        gauge("gsr_trainer_loss").set(report.learned.loss)
        gauge("gsr_trainer_reservoir_bytes").set(loop.stream.learner.replay.nbytes)
        self._count(_counts(loop))
        self._quality(loop)

    def idle(self) -> None:
        """Note that a cycle was due, but there was too little to learn."""
        self._metrics.counter("gsr_trainer_cycles_total").labels("idle").inc()

    def failed(self) -> None:
        """Note that a cycle was dropped, because its numbers were not finite."""
        self._metrics.counter("gsr_trainer_cycles_total").labels("failed").inc()

    def drift(self, figures: DriftFigures) -> None:
        """Note how far things have moved."""
        gauge = self._metrics.gauge
        gauge("gsr_trainer_popularity_psi").set(figures.popularity_psi)
        gauge("gsr_trainer_embedding_movement_ratio").set(figures.embedding_movement)
        gauge("gsr_trainer_graph_churn_ratio").set(figures.graph_churn)
        gauge("gsr_trainer_catalogue_coverage_ratio").set(figures.catalogue_coverage)
        gauge("gsr_trainer_new_item_ratio").set(figures.new_item_share)

    def snapshot(self, version: int, now: float) -> None:
        """Note that a model was published."""
        self._metrics.gauge("gsr_trainer_snapshot_version").set(version)
        self._metrics.gauge("gsr_trainer_snapshot_timestamp_seconds").set(now)

    def view(self, now: float) -> None:
        """Note that a serving view was published."""
        self._metrics.gauge("gsr_trainer_view_timestamp_seconds").set(now)

    def _count(self, counts: Mapping[_Series, int]) -> None:
        for series, count in counts.items():
            more = count - self._before.get(series, 0)
            self._before[series] = count
            if more > 0:
                name, *labels = series
                counter = self._metrics.counter(name)
                (counter.labels(*labels) if labels else counter).inc(more)

    def _quality(self, loop: LearningLoop) -> None:
        for model, column in choose_baselines(loop, kinds=BASELINES).items():
            for part in (None, *SLICES):
                means = loop.recent_ranks.means(column, part)
                for gauge, metric in _QUALITY.items():
                    for cutoff in CUTOFFS:
                        self._metrics.gauge(gauge).labels(
                            model=model, k=str(cutoff), slice=part or ALL
                        ).set(means[f"{metric}@{cutoff}"])


def _counts(loop: LearningLoop) -> dict[_Series, int]:
    totals = loop.totals
    alarms: dict[_Series, int] = {
        ("gsr_trainer_drift_alarms_total", detector): count
        for detector, count in loop.detector.alarms.items()
    }
    return alarms | {
        ("gsr_trainer_clicks_counted_total",): totals.clicks,
        ("gsr_trainer_clicks_scored_total",): totals.tested,
        ("gsr_trainer_clicks_learned_total",): totals.fresh,
        ("gsr_trainer_clicks_replayed_total",): totals.replayed,
        ("gsr_trainer_clicks_shed_total",): totals.shed_fresh + totals.shed_replay,
    }

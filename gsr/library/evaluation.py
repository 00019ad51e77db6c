"""What testing each click before learning it has shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gsr.baselines.column_names import column_settings
from gsr.library.frames import kind_of, to_frame
from gsr.loop.baseline_choice import JOINT, choose_baselines
from gsr.loop.learning_loop import LearningLoop
from gsr.quality.ranking_metrics import METRICS

SHOWN: Final = ("popularity", "graph")
"""Kinds of baselines that stand beside the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Quality over clicks, each ranked among all items before anything learned from it.

    Parameters
    ----------
    scored
        How many clicks were: those of users of whom something was known.
    metrics
        Model to metric (`gsr.quality.ranking_metrics.METRICS`) to mean. The models are "joint",
        which is the recommender, "popularity" and "graph": decayed counters, updated after every
        click, at the half-life that suits them best on these very clicks.
    half_lives
        Of these two, in seconds.
    """

    scored: int
    metrics: Mapping[str, Mapping[str, float]]
    half_lives: Mapping[str, float]

    def to_frame(self, kind: str = "arrow") -> Any:
        """Return the metrics as a data frame, a row a model; `kind` is arrow, pandas or polars."""
        columns: dict[str, list[Any]] = {"model": list(self.metrics)}
        columns |= {name: [one[name] for one in self.metrics.values()] for name in METRICS}
        return to_frame(columns, kind_of(kind))

    def __str__(self) -> str:
        shown = ("hr@10", "ndcg@10", "mrr@10", "hr@20", "mrr@20")
        lines = [f"{self.scored:,} clicks".ljust(16) + "".join(name.rjust(9) for name in shown)]
        for model, means in self.metrics.items():
            lines.append(model.ljust(16) + "".join(f"{means[name]:9.4f}" for name in shown))
        return "\n".join(lines)


def evaluation_of(loop: LearningLoop) -> Evaluation:
    """Return what a loop with counters as baselines has measured."""
    shown = choose_baselines(loop, kinds=SHOWN)
    overall, models = loop.quality.overall, loop.quality.models
    return Evaluation(
        scored=overall.scored,
        metrics={name: overall.means(models.index(column)) for name, column in shown.items()},
        half_lives={
            name: column_settings(column)["half_life_seconds"]
            for name, column in shown.items()
            if name != JOINT
        },
    )

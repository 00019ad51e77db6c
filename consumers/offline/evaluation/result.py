"""Result of an evaluation: runs with several seeds as `metrics.json` and `cases.parquet`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from consumers.offline.evaluation.case_files import (
    CASES_NAME,
    Graph,
    Part,
    RankedCases,
    write_cases,
)
from consumers.offline.evaluation.environment import machine, versions
from consumers.offline.evaluation.event_data import EventData
from consumers.runtime.documents import write_document
from consumers.runtime.outputs import output_errors
from gsr.quality.protocols import Split, Stage, case_slices
from gsr.quality.ranking_metrics import (
    deviation_over_runs,
    mean_over_runs,
    metric_means,
    slice_means,
)

METRICS_NAME: Final = "metrics.json"

Ties: TypeAlias = Literal["file", "shuffled"]
Ranks: TypeAlias = Mapping[tuple[Part, Graph], npt.NDArray[np.int32]]

_GRAPHS: Final[tuple[Graph, ...]] = get_args(Graph)
_SAME_DATA: Final = ("users", "items", "events", "sha256")
"""The facts of the data in which runs must agree to be compared; a file's name is not one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedCost:
    """Cost of one seed's run.

    Parameters
    ----------
    seconds, cpu_seconds
        To learn and to rank.
    epochs
        How often it went through the clicks; may be a fraction.
    """

    seconds: float
    cpu_seconds: float
    epochs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedRun:
    """Ranks that one seed's model gave, and their cost.

    Parameters
    ----------
    seed
        Of everything random.
    split
        What was predicted; seeds differ in it where ties are shuffled.
    ranks
        Part and graph to int32 [m], the ranks of that part's cases. Frozen ones of both parts;
        live ones where there is a live graph.
    cost
        What it took.
    facts
        More JSON values of this run, such as what validation chose.
    """

    seed: int
    split: Split
    ranks: Ranks
    cost: SeedCost
    facts: Mapping[str, Any] = field(default_factory=dict)

    def stage(self, part: Part) -> Stage:
        """Return the stage that a part's ranks belong to."""
        return self.split.valid if part == "valid" else self.split.test


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Runs of all seeds, and the rules that they share.

    Parameters
    ----------
    data
        The events.
    mask_seen
        Whether items of a case's history were left out of its ranking.
    ties
        Whether clicks of one user at one time kept the file's order, or were shuffled, by seed.
    runs
        One for each seed.
    seconds
        Of all, reading included.
    peak_memory_bytes
        Of the process.
    settings
        Of the model, as JSON values.
    """

    data: EventData
    mask_seen: bool
    ties: Ties
    runs: Sequence[SeedRun]
    seconds: float
    peak_memory_bytes: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def protocol(self) -> dict[str, Any]:
        """The protocol and its settings, as JSON values."""
        split = self.runs[0].split
        asked = {"mask_seen": self.mask_seen, "ties": self.ties}
        return {"name": split.protocol, **split.settings, **asked}

    @property
    def kinds(self) -> list[tuple[Part, Graph]]:
        """The parts and graphs that every run has ranks of."""
        return [
            (part, graph)
            for part in get_args(Part)
            for graph in _GRAPHS
            if all((part, graph) in run.ranks for run in self.runs)
        ]

    def document(self) -> dict[str, Any]:
        """Return the content of `metrics.json`."""
        runs = [_run_document(run, self.kinds) for run in self.runs]
        names = [_key(part, graph) for part, graph in self.kinds]
        costs = [run.cost for run in self.runs]
        return {
            "protocol": self.protocol,
            "data": self.data.facts(),
            "cases": _case_counts(self.runs[0]),
            "seeds": [run.seed for run in self.runs],
            **{name: mean_over_runs([run[name] for run in runs]) for name in names},
            "deviation": {name: deviation_over_runs([run[name] for run in runs]) for name in names},
            "slices": {name: _mean_slices([run["slices"][name] for run in runs]) for name in names},
            "runs": runs,
            "cost": {
                "seconds": self.seconds,
                "seconds_per_seed": float(np.mean([cost.seconds for cost in costs])),
                "cpu_seconds": float(np.sum([cost.cpu_seconds for cost in costs])),
                "epochs": float(np.mean([cost.epochs for cost in costs])),
                "peak_memory_bytes": self.peak_memory_bytes,
            },
            "model": dict(self.settings),
            "machine": machine(),
            "versions": versions(),
        }

    def write(self, directory: Path) -> dict[str, Any]:
        """Write `cases.parquet`, then `metrics.json`; return the latter."""
        document = self.document()
        # An older result's metrics must never stand beside newer ranks.
        with output_errors(directory):
            (directory / METRICS_NAME).unlink(missing_ok=True)
        identity = {
            "protocol": document["protocol"],
            "data": {name: document["data"][name] for name in _SAME_DATA},
        }
        write_cases(directory / CASES_NAME, self._ranked_cases(), identity)
        write_document(document, directory / METRICS_NAME)
        return document

    def _ranked_cases(self) -> Iterator[RankedCases]:
        user_ids = np.array(self.data.user_ids, dtype=np.object_)
        item_ids = np.array(self.data.item_ids, dtype=np.object_)
        for run in self.runs:
            for part, graph in self.kinds:
                stage, interactions = run.stage(part), run.split.interactions
                slices = case_slices(interactions, stage)
                yield RankedCases(
                    part=part,
                    graph=graph,
                    seed=run.seed,
                    user_ids=user_ids[stage.cases.users].tolist(),
                    item_ids=item_ids[stage.cases.targets(interactions)].tolist(),
                    ranks=run.ranks[part, graph],
                    history_lengths=stage.cases.history_lengths(interactions),
                    cold_items=slices["cold_items"],
                    cold_users=slices["cold_users"],
                )


def _key(part: Part, graph: Graph) -> str:
    """Return a part's name in `metrics.json`; the frozen graph, which tables compare, adds none."""
    return part if graph == "frozen" else f"{part}_{graph}"


def _run_document(run: SeedRun, kinds: Sequence[tuple[Part, Graph]]) -> dict[str, Any]:
    slices = {part: case_slices(run.split.interactions, run.stage(part)) for part in get_args(Part)}
    return {
        "seed": run.seed,
        **{_key(*kind): metric_means(run.ranks[kind]) for kind in kinds},
        "slices": {_key(*kind): slice_means(run.ranks[kind], slices[kind[0]]) for kind in kinds},
        "cost": asdict(run.cost),
        **run.facts,
    }


def _mean_slices(
    runs: Sequence[Mapping[str, Mapping[str, float]]],
) -> dict[str, dict[str, float]]:
    """Average each slice over the runs that have cases in it."""
    means = {}
    for name in runs[0]:
        filled = [run[name] for run in runs if run[name]["cases"]]
        means[name] = mean_over_runs(filled) if filled else {"cases": 0.0}
    return means


def _case_counts(run: SeedRun) -> dict[str, Any]:
    """Return how many cases each part has, and how many of them ask for an item seen before."""
    interactions = run.split.interactions
    counts = {}
    for part in get_args(Part):
        cases = run.stage(part).cases
        counts[part] = len(cases)
        counts[f"{part}_repeats"] = int(cases.repeats(interactions).sum())
    return counts

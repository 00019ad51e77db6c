"""Results of the experiments, as lines for a person and as one small document."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.accuracy.experiments import COMPARISON, SPEEDS, WORTH
from benchmarks.replays import rounded
from consumers.offline.evaluation.result import METRICS_NAME

PARTS: Final = ("valid", "valid_live", "test", "test_live")
METRICS: Final = ("hr@10", "ndcg@10")
COMPARED: Final = ("mean_a", "mean_b", "difference", "relative_gain", "low", "high", "p_value")


def table(out: Path) -> str:
    """Return the accuracy of what is done as lines for a person."""
    heads = ("validation", "test", "deviation", "live test")
    lines = [f"{'HR@10 / NDCG@10':<54}" + "".join(f"{head:>14}" for head in heads)]
    lines[0] += f"  {'seeds':<8}{'minutes':>8}"
    for name, found in evaluations(out):
        parts = (found["valid"], found["test"], found["deviation"]["test"], found.get("test_live"))
        cells = "".join(f"{_cell(part):>14}" for part in parts)
        seeds = ",".join(map(str, found["seeds"]))
        minutes = found["cost"]["seconds_per_seed"] / 60
        lines.append(f"{name:<54}{cells}  {seeds:<8}{minutes:>8.1f}")
    for name, found in comparisons(out):
        lines += [
            f"{name}, joint over {found['view']}: {metric} {one['mean_a']:.4f} to "
            f"{one['mean_b']:.4f}, p {one['p_value']:.2g}"
            for metric, one in found["metrics"].items()
        ]
    for name, found in ablations(out):
        one = found["ndcg@10"]
        lines.append(f"{name}: worth {one['difference']:+.4f} ndcg@10, p {one['p_value']:.2g}")
    return "\n".join(lines)


def summary(out: Path) -> dict[str, Any]:
    """Return every figure that is there, small enough to be kept beside the documentation."""
    machines: list[Any] = []
    figures = {}
    for name, found in evaluations(out):
        figures[name] = _figures(found)
        if found["machine"] not in machines:
            machines.append(found["machine"])
    speeds = {
        name: json.loads((out / f"{name}.json").read_text())
        for name in SPEEDS.values()
        if (out / f"{name}.json").exists()
    }
    return {
        "machines": machines,
        "evaluations": rounded(figures),
        "comparisons": rounded(dict(comparisons(out))),
        "worth_of_parts": rounded(dict(ablations(out))),
        **speeds,
    }


def evaluations(out: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield data set, setting and model as one name, and what `metrics.json` says."""
    for path in sorted(out.glob(f"*/*/*/{METRICS_NAME}")):
        yield path.parent.relative_to(out).as_posix(), json.loads(path.read_text())


def comparisons(out: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a data set, and how the joint model compares with which of its views."""
    for path in sorted(out.glob(f"*/{COMPARISON}.json")):
        found = json.loads(path.read_text())
        yield (
            path.parent.name,
            {
                "view": Path(found["a"]["path"]).name,
                "users": found["users"],
                "seeds": found["b"]["seeds"],
                "metrics": _compared(found),
            },
        )


def ablations(out: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield data set and ablation as one name, and what the whole model has more."""
    for path in sorted(out.glob(f"*/{WORTH}.json")):
        for name, found in json.loads(path.read_text()).items():
            yield f"{path.parent.name}/{name}", _compared(found)


def _figures(found: Mapping[str, Any]) -> dict[str, Any]:
    cost, seeds = found["cost"], found["seeds"]
    parts = [part for part in PARTS if part in found]
    return {
        **{part: _kept(found[part]) for part in parts},
        "deviation": {part: _kept(found["deviation"][part]) for part in parts},
        "seeds": seeds,
        "minutes_per_seed": cost["seconds_per_seed"] / 60,
        "cpu_minutes_per_seed": cost["cpu_seconds"] / len(seeds) / 60,
        "epochs": cost["epochs"],
    }


def _compared(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {key: one[key] for key in COMPARED} for name, one in found["metrics"].items()}


def _kept(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {name: metrics[name] for name in METRICS}


def _cell(metrics: Mapping[str, float | None] | None) -> str:
    """Return both metrics without their leading zeros; nothing where there are none."""
    values = [metrics[name] for name in METRICS] if metrics else []
    return "/".join(f"{value:.4f}".lstrip("0") for value in values if value is not None)

"""Quality of the joint model and its baselines on one event file, as a small JSON document.

    python -m benchmarks.replays EVENTS --out docs/results/replay-NAME.json
    python -m benchmarks.replays EVENTS --report DIR --out …    # of a replay that was run before

Runs `gsr replay EVENTS` with its defaults (test-then-train, full ranking over all items seen so
far without those in the user's buffer, first tenth not scored, seed 0), and keeps what a reader of
the figures needs of its `metrics.json`.
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.reports import machine
from consumers.runtime.supervisor import gsr_command

KEPT: Final = ("options", "models", "overall", "totals", "cost")

COMBINED: Final = {
    "new_users": ("users", ("1", "2")),
    "new_items": ("items", ("0", "1-4", "5-9")),
}
"""Slices that tables show → the kind and the names of those that they are made of."""


def main() -> None:
    """Replay, or take the report of an earlier replay, and write the summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("events", type=Path)
    parser.add_argument("--report", type=Path, help="folder that an earlier replay has written")
    parser.add_argument("--out", type=Path, required=True, help="where the summary goes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gsr-bench-") as temporary:
        report = arguments.report or Path(temporary)
        if arguments.report is None:
            command = gsr_command("replay", str(arguments.events), "--out", str(report))
            subprocess.run(command, check=True)
        metrics = json.loads((report / "metrics.json").read_text())
    summary = summarise(metrics, arguments.events.resolve().parent.name)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(summary, indent=1, sort_keys=True) + "\n")
    for model in summary["models"]:
        quality = summary["overall"][model]
        print(f"{model:12} HR@20 {quality['hr@20']:.4f}  MRR@20 {quality['mrr@20']:.4f}")


def summarise(metrics: dict[str, Any], data: str) -> dict[str, Any]:
    """Return what is worth keeping of a replay's `metrics`, rounded, with the machine's size."""
    summary: dict[str, Any] = {name: rounded(metrics[name]) for name in KEPT}
    slices, baselines = metrics["slices"], metrics["baselines"]
    combined = {
        name: together([slices[kind][part] for part in parts], metrics["models"])
        for name, (kind, parts) in COMBINED.items()
    }
    summary["slices"] = rounded(slices | combined)
    summary["baselines"] = {
        name: baselines[name]["column"] for name in metrics["models"] if name in baselines
    }
    summary["data"] = data
    summary["machine"] = machine()
    return summary


def together(slices: Sequence[Mapping[str, Any]], models: Sequence[str]) -> dict[str, Any]:
    """Return the means over several slices' clicks: each slice's, weighted by its clicks.

    >>> slices = [{"scored": 1, "joint": {"hr@20": 1.0}}, {"scored": 3, "joint": {"hr@20": 0.0}}]
    >>> together(slices, ["joint"])
    {'scored': 4, 'joint': {'hr@20': 0.25}}
    """
    scored = sum(one["scored"] for one in slices)
    means: dict[str, Any] = {"scored": scored}
    for model in models:
        means[model] = {
            metric: sum(one["scored"] * one[model][metric] for one in slices) / max(scored, 1)
            for metric in slices[0][model]
        }
    return means


def rounded(value: Any) -> Any:
    """Return `value` with every float in it rounded to five places.

    >>> rounded({"a": [0.1234567, 2], "b": None})
    {'a': [0.12346, 2], 'b': None}
    """
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return round(value, 5) if isinstance(value, float) else value


if __name__ == "__main__":
    main()

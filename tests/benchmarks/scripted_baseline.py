"""A baseline that always recommends the item in its settings, or dies; counts its runs."""

import sys
from pathlib import Path

import numpy as np

from benchmarks.accuracy.baseline_process import Stopwatch, Trial
from benchmarks.accuracy.exchange import SharedScores


def main() -> None:
    """Do the trial in the folder."""
    trial = Trial.load(Path(sys.argv[1]))
    with (trial.folder / "runs.txt").open("a") as runs:
        runs.write("run\n")
    if trial.settings.get("dies"):
        sys.exit("I was told to die")
    with Stopwatch() as watch:
        values = np.zeros(trial.task.item_count, np.float32)
        values[trial.settings["item"]] = 1.0
    trial.answer(
        SharedScores(values, len(trial.task.valid)),
        SharedScores(values, len(trial.task.test)),
        watch.report(),
    )


if __name__ == "__main__":
    main()

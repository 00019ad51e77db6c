"""Experiments behind every figure of accuracy and its cost."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.accuracy.model_runs import JOINT, VIEWS, WHOLE, runs
from consumers.offline.evaluation.result import METRICS_NAME
from consumers.runtime.supervisor import gsr_command

DATA: Final = {"beauty": "amazon-beauty-5core", "ml-1m": "ml-1m-sasrec-order"}
"""Short names of data sets, and their folders."""

BASELINES: Final = ("popularity", "item-knn", "sasrec", "esasrec", "bert4rec", "mrgsrec")
SETTINGS: Final = {
    "leave-one-out": ("--protocol", "leave-one-out"),
    "shuffled-ties": ("--protocol", "leave-one-out", "--shuffle-ties"),
    "temporal": ("--protocol", "temporal", "--quantile", "0.9"),
    "ablations": ("--protocol", "leave-one-out"),
}
SPEEDS: Final = {
    "retrieval": "retrieval_speed",
    "training": "training_speed",
    "step-time": "step_time",
}
"""Names of experiments, and the modules and files that they are."""

COMPARISON: Final = "joint-over-better-view"
"""Name of the file that says whether the joint model is better than its views."""

WORTH: Final = "worth-of-parts"
"""Name of the file that says what the ablations lose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A command and what it leaves when it is done.

    Parameters
    ----------
    name
        Chosen by; parts from the general to the particular, with slashes between.
    command
        Program and arguments.
    result
        A file.
    """

    name: str
    command: tuple[str, ...]
    result: Path

    @property
    def done(self) -> bool:
        """Whether it was run to its end."""
        return self.result.exists()

    def run(self) -> None:
        """Run it, unless it was done."""
        if self.done:
            return
        print(f"{self.name}: {shlex.join(self.command[1:])}", file=sys.stderr)
        subprocess.run(self.command, check=True, stdout=subprocess.DEVNULL)


def experiments(data: Path, out: Path, minutes: float) -> Iterator[Experiment]:
    """Yield all experiments, none before what it builds on.

    Parameters
    ----------
    data
        Holds a folder with an ``events.csv.gz`` for each data set.
    out
        Takes the results.
    minutes
        That a trial of a baseline may learn on Beauty.
    """
    yield from _baselines(data, out, minutes)
    yield from _ours(data, out)
    yield from _comparisons(out)
    yield from _speeds(data, out)


def events(data: Path, name: str) -> Path:
    """Return the event file of a data set."""
    return data / DATA[name] / "events.csv.gz"


def _baselines(data: Path, out: Path, minutes: float) -> Iterator[Experiment]:
    wanted = [
        ("beauty", "leave-one-out", minutes, ("1", "2", "3")),
        ("beauty", "shuffled-ties", minutes, ("1",)),
        ("beauty", "temporal", minutes, ("1",)),
        # Not temporal: these clicks have an order, but no times.
        ("ml-1m", "leave-one-out", 2 * minutes, ("1",)),
    ]
    for baseline in BASELINES:
        for name, setting, budget, seeds in wanted:
            folder = out / DATA[name] / setting / baseline
            words = (
                *("-m", "benchmarks.accuracy", baseline, str(events(data, name))),
                *(*SETTINGS[setting], "--seed", *seeds, "--out", str(folder)),
                *("--budget-minutes", str(budget)),
            )
            yield Experiment(
                name=f"baselines/{name}/{setting}/{baseline}",
                command=(sys.executable, *words),
                result=folder / METRICS_NAME,
            )


def _ours(data: Path, out: Path) -> Iterator[Experiment]:
    for run in runs():
        folder = out / DATA[run.data] / run.setting / run.name
        words = (str(events(data, run.data)), *SETTINGS[run.setting], "--out", str(folder))
        if run.borrows:
            words += ("--encoders", str(out / DATA[run.data] / run.borrows))
        yield Experiment(
            name=f"ours/{run.data}/{run.setting}/{run.name}",
            command=tuple(gsr_command("evaluate", *words, *run.words)),
            result=folder / METRICS_NAME,
        )


def _comparisons(out: Path) -> Iterator[Experiment]:
    views = [name for name in VIEWS if name != JOINT]
    for name, folder in DATA.items():
        evaluated = out / folder / "leave-one-out"
        result = out / folder / f"{COMPARISON}.json"
        words = [str(evaluated / view) for view in (JOINT, *views)]
        yield Experiment(
            name=f"comparisons/{name}/{COMPARISON}",
            command=(
                *(sys.executable, "-m", "benchmarks.accuracy.better_view", *words),
                *("--out", str(result)),
            ),
            result=result,
        )
    ablations = out / DATA["beauty"] / "ablations"
    result = out / DATA["beauty"] / f"{WORTH}.json"
    yield Experiment(
        name=f"comparisons/beauty/{WORTH}",
        command=(
            *(sys.executable, "-m", "benchmarks.accuracy.ablations", str(ablations)),
            *("--whole", WHOLE, "--out", str(result)),
        ),
        result=result,
    )


def _speeds(data: Path, out: Path) -> Iterator[Experiment]:
    more = {"training": ("--data", str(data))}
    for name, module in SPEEDS.items():
        result = out / f"{module}.json"
        words = ("-m", f"benchmarks.accuracy.{module}", *more.get(name, ()))
        yield Experiment(
            name=f"speed/{name}",
            command=(sys.executable, *words, "--out", str(result)),
            result=result,
        )

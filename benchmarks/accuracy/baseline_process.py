"""A baseline's process: it reads its task, learns within its time, and answers.

Imports numpy only.
"""

import json
import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.exchange import (
    TEST,
    VALID,
    Questions,
    Scores,
    Task,
    blocks,
    write_json,
)

CUTOFF: Final = 10
WATCHED: Final = 5000
"""Validation questions that are asked after each epoch; the choice of settings uses all."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of a baseline: a task, settings, a seed, and the folder that takes the answer.

    Parameters
    ----------
    folder
        Of the trial.
    task
        What is asked.
    settings
        Of the baseline.
    seed
        Of all its random choices.
    minutes
        How long it may learn, all sittings together; what it is doing then it finishes.
    """

    folder: Path
    task: Task
    settings: Mapping[str, Any]
    seed: int
    minutes: float

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the trial that our process prepared."""
        head = json.loads((folder / "trial.json").read_text())
        return cls(
            folder,
            Task.load(folder / head["task"]),
            head["settings"],
            head["seed"],
            head["minutes"],
        )

    def answer(self, valid: Scores, test: Scores, report: Mapping[str, Any]) -> None:
        """Write the scores, and then what there is to say about them."""
        valid.save(self.folder, VALID)
        test.save(self.folder, TEST)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        write_json(self.folder / "report.json", {**report, "peak_memory_bytes": peak})


@dataclass(slots=True)
class Course:
    """How learning went, kept on disk after each epoch, and when to stop it.

    Parameters
    ----------
    path
        Of the file.
    minutes
        Allowed.
    patience
        Epochs without a better validation NDCG@10 after which learning ends.
    epochs, seconds, cpu_seconds
        Learned so far, in all sittings; seconds without the validation.
    positions
        Learned so far: places of sequences that had a loss.
    curve
        NDCG@10 of the watched validation questions after each epoch.
    """

    path: Path
    minutes: float
    patience: int
    epochs: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    positions: int = 0
    curve: list[float] = field(default_factory=list)

    @classmethod
    def resume(cls, path: Path, minutes: float, patience: int) -> Self:
        """Go on with what is on disk, or begin."""
        course = cls(path, minutes, patience)
        if path.exists():
            found = json.loads(path.read_text())
            course.epochs, course.curve = found["epochs"], found["curve"]
            course.seconds, course.cpu_seconds = found["seconds"], found["cpu_seconds"]
            course.positions = found["positions"]
        return course

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, that validated best; 0 before the first."""
        return int(np.argmax(self.curve)) + 1 if self.curve else 0

    @property
    def over(self) -> bool:
        """Whether time or patience has run out; an epoch that would not fit is not begun."""
        mean = self.seconds / max(self.epochs, 1)
        stale = self.epochs - self.best_epoch >= self.patience
        return self.epochs > 0 and (stale or self.seconds + mean > 60.0 * self.minutes)

    def add(self, watch: "Stopwatch", positions: int, ndcg: float) -> None:
        """Note an epoch, and the stopwatch that was stopped at its end."""
        self.epochs += 1
        self.seconds += watch.seconds
        self.cpu_seconds += watch.cpu_seconds
        self.positions += positions
        self.curve.append(ndcg)

    def save(self) -> None:
        """Write it; the weights must be on disk before."""
        write_json(self.path, self.report())

    def report(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "epochs": self.epochs,
            "best_epoch": self.best_epoch,
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "positions": self.positions,
            "positions_per_second": round(self.positions / max(self.seconds, 1e-9), 1),
            "stopped_by": "patience"
            if self.epochs - self.best_epoch >= self.patience
            else "budget",
            "curve": self.curve,
        }


class Stopwatch:
    """Wall and CPU seconds of this process inside a `with`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.cpu_seconds = 0.0

    def __enter__(self) -> Self:
        self._started = time.perf_counter(), time.process_time()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.seconds = time.perf_counter() - self._started[0]
        self.cpu_seconds = time.process_time() - self._started[1]

    def report(self) -> dict[str, float]:
        """Return both as JSON values."""
        return {"seconds": round(self.seconds, 3), "cpu_seconds": round(self.cpu_seconds, 3)}


def watched(questions: Questions, seed: int) -> Questions:
    """Return at most `WATCHED` of the questions, the same for the same seed."""
    if len(questions) <= WATCHED:
        return questions
    rows = np.random.default_rng(seed).choice(len(questions), WATCHED, replace=False)
    return questions.take(np.sort(rows))


def mean_ndcg(scores: Scores, questions: Questions, item_count: int) -> float:
    """Return NDCG@10 of the questions' targets: histories masked, ties against the target.

    Raises
    ------
    ValueError
        The questions have no targets.
    """
    if questions.targets is None:
        raise ValueError("these questions have no targets")
    total = 0.0
    for start, block in blocks(scores, item_count):
        ranks = _ranks(block, start, questions, questions.targets)
        total += float(np.where(ranks <= CUTOFF, 1.0 / np.log2(ranks + 1.0), 0.0).sum())
    return total / max(len(questions), 1)


def _ranks(
    block: npt.NDArray[np.float32],
    start: int,
    questions: Questions,
    targets: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    places = np.arange(len(block))
    asked = targets[start : start + len(block)]
    own = block[places, asked]
    seen = questions.histories.take(start + places)
    block[seen.rows, seen.items] = -np.inf
    block[places, asked] = own
    ranks: npt.NDArray[np.int64] = (block >= own[:, None]).sum(axis=1)
    return ranks

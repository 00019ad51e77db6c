"""Learning in epochs within a time, in as many sittings as it takes. Imports numpy only."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from benchmarks.accuracy.baseline_process import Course, Stopwatch, Trial, mean_ndcg, watched
from benchmarks.accuracy.exchange import Questions, Scores, Sequences

PATIENCE: Final = 10
"""Epochs without a better validation after which learning ends."""


class Learner(Protocol):
    """A model that learns epoch by epoch."""

    def epoch(self, number: int) -> int:
        """Learn from all sequences once; return how many positions had a loss.

        Random choices depend on the seed and on `number`, from 0, only, so that an interrupted run
        goes on as it would have.
        """

    def scores(self, questions: Questions) -> Scores:
        """Score all items for every question."""

    def save(self, path: Path) -> None:
        """Write weights and the optimiser's state."""

    def load(self, path: Path) -> None:
        """Read what `save` wrote."""


def learn(
    trial: Trial,
    make: Callable[[Sequences], Learner],
    facts: Callable[[], dict[str, Any]],
) -> None:
    """Learn, choose the epoch on validation, answer.

    After every epoch the state is on disk, and the same call goes on from there. Where the task
    gives more to learn from before the test, a fresh model learns from that, for as many epochs as
    validation chose.

    Parameters
    ----------
    trial
        What to do.
    make
        Returns a fresh model for these sequences.
    facts
        Returns, when all is learned, what else goes into the report.
    """
    task = trial.task
    course = Course.resume(trial.folder / "course.json", trial.minutes, PATIENCE)
    learner = make(task.learned)
    if course.epochs:
        learner.load(_state(trial.folder, course.epochs))
    asked = watched(task.valid, trial.seed)
    while not course.over:
        with Stopwatch() as watch:
            positions = learner.epoch(course.epochs)
        ndcg = mean_ndcg(learner.scores(asked), asked, task.item_count)
        course.add(watch, positions, ndcg)
        learner.save(_state(trial.folder, course.epochs))
        course.save()
        _keep(trial.folder, "state", {course.epochs, course.best_epoch})
        print(f"epoch {course.epochs}: {watch.seconds:.0f} s, NDCG@10 {ndcg:.4f}", flush=True)
    learner.load(_state(trial.folder, course.best_epoch))
    valid = learner.scores(task.valid)
    if task.relearned is not None:
        learner = make(task.relearned)
        _relearn(trial, learner, course.best_epoch)
    trial.answer(valid, learner.scores(task.test), {**course.report(), **facts()})
    for kind in ("state", "relearned"):
        _keep(trial.folder, kind, set())


def _relearn(trial: Trial, learner: Learner, epochs: int) -> None:
    """Learn so many epochs, going on from the newest state on disk."""
    done = max(_kept(trial.folder, "relearned"), default=0)
    if done:
        learner.load(_state(trial.folder, done, "relearned"))
    for number in range(done, epochs):
        learner.epoch(number)
        learner.save(_state(trial.folder, number + 1, "relearned"))
        _keep(trial.folder, "relearned", {number + 1})


def _state(folder: Path, epoch: int, kind: str = "state") -> Path:
    return folder / f"{kind}-{epoch}"


def _kept(folder: Path, kind: str) -> dict[int, Path]:
    """Return the states on disk by epoch."""
    found = ((re.fullmatch(rf"{kind}-(\d+)", path.name), path) for path in folder.glob(f"{kind}-*"))
    return {int(match[1]): path for match, path in found if match}


def _keep(folder: Path, kind: str, epochs: set[int]) -> None:
    """Delete the states of other epochs."""
    for epoch, path in _kept(folder, kind).items():
        if epoch not in epochs:
            path.unlink()

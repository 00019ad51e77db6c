"""Learning goes on where it stopped, and validation alone chooses."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.baseline_process import Course, Stopwatch, Trial
from benchmarks.accuracy.exchange import (
    TEST,
    VALID,
    Questions,
    Sequences,
    Task,
    VectorScores,
    load_scores,
)
from benchmarks.accuracy.learning import PATIENCE, learn

ITEMS = 4
CURVE = [0, 3, 1, 0]
"""The rank, from 0, of the target after each epoch, then falling for good."""


class Fake:
    """Ranks the target by a script; its state is the number of epochs learned."""

    def __init__(self, sequences: Sequences) -> None:
        self.sequences = sequences
        self.learned = 0
        self.dies_at: int | None = None

    def epoch(self, number: int) -> int:
        if self.dies_at == number:
            raise KeyboardInterrupt
        assert number == self.learned
        self.learned += 1
        return len(self.sequences)

    def scores(self, questions: Questions) -> VectorScores:
        worth = {1: 0.0, 2: 3.0, 3: 1.0}.get(self.learned, 0.0)
        items = np.array([[0.0], [worth], [0.5], [2.0]], np.float32)
        return VectorScores(np.ones((len(questions), 1), np.float32), items, np.ones(4, np.bool_))

    def save(self, path: Path) -> None:
        path.write_text(str(self.learned))

    def load(self, path: Path) -> None:
        self.learned = int(path.read_text())


def trial(folder: Path, *, again: bool = False) -> Trial:
    history = Sequences(np.array([0]), np.array([1]))
    user = np.array([0])
    more = Sequences(np.array([0, 2]), np.array([2]))
    task = Task(
        ITEMS,
        history,
        more if again else None,
        Questions(user, history, np.array([1])),
        Questions(user, history, None),
    )
    return Trial(folder, task, {}, seed=0, minutes=5.0)


def test_the_best_epoch_answers(tmp_path: Path) -> None:
    learn(trial(tmp_path), Fake, lambda: {"more": 1})
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["best_epoch"], report["epochs"], report["more"]) == (2, 2 + PATIENCE, 1)
    assert report["stopped_by"] == "patience"
    for name in (VALID, TEST):
        assert load_scores(tmp_path, name).block(0, 1)[0, 1] == 3.0
    assert not list(tmp_path.glob("state-*"))


@pytest.mark.parametrize("again", [False, True])
def test_an_interrupted_run_goes_on_as_it_would_have(tmp_path: Path, again: bool) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    learn(trial(whole, again=again), Fake, dict)
    for last in (1, 3, 7):

        def dying(sequences: Sequences, last: int = last) -> Fake:
            fake = Fake(sequences)
            fake.dies_at = last
            return fake

        with pytest.raises(KeyboardInterrupt):
            learn(trial(parts, again=again), dying, dict)
        assert json.loads((parts / "course.json").read_text())["epochs"] == last
    learn(trial(parts, again=again), Fake, dict)
    ours, theirs = (json.loads((folder / "report.json").read_text()) for folder in (whole, parts))
    assert ours["curve"] == theirs["curve"]
    assert ours["best_epoch"] == theirs["best_epoch"]


def test_a_fresh_model_learns_again_as_long_as_validation_chose(tmp_path: Path) -> None:
    made: list[Fake] = []

    def make(sequences: Sequences) -> Fake:
        made.append(Fake(sequences))
        return made[-1]

    learn(trial(tmp_path, again=True), make, dict)
    assert [len(fake.sequences.items) for fake in made] == [1, 2]
    assert made[1].learned == 2
    assert not list(tmp_path.glob("relearned-*"))


def test_no_epoch_begins_that_would_not_fit(tmp_path: Path) -> None:
    course = Course(tmp_path / "course.json", minutes=1.0, patience=10)
    over = [course.over]
    watch = Stopwatch()
    watch.seconds = 25.0
    for ndcg in (0.1, 0.2):
        course.add(watch, 100, ndcg)
        over.append(course.over)
    assert over == [False, False, True]
    assert course.report()["stopped_by"] == "budget"
    assert course.report()["positions_per_second"] == 4.0

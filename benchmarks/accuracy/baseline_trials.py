"""Trials of a baseline: prepare, run in its own process, rank with our evaluator, choose."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.contenders import FOLDER, Contender, Statistics
from benchmarks.accuracy.exchange import (
    TEST,
    VALID,
    Questions,
    Sequences,
    Task,
    blocks,
    load_scores,
    write_json,
)
from gsr.counters.interactions import Interactions
from gsr.quality.protocols import Cases, Split, Stage
from gsr.quality.ranking_metrics import METRICS, metric_values
from gsr.ranking.case_ranking import rank_cases

ROOT: Final = FOLDER.parent.parent
CHOSEN_BY: Final = "ndcg@10"
_TAIL: Final = 3000


class TrialFailedError(Exception):
    """A baseline's process failed; the message ends with what it said."""


class OtherTrialError(Exception):
    """The folder holds results of something else."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a trial came to.

    Parameters
    ----------
    folder
        Of the trial.
    settings, seed
        Of the trial.
    report
        The baseline's own words: seconds, epochs, validation curve.
    valid_ranks
        int32 [m].
    """

    folder: Path
    settings: Mapping[str, Any]
    seed: int
    report: Mapping[str, Any]
    valid_ranks: npt.NDArray[np.int32]

    @property
    def quality(self) -> float:
        """Mean validation NDCG@10."""
        return float(metric_values(self.valid_ranks)[:, METRICS.index(CHOSEN_BY)].mean())


@dataclass(frozen=True, slots=True)
class Trials:
    """Runs trials on one split and keeps them in one folder, finished ones for good.

    Parameters
    ----------
    folder
        Takes ``task/`` and a folder per trial.
    split
        Who may see what.
    contender
        Whose.
    minutes
        That a trial may learn.
    mask_seen
        Whether items of the history are left out of a ranking.
    """

    folder: Path
    split: Split
    contender: Contender
    minutes: float
    mask_seen: bool = True

    def candidates(self, fixed: Mapping[str, Any] = MappingProxyType({})) -> list[dict[str, Any]]:
        """Return the contender's settings for this data, each once, with some of them fixed."""
        found: list[dict[str, Any]] = []
        for settings in self.contender.candidates(self.statistics()):
            if (candidate := {**settings, **fixed}) not in found:
                found.append(candidate)
        return found

    def choose(self, seed: int, candidates: Sequence[Mapping[str, Any]] | None = None) -> Result:
        """Run every candidate; return the one that validates best.

        The scores of the others are deleted when another is better; what they came to stays.

        Parameters
        ----------
        seed
            Of all trials.
        candidates
            Settings; None: the contender's own.
        """
        if candidates is None:
            candidates = self.candidates()
        best: Result | None = None
        for number, settings in enumerate(candidates):
            result = self.run(number, settings, seed)
            print(
                f"{json.dumps(dict(settings))}, seed {seed}: validation {CHOSEN_BY} "
                f"{result.quality:.4f}, {result.report['seconds']:.0f} s",
                file=sys.stderr,
            )
            if best is None or result.quality > best.quality:
                worse, best = best, result
            else:
                worse = result
            if worse is not None:
                _forget_scores(worse.folder)
        if best is None:
            raise ValueError("there are no settings to try")
        return best

    def run(self, number: int, settings: Mapping[str, Any], seed: int) -> Result:
        """Run a trial, or take it from where it stopped, or read what it came to.

        Raises
        ------
        OtherTrialError
            Its folder holds other settings.
        TrialFailedError
            Its process failed.
        """
        folder = self.folder / f"trial-{number:02d}-seed-{seed}"
        self._prepare(folder, settings, seed)
        ranks = folder / "valid_ranks.npy"
        if not ranks.exists():
            self._work(folder)
            np.save(ranks, self.ranks(folder, VALID, self.split.valid.cases))
        report = json.loads((folder / "report.json").read_text())
        return Result(folder, settings, seed, report, np.load(ranks))

    def test(self, result: Result) -> npt.NDArray[np.int32]:
        """Return the ranks of the test's targets, int32 [m]."""
        return self.ranks(result.folder, TEST, self.split.test.cases)

    def ranks(self, folder: Path, name: str, cases: Cases) -> npt.NDArray[np.int32]:
        """Rank the targets by the scores in a trial's folder."""
        scores = load_scores(folder, name)
        if len(scores) != len(cases):
            raise TrialFailedError(f"{folder} answers {len(scores)} of {len(cases)} questions")
        interactions = self.split.interactions
        ranks = np.empty(len(cases), np.int32)
        for start, block in blocks(scores, interactions.item_count):
            rows = slice(start, start + len(block))
            ranks[rows] = rank_cases(block, interactions, cases[rows], mask_seen=self.mask_seen)
        return ranks

    def statistics(self) -> Statistics:
        """Return what candidates may be derived from: nothing of what is tested."""
        interactions, learned = self.split.interactions, self.split.valid.learned_ends
        return Statistics(learned - interactions.starts[:-1], interactions.item_count)

    def _prepare(self, folder: Path, settings: Mapping[str, Any], seed: int) -> None:
        task = self.folder / "task"
        if not (task / "task.json").exists():
            task_of(self.split).save(task)
        head = {"settings": dict(settings), "seed": seed, "task": "../task"}
        path = folder / "trial.json"
        if path.exists():
            found = json.loads(path.read_text())
            if {name: found.get(name) for name in head} != json.loads(json.dumps(head)):
                raise OtherTrialError(
                    f"{folder} was begun with other settings: name another folder with --out"
                )
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, {**head, "minutes": self.minutes})

    def _work(self, folder: Path) -> None:
        """Run the process until its report is there."""
        if (folder / "report.json").exists():
            return
        if not self.contender.python.exists():
            raise TrialFailedError(
                "its library is not installed: run python -m benchmarks.accuracy.install"
            )
        command = [str(self.contender.python), "-m", *self.contender.words, str(folder.resolve())]
        log = folder / "log.txt"
        with log.open("a") as said:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=sys.stderr,
                stderr=said,
                check=False,
            )
        if done.returncode or not (folder / "report.json").exists():
            raise TrialFailedError(f"{folder.name} failed: {log.read_text()[-_TAIL:]}")


def task_of(split: Split) -> Task:
    """Return a split as a baseline gets it, without the answers of the test."""
    interactions = split.interactions
    valid, test = split.valid, split.test
    return Task(
        item_count=interactions.item_count,
        learned=learned(interactions, valid),
        relearned=learned(interactions, test) if split.refits else None,
        valid=questions(interactions, valid.cases, answers=True),
        test=questions(interactions, test.cases, answers=False),
    )


def learned(interactions: Interactions, stage: Stage) -> Sequences:
    """Return what may be learned from, a sequence for each user."""
    return _sequences(interactions, interactions.starts[:-1], stage.learned_ends)


def questions(interactions: Interactions, cases: Cases, *, answers: bool) -> Questions:
    """Return cases as questions."""
    histories = _sequences(interactions, interactions.starts[cases.users], cases.positions)
    return Questions(cases.users, histories, cases.targets(interactions) if answers else None)


def _sequences(
    interactions: Interactions, starts: npt.NDArray[np.int64], stops: npt.NDArray[np.int64]
) -> Sequences:
    lengths = stops - starts
    ends = np.cumsum(lengths)
    places = np.arange(int(lengths.sum())) + np.repeat(starts - (ends - lengths), lengths)
    return Sequences(interactions.items[places], ends)


def _forget_scores(folder: Path) -> None:
    for name in (VALID, TEST):
        (folder / f"{name}.npz").unlink(missing_ok=True)

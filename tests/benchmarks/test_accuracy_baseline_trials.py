"""Trials run in their own processes, validation chooses among them, finished ones stay."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.accuracy.baseline_trials import OtherTrialError, TrialFailedError, Trials
from benchmarks.accuracy.contenders import Contender, Statistics, mrgsrec, neighbourhoods, sasrec
from gsr.counters.interactions import Interactions, gather_interactions
from gsr.quality.protocols import leave_one_out

ITEMS, USERS = 9, 5
VALID, TEST = 3, 4
"""Every user's last but one item, and the last."""


def clicks() -> Interactions:
    sequence = np.array([0, 1, 2, VALID, TEST])
    return gather_interactions(
        np.repeat(np.arange(USERS), len(sequence)),
        np.tile(sequence, USERS),
        np.tile(np.arange(len(sequence), dtype=float), USERS),
        np.zeros(USERS * len(sequence), np.uint8),
        user_count=USERS,
        item_count=ITEMS,
    )


def scripted(folder: Path, *settings: dict[str, Any]) -> Trials:
    contender = Contender(
        what="scripted",
        python=Path(sys.executable),
        words=("tests.benchmarks.scripted_baseline",),
        candidates=lambda _: list(settings),
    )
    return Trials(folder, leave_one_out(clicks()), contender, minutes=1.0)


def test_validation_chooses_and_the_test_has_no_say(tmp_path: Path) -> None:
    """The first candidate is right about the test, the second about validation."""
    trials = scripted(tmp_path, {"item": TEST}, {"item": VALID}, {"item": 5})
    best = trials.choose(seed=1)
    assert best.settings == {"item": VALID}
    assert best.quality == 1.0
    assert best.valid_ranks.tolist() == [1] * USERS
    # Items 4 to 8 score alike, and the validation item is masked as seen: last of five.
    assert trials.test(best).tolist() == [5] * USERS
    assert [path.parent.name for path in tmp_path.glob("*/test.npz")] == ["trial-01-seed-1"]


def test_finished_trials_are_not_run_again(tmp_path: Path) -> None:
    for _ in range(2):
        found = scripted(tmp_path, {"item": VALID}, {"item": 5}).choose(seed=1)
        assert found.settings == {"item": VALID}
    assert (tmp_path / "trial-00-seed-1" / "runs.txt").read_text() == "run\n"
    assert (tmp_path / "trial-01-seed-1" / "runs.txt").read_text() == "run\n"


def test_other_settings_need_another_folder(tmp_path: Path) -> None:
    scripted(tmp_path, {"item": VALID}).choose(seed=1)
    with pytest.raises(OtherTrialError, match="name another folder"):
        scripted(tmp_path, {"item": 5}).choose(seed=1)


def test_a_baseline_that_dies_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(TrialFailedError, match="I was told to die"):
        scripted(tmp_path, {"dies": True}).choose(seed=1)


def test_a_missing_library_is_named(tmp_path: Path) -> None:
    contender = Contender(what="", python=tmp_path / "none", words=(), candidates=lambda _: [{}])
    trials = Trials(tmp_path, leave_one_out(clicks()), contender, minutes=1.0)
    with pytest.raises(TrialFailedError, match=r"benchmarks\.accuracy\.install"):
        trials.choose(seed=1)


def test_fixed_settings_leave_fewer_to_choose(tmp_path: Path) -> None:
    trials = scripted(tmp_path, {"item": 1, "size": 2}, {"item": 3, "size": 2}, {"item": 1})
    assert trials.candidates({"item": 5}) == [{"item": 5, "size": 2}, {"item": 5}]
    assert len(trials.candidates()) == 3


def test_settings_follow_from_the_lengths_of_histories() -> None:
    short = Statistics(np.full(100, 7), ITEMS)
    long = Statistics(np.full(100, 900), ITEMS)
    assert [one.usual_length for one in (short, long)] == [10, 200]
    assert {one["session_max_len"] for one in sasrec(long)} == {200}
    assert [len(mrgsrec(one)) for one in (short, long)] == [1, 2]
    assert len(neighbourhoods(short)) == len({str(one) for one in neighbourhoods(short)})

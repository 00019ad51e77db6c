"""The command leaves what `gsr evaluate` leaves, so that `gsr compare` can read it."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.accuracy import __main__ as command
from benchmarks.accuracy.contenders import CONTENDERS, Contender
from consumers.offline.evaluation.case_files import read_cases
from consumers.offline.evaluation.comparison import compare_runs

USERS = 4


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Everybody clicks a, b, c, d and e, in this order, half a day apart; c and d at once."""
    rows = [
        f"u{user},{item},{user + 43_200 * min(place, 2) + (place == 4)}"
        for user in range(USERS)
        for place, item in enumerate("abcde")
    ]
    path = tmp_path / "events.csv"
    path.write_text("\n".join(["user_id,item_id,timestamp", *rows]) + "\n")
    return path


@pytest.fixture(autouse=True)
def _baselines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that need no library: one recommends d first (item 3), one e."""
    for name, item in (("popularity", 3), ("sasrec", 4)):
        contender = Contender(
            what="scripted",
            python=Path(sys.executable),
            words=("tests.benchmarks.scripted_baseline",),
            candidates=lambda _, item=item: [{"item": 0}, {"item": item}],  # type: ignore[misc]
            random=name == "sasrec",
        )
        monkeypatch.setitem(CONTENDERS, name, contender)


def evaluated(
    monkeypatch: pytest.MonkeyPatch, name: str, events: Path, out: Path, *more: str
) -> dict[str, Any]:
    words = ["accuracy", name, str(events), "--out", str(out), *more]
    monkeypatch.setattr(sys, "argv", words)
    command.main()
    found: dict[str, Any] = json.loads((out / "metrics.json").read_text())
    return found


def test_it_writes_what_gsr_compare_reads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, events: Path
) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    found = evaluated(monkeypatch, "popularity", events, a)
    other = evaluated(monkeypatch, "sasrec", events, b, "--seed", "7", "8")
    assert found["model"] == {"baseline": "popularity", "item": 3}
    assert (found["valid"]["hr@5"], found["seeds"], other["seeds"]) == (1.0, [1], [7, 8])
    assert read_cases(a, "test", "frozen").item_ids.tolist() == ["e"] * USERS
    compared = compare_runs(a, b, metrics=["ndcg@10"], samples=50, seed=0)
    assert compared["users"] == USERS


def test_a_second_run_reads_what_the_first_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, events: Path
) -> None:
    first = evaluated(monkeypatch, "sasrec", events, tmp_path / "a", "--seed", "1", "2")
    again = evaluated(monkeypatch, "sasrec", events, tmp_path / "a", "--seed", "1", "2")
    assert first["test"] == again["test"]
    counts = [path.read_text() for path in (tmp_path / "a").glob("*/*/runs.txt")]
    # Only the first seed tries both candidates.
    assert counts == ["run\n"] * 3


def test_shuffled_ties_are_another_task_for_every_seed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, events: Path
) -> None:
    found = evaluated(
        monkeypatch, "popularity", events, tmp_path / "a", "--shuffle-ties", "--seed", "1", "2", "3"
    )
    assert (found["seeds"], found["protocol"]["ties"]) == ([1, 2, 3], "shuffled")
    asked = {path.read_bytes() for path in (tmp_path / "a").glob("seed-*/task/valid.targets.npy")}
    assert len(asked) > 1


def test_a_folder_holds_one_thing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, events: Path
) -> None:
    evaluated(monkeypatch, "popularity", events, tmp_path / "a")
    with pytest.raises(SystemExit, match="name another --out"):
        evaluated(monkeypatch, "sasrec", events, tmp_path / "a")


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"none\.csv"):
        evaluated(monkeypatch, "popularity", tmp_path / "none.csv", tmp_path / "a")

"""Learning is timed step by step, on equal terms."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.accuracy import step_time, training_speed
from benchmarks.accuracy.exchange import Sequences
from benchmarks.accuracy.experiments import events
from benchmarks.accuracy.measuring import SETTINGS_NAME, StepClock
from tests.consumers.evaluation_world import write_walks

SIZE: dict[str, Any] = {
    "n_blocks": 1,
    "n_heads": 2,
    "n_factors": 8,
    "session_max_len": 3,
    "batch_size": 4,
    "dropout_rate": 0.2,
    "n_negatives": 5,
}
USERS = 20


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder of data sets in which every user clicks six times."""
    path = events(tmp_path, "beauty")
    path.parent.mkdir()
    plain = write_walks(tmp_path / "events.csv", users=USERS)
    path.write_bytes(gzip.compress(plain.read_bytes()))
    return tmp_path


def test_a_clock_stops_after_its_steps_and_tells_all_but_the_first() -> None:
    clock = StepClock(3)
    assert [clock() for _ in range(3)] == [False, False, True]
    assert clock.enough
    assert len(clock.seconds) == 2
    assert min(clock.seconds) >= 0.0


def test_only_the_catalogue_grows() -> None:
    small, large = (step_time.clicks(items, users=300) for items in (50, 5000))
    assert (small.item_count, large.item_count) == (50, 5000)
    np.testing.assert_array_equal(small.starts, large.starts)
    assert small.lengths.min() == step_time.SHORTEST
    counts = np.sort(np.bincount(large.items, minlength=5000))[::-1]
    assert counts[:50].sum() > len(large) / 4


def test_steps_are_timed_over_as_many_passes_as_it_takes() -> None:
    seconds = step_time.step_seconds(step_time.clicks(items=60, users=30), warm_up=1, steps=3)
    assert len(seconds) == 3
    assert min(seconds) > 0.0


def test_a_curve_that_rises_is_not_flat() -> None:
    found = step_time.judged({10: [1.0, 1.0, 9.0], 100: [1.5, 1.5, 1.5]})
    assert (found["above_fastest"], found["flat"]) == (0.5, False)
    assert "not flat within 20%: the slowest is 50% above" in step_time.table(found)


def test_the_curve_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Catalogues take turns, each child being told its own."""
    asked: list[str] = []

    def answer(command: list[str], threads: int) -> dict[str, Any]:
        asked.append(command[-1])
        return {"seconds": 0.5 if command[-1] == "10" else 0.55, "clicks": 7}

    monkeypatch.setattr(step_time, "answer_of", answer)
    out = tmp_path / "found.json"
    words = ["--catalogues", "10", "100", "--runs", "2", "--threads", "1", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["step_time", *words])
    step_time.main()
    assert asked == ["10", "100", "10", "100"]
    found = json.loads(out.read_text())
    assert (found["flat"], found["clicks"], found["threads"]) == (True, 7, 1)


def test_our_learner_is_of_the_other_one_s_size(data: Path) -> None:
    split = training_speed.split_of(events(data, "beauty"))
    ours = training_speed.learner(split, SIZE)
    shape = ours.model.config
    assert (shape.dimension, shape.blocks, shape.heads, shape.history_length) == (8, 1, 2, 3)
    # Of six clicks four are learned, three of which follow another.
    assert (ours.config.batch_positions, ours.config.sampled_items) == (4 * 3, 4 * 3 + 5)
    found = training_speed.measure(ours, warm_up=1, steps=2)
    assert found["steps"] == 2
    assert found["positions_per_step"] == pytest.approx(12.0, abs=3.0)
    assert found["positions_per_second"] > 0.0


def test_the_other_one_gets_the_same_clicks(data: Path, tmp_path: Path) -> None:
    split = training_speed.split_of(events(data, "beauty"))
    training_speed.prepare(split, tmp_path)
    clicks = Sequences.load(tmp_path, "learned")
    assert clicks.lengths.tolist() == [4] * USERS
    settings = json.loads((tmp_path / SETTINGS_NAME).read_text())
    assert settings.keys() >= SIZE.keys()
    assert settings["loss"] == "sampled_softmax"


def test_both_are_measured_in_turn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: Path
) -> None:
    asked: list[str] = []

    def answer(command: list[str], threads: int) -> dict[str, Any]:
        asked.append(command[2])
        speed = 10.0 if "rectools" in command[2] else 35.0
        return {"positions_per_second": speed, "positions_per_step": 12.0, "threads": threads}

    monkeypatch.setattr(training_speed, "answer_of", answer)
    monkeypatch.setattr(training_speed, "RECTOOLS", Path(sys.executable))
    out = tmp_path / "found.json"
    words = ["--data", str(data), "--runs", "2", "--threads", "1", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["training_speed", *words])
    training_speed.main()
    ours, theirs = training_speed.__name__, "benchmarks.accuracy.rectools.training_speed"
    assert asked == [ours, theirs, ours, theirs]
    found = json.loads(out.read_text())
    assert (found["ratio"], found["data"], found["ours"]["threads"]) == (
        3.5,
        "amazon-beauty-5core",
        1,
    )


def test_a_missing_library_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: Path
) -> None:
    monkeypatch.setattr(training_speed, "RECTOOLS", tmp_path / "none")
    monkeypatch.setattr(sys, "argv", ["training_speed", "--data", str(data)])
    with pytest.raises(SystemExit, match=r"benchmarks\.accuracy\.install"):
        training_speed.main()

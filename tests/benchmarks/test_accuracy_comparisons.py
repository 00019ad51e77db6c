"""Our own model's experiments are commands that `gsr evaluate` and `gsr compare` accept."""

import gzip
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from benchmarks.accuracy import ablations, better_view
from benchmarks.accuracy.experiments import DATA, Experiment, experiments
from benchmarks.accuracy.model_runs import ENSEMBLE, OTHER_ENCODERS, SAME_ENCODERS, THREADS, WHOLE
from consumers.cli.application import app
from consumers.offline.evaluation.learning import LearningRules
from consumers.offline.evaluation.run import EvaluateOptions, evaluate
from consumers.runtime.progress import ProgressCallback
from consumers.runtime.supervisor import gsr_command
from tests.consumers.evaluation_world import drawn, evaluated, read, write_walks

ITEMS = 12


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One pass is enough, and the commands' threads are not those of other tests."""

    def once(options: EvaluateOptions, progress: ProgressCallback) -> dict[str, Any]:
        quick = replace(options, rules=LearningRules(most_passes=1), seeds=options.seeds[:1])
        return evaluate(quick, progress)

    monkeypatch.setattr("consumers.offline.evaluation.run.evaluate", once)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder with a tiny event file for every data set."""
    rng = np.random.default_rng(0)
    rows = [
        f"u{user},i{item},{1_700_000_000 + 1000 * user + place}"
        for user in range(20)
        for place, item in enumerate(rng.permutation(ITEMS)[:6])
    ]
    for name in DATA.values():
        path = tmp_path / name / "events.csv.gz"
        path.parent.mkdir()
        path.write_bytes(gzip.compress("\n".join(["user_id,item_id,timestamp", *rows]).encode()))
    return tmp_path


def settings(experiment: Experiment) -> dict[str, Any]:
    """Run an experiment here; return the model and the learner that it came to."""
    started = gsr_command()
    assert experiment.command[: len(started)] == tuple(started)
    done = CliRunner().invoke(app, experiment.command[len(started) :], prog_name="gsr")
    assert done.exit_code == 0, done.output
    assert torch.get_num_threads() == THREADS
    found: dict[str, Any] = json.loads(experiment.result.read_text())["model"]
    return {name: found[name] for name in ("encoders", "ranker", "learner")}


def test_commands_are_accepted_and_every_ablation_changes_something(data: Path) -> None:
    found = {
        experiment.name: settings(experiment)
        for experiment in experiments(data, data / "out", minutes=1.0)
        if experiment.name.startswith("ours/beauty/")
    }
    ablations = [
        found[f"ours/beauty/ablations/{name}"]
        for name in (WHOLE, ENSEMBLE, *SAME_ENCODERS, *OTHER_ENCODERS)
    ]
    assert ablations[0] == found["ours/beauty/leave-one-out/joint"]
    for place, one in enumerate(ablations):
        assert one not in ablations[:place]


def test_the_joint_model_is_compared_with_what_validates_better(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clicks = read(write_walks(tmp_path / "clicks.csv", users=60))
    for name, luck in (("joint", 0.5), ("worse", 0.05), ("better", 0.2)):
        evaluated(clicks, drawn(luck)).write(tmp_path / name)
    folders = [str(tmp_path / name) for name in ("joint", "worse", "better")]
    result = tmp_path / "found.json"
    monkeypatch.setattr(sys, "argv", ["better_view", *folders, "--out", str(result)])
    better_view.main()
    found = json.loads(result.read_text())
    assert (found["a"]["path"], found["b"]["path"]) == (folders[2], folders[0])
    assert set(found["metrics"]) == {"hr@10", "ndcg@10"}
    assert found["metrics"]["hr@10"]["difference"] > 0


def test_every_ablation_is_compared_with_the_whole_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clicks = read(write_walks(tmp_path / "clicks.csv", users=60))
    for name, luck in (("whole", 0.5), ("less", 0.05)):
        evaluated(clicks, drawn(luck)).write(tmp_path / "ablations" / name)
    result = tmp_path / "found.json"
    words = [str(tmp_path / "ablations"), "--whole", "whole", "--out", str(result)]
    monkeypatch.setattr(sys, "argv", ["ablations", *words])
    ablations.main()
    found = json.loads(result.read_text())
    assert list(found) == ["less"]
    assert found["less"]["metrics"]["hr@10"]["difference"] > 0
    words[2] = "other"
    monkeypatch.setattr(sys, "argv", ["ablations", *words])
    with pytest.raises(SystemExit, match="evaluate it first"):
        ablations.main()


def test_what_is_not_evaluated_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    words = [str(tmp_path / "joint"), str(tmp_path / "view"), "--out", str(tmp_path / "found")]
    monkeypatch.setattr(sys, "argv", ["better_view", *words])
    with pytest.raises(SystemExit, match="evaluate it first"):
        better_view.main()

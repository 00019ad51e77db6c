"""The baseline `retrained` in a replay, from its models to its report."""

import multiprocessing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consumers.errors import ConfigError
from consumers.offline.replay.options import ReplayOptions
from consumers.offline.replay.resuming import DIRECTORY
from consumers.offline.replay.retraining import retraining
from consumers.offline.replay.retraining.plan import RetrainingOptions
from consumers.offline.replay.rivals import BaselineSelection
from consumers.offline.replay.run import replay
from gsr.errors import TrainingError
from tests.consumers.offline.replay.retraining.at_once import TrainingAtOnce
from tests.consumers.offline.replay.small_replays import (
    CONFIG,
    run,
    shoppers,
    stopped_after,
    write_events,
)

RETRAINED: dict[str, Any] = {
    "baselines": BaselineSelection(("counters", "retrained")),
    "retraining": RetrainingOptions(hours=5.0, passes=2, shape={"dimension": 8, "ensemble": 1}),
    "warmup": 0.4,
}


def test_a_model_is_retrained_beside_at_two_moments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ranks the same clicks, changes no figure of others, and its cost stands apart."""
    monkeypatch.setattr(retraining, "TrainingProcesses", TrainingAtOnce)
    events = write_events(tmp_path / "clicks.csv", shoppers(900))
    found = run(events, tmp_path / "out", **RETRAINED)
    overall, cost = found["overall"], found["cost"]
    assert overall["joint:retrained"]["hr@20"] > 0.5
    assert [one["clicks"] for one in cost["retraining"]["moments"]] == [360, 660]
    assert cost["retraining"]["models"] == 2
    assert cost["retraining"]["cpu_seconds"] > 0.0
    assert cost["retraining"]["waiting_seconds"] >= 0.0
    assert "joint:retrained" in cost["models_seconds"]
    report = (tmp_path / "out" / "report.html").read_text()
    assert "retraining beside: 2 models, every 5 hours" in report
    assert not (tmp_path / "out" / DIRECTORY).exists()
    counters = {"baselines": BaselineSelection(("counters",))}
    without = run(events, tmp_path / "without", **RETRAINED | counters)
    assert without["overall"]["joint"] == overall["joint"]
    assert "retraining" not in without["cost"]


@pytest.mark.slow
def test_processes_learn_what_this_one_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Models are functions of the clicks, wherever they are learned."""
    events = write_events(tmp_path / "clicks.csv", shoppers(900))
    beside = run(events, tmp_path / "beside", **RETRAINED)
    monkeypatch.setattr(retraining, "TrainingProcesses", TrainingAtOnce)
    alone = run(events, tmp_path / "alone", **RETRAINED)
    for document in (beside, alone):
        del document["cost"]
    assert beside == alone


def test_a_stopped_replay_goes_on_with_its_retrained_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are there are not learned again; every figure is as if nothing had happened."""
    monkeypatch.setattr(retraining, "TrainingProcesses", TrainingAtOnce)
    events = write_events(tmp_path / "clicks.csv", shoppers(900))
    whole = run(events, tmp_path / "whole", **RETRAINED)
    interruption, watch = stopped_after(600)
    options = ReplayOptions(
        events=events, out=tmp_path / "out", config=CONFIG, cycle_clicks=200, **RETRAINED
    )
    with pytest.raises(SystemExit):
        replay(options, watch, interruption=interruption)
    models = sorted((tmp_path / "out" / DIRECTORY / "retrained").glob("model-*.safetensors"))
    assert len(models) == 2
    with pytest.raises(ConfigError, match="other events or options"):
        replay(replace(options, resume=True, retraining=RetrainingOptions(hours=9.0)))
    models[1].with_suffix(".json").unlink()  # as if it had not been ready
    resumed = replay(replace(options, resume=True))
    for document in (whole, resumed):
        del document["cost"]
    assert resumed == whole


def test_a_retrained_model_that_fails_ends_the_replay(tmp_path: Path) -> None:
    """With its reason; no process and no result is left."""
    events = write_events(tmp_path / "clicks.csv", shoppers(900))
    wrong = {"retraining": RetrainingOptions(hours=5.0, shape={"dimension": 7})}
    with pytest.raises(TrainingError, match=r"first 360 clicks .* dimension is 7"):
        run(events, tmp_path / "out", **RETRAINED | wrong)
    assert list((tmp_path / "out").iterdir()) == []
    assert not multiprocessing.active_children()


def test_too_many_retrainings_are_refused(tmp_path: Path) -> None:
    """Before anything is learned; the message says what would do."""
    events = write_events(tmp_path / "clicks.csv", shoppers(900))
    often = {"retraining": RetrainingOptions(hours=0.02)}
    with pytest.raises(ConfigError, match=r"retrain_hours is 0\.02: .* with 1 hours"):
        run(events, tmp_path / "out", **RETRAINED | often)
    with pytest.raises(ConfigError, match="retrain_hours is -1"):
        run(events, tmp_path / "out", retraining=RetrainingOptions(hours=-1.0))
    assert list((tmp_path / "out").iterdir()) == []

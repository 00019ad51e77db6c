"""`gsr evaluate` from a file of events to metrics, and on after an interruption."""

import json
from pathlib import Path

import numpy as np
import pytest

from consumers.config.settings import GsrConfig
from consumers.errors import ArtifactError, ConfigError
from consumers.offline.evaluation.learning import LearningRules
from consumers.offline.evaluation.run import EvaluateOptions, chosen_device, evaluate
from consumers.runtime.progress import Progress
from gsr.ranker.features import GROUPS
from stream.errors import EventFileError, StorageFullError

SMALL = {"dimension": 16, "history_length": 8, "blocks": 1, "dropout": 0.1}
ITEMS = 30


def _events(path: Path, users: int = 120) -> Path:
    """Users who walk from item to item in a ring, each step by one or two."""
    rng = np.random.default_rng(4)
    rows = ["user_id,item_id,timestamp"]
    for user in range(users):
        items = (rng.integers(ITEMS) + np.cumsum(rng.integers(1, 3, 9))) % ITEMS
        starts = 1_700_000_000 + 1000 * user
        rows += [f"u{user},i{item},{starts + 60 * n}" for n, item in enumerate(items)]
    path.write_text("\n".join(rows) + "\n")
    return path


def _options(tmp_path: Path, **changes: object) -> EvaluateOptions:
    options: dict[str, object] = {
        "events": _events(tmp_path / "clicks.csv"),
        "out": tmp_path / "out",
        "config": GsrConfig(),
        "seeds": (0, 1),
        "rules": LearningRules(patience=3, most_passes=4),
        "model": SMALL,
        "batch": {"warm_up_steps": 2, "average_decay": 0.9, "learning_rate": 0.01},
    }
    return EvaluateOptions(**{**options, **changes})  # type: ignore[arg-type]  # names are checked there


def test_a_place_for_results_that_takes_none_is_named_first(tmp_path: Path) -> None:
    """Before the file is even looked at, so before hours of learning."""
    (tmp_path / "out").write_text("")
    with pytest.raises(StorageFullError, match=f"{tmp_path / 'out'} cannot be written"):
        evaluate(_options(tmp_path, events=tmp_path / "nowhere.csv"))


@pytest.mark.parametrize("protocol", ["leave-one-out", "temporal"])
def test_an_evaluation_is_written_and_far_better_than_chance(tmp_path: Path, protocol: str) -> None:
    found = evaluate(_options(tmp_path, protocol=protocol))
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert written["test"] == found["test"]
    assert found["protocol"]["name"] == protocol
    assert found["seeds"] == [0, 1]
    chance = 5 / ITEMS
    for part in ("valid", "test", "valid_live", "test_live"):
        assert 2 * chance < found[part]["hr@5"] <= 1.0
    assert found["cost"]["epochs"] == pytest.approx(4.0)
    assert (tmp_path / "out" / "cases.parquet").exists()


def test_an_interrupted_evaluation_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    """Stopped after every single pass, it finds the same ranks."""
    whole = evaluate(_options(tmp_path, seeds=(0,)))

    class InterruptionError(Exception):
        pass

    def interrupt(report: Progress) -> None:
        if "learning" in report.stage:
            raise InterruptionError

    options = _options(tmp_path, seeds=(0,), out=tmp_path / "again")
    # A report comes before the pass is kept, so one more pass is made each time.
    for passes in range(1, 4):
        step = _options(
            tmp_path,
            seeds=(0,),
            out=tmp_path / "again",
            rules=LearningRules(patience=3, most_passes=passes),
        )
        evaluate(step)
        with pytest.raises(InterruptionError):
            evaluate(options, interrupt)
    again = evaluate(options)
    for part in ("valid", "test", "valid_live", "test_live"):
        assert again[part] == whole[part]


def test_other_settings_do_not_go_on_from_what_was_kept(tmp_path: Path) -> None:
    first = evaluate(_options(tmp_path, seeds=(0,)))
    other = evaluate(_options(tmp_path, seeds=(0,), model={**SMALL, "dimension": 8}))
    assert other["model"]["encoders"]["dimension"] == 8
    assert other["cost"]["epochs"] == first["cost"]["epochs"]


def test_another_mask_does_not_go_on_from_what_was_kept(tmp_path: Path) -> None:
    """Validation selects by the mask, so what one mask selected is not the other's."""
    evaluate(_options(tmp_path, seeds=(0,)))
    after = evaluate(_options(tmp_path, seeds=(0,), mask_seen=False))
    alone = evaluate(_options(tmp_path, seeds=(0,), mask_seen=False, out=tmp_path / "alone"))
    assert after["runs"][0]["best_pass"] == alone["runs"][0]["best_pass"]
    assert after["test"] == alone["test"]


ALONE = {"without": list(GROUPS)}
"""No counts: the encoders' vectors rank alone."""


def test_encoders_of_another_evaluation_are_those_that_learning_would_end_with(
    tmp_path: Path,
) -> None:
    """So a view alone, or another weighing, need not learn them again."""
    joint = evaluate(_options(tmp_path, seeds=(0,)))
    learned = evaluate(_options(tmp_path, seeds=(0,), out=tmp_path / "afresh", ranker=ALONE))
    taken = evaluate(
        _options(
            tmp_path,
            seeds=(0,),
            out=tmp_path / "taken",
            ranker=ALONE,
            encoders=tmp_path / "out",
        )
    )
    assert taken["test"] == learned["test"]
    assert taken["test"] != joint["test"]
    assert taken["runs"][0]["best_pass"] == joint["runs"][0]["best_pass"]
    assert not (tmp_path / "taken" / "learning").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seeds": (1,)}, "no encoders of seed 1"),
        ({"model": {**SMALL, "blocks": 2}}, "learned other clicks"),
        ({"rules": LearningRules(patience=9, most_passes=9)}, "not learned to the end"),
    ],
)
def test_encoders_that_do_not_fit_are_refused(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    evaluate(_options(tmp_path, seeds=(0,)))
    options = {"seeds": (0,), "out": tmp_path / "taken", "encoders": tmp_path / "out", **changes}
    with pytest.raises(ArtifactError, match=said):
        evaluate(_options(tmp_path, **options))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": {"dimensions": 8}}, "--model dimensions: there is no such setting"),
        ({"model": {"dimension": "wide"}}, "--model dimension: "),
        ({"model": {"dimension": 15}}, "--model: dimension is 15: give a multiple of "),
        ({"model": {"graph_channels": False}}, "--model graph_channels: there is no such setting"),
        ({"ranker": {"dimension": 8}}, "--ranker dimension: there is no such setting"),
        ({"ranker": {"kept": 0}}, "--ranker: kept"),
        ({"ranker": {"without": ["nothing"]}}, r"--ranker: no groups of features: \['nothing'\]"),
        (
            {"ranker": {"half_lives": [0.5]}},
            "--ranker: half_lives_seconds, .* one second",
        ),
        ({"ranker": {"half_lives": []}}, "--ranker: half_lives_seconds must name a time scale"),
        ({"batch": {"speed": 1}}, "--learner speed"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        evaluate(_options(tmp_path, **changes))


def test_a_device_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert (chosen_device("auto"), chosen_device("cpu")) == ("cpu", "cpu")
    with pytest.raises(ConfigError, match="no CUDA device here"):
        chosen_device("cuda")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert chosen_device("auto") == "cuda"


def test_too_few_clicks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("user_id,item_id,timestamp\nu,i,1\nu,j,2\n")
    with pytest.raises(EventFileError, match="no user has 3 clicks"):
        evaluate(_options(tmp_path, events=path))


def test_ties_can_be_shuffled_and_parts_switched_off(tmp_path: Path) -> None:
    found = evaluate(
        _options(
            tmp_path,
            seeds=(0,),
            shuffle_ties=True,
            mask_seen=False,
            model={**SMALL, "sequence_encoder": False},
        )
    )
    assert found["protocol"]["ties"] == "shuffled"
    assert found["protocol"]["mask_seen"] is False
    assert found["test"]["hr@5"] > 10 / ITEMS

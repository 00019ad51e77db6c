"""Every experiment has one name and one result, and what is done is not done again."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.accuracy import everything
from benchmarks.accuracy.contenders import CONTENDERS
from benchmarks.accuracy.experiments import BASELINES, DATA, Experiment, experiments
from benchmarks.accuracy.model_runs import ENSEMBLE, OTHER_ENCODERS, SAME_ENCODERS, VIEWS, WHOLE


def all_experiments(folder: Path) -> list[Experiment]:
    return list(experiments(folder, folder / "out", minutes=5.0))


def experiment(result: Path, count: Path) -> Experiment:
    """Return an experiment that counts its runs."""
    text = f"open({str(count)!r}, 'a').write('x'); open({str(result)!r}, 'w').close()"
    return Experiment(name="test/one", command=(sys.executable, "-c", text), result=result)


def ran(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str) -> None:
    given = ["everything", "--data", str(folder), "--out", str(folder / "out"), *words]
    monkeypatch.setattr(sys, "argv", given)
    everything.main()


def test_names_and_results_are_unique(tmp_path: Path) -> None:
    found = all_experiments(tmp_path)
    assert len({experiment.name for experiment in found}) == len(found)
    assert len({experiment.result for experiment in found}) == len(found)


def test_every_baseline_has_its_pieces(tmp_path: Path) -> None:
    found = all_experiments(tmp_path)
    assert set(BASELINES) == set(CONTENDERS)
    for name in BASELINES:
        assert sum(experiment.result.parent.name == name for experiment in found) == 4
    assert not any(
        "ml-1m" in experiment.name and "temporal" in experiment.name for experiment in found
    )


def test_our_model_has_its_pieces(tmp_path: Path) -> None:
    names = {experiment.name for experiment in all_experiments(tmp_path)}
    for data in ("beauty", "ml-1m"):
        assert {f"ours/{data}/leave-one-out/{view}" for view in VIEWS} <= names
        assert f"comparisons/{data}/joint-over-better-view" in names
    ablations = {WHOLE, ENSEMBLE, *SAME_ENCODERS, *OTHER_ENCODERS}
    assert {f"ours/beauty/ablations/{name}" for name in ablations} <= names
    assert {"speed/retrieval", "speed/training", "speed/step-time"} <= names


def test_what_is_compared_comes_before_the_comparison(tmp_path: Path) -> None:
    found = all_experiments(tmp_path)
    folders = {str(experiment.result.parent): place for place, experiment in enumerate(found)}
    kinds = {str(experiment.result.parent.parent): place for place, experiment in enumerate(found)}
    for place, experiment in enumerate(found):
        if experiment.name.endswith("joint-over-better-view"):
            compared = [folders[word] for word in experiment.command if word in folders]
            assert len(compared) == len(VIEWS)
            assert max(compared) < place
        elif experiment.name.startswith("comparisons/"):
            assert max(kinds[word] for word in experiment.command if word in kinds) < place


def test_encoders_are_learned_before_they_are_borrowed(tmp_path: Path) -> None:
    found = all_experiments(tmp_path)
    folders = {str(experiment.result.parent): place for place, experiment in enumerate(found)}
    lenders = {
        place: folders[experiment.command[experiment.command.index("--encoders") + 1]]
        for place, experiment in enumerate(found)
        if "--encoders" in experiment.command
    }
    assert len(lenders) == len(DATA) + len({WHOLE, *SAME_ENCODERS})
    assert all(lender < borrower for borrower, lender in lenders.items())


def test_a_piece_runs_until_its_result_is_there(tmp_path: Path) -> None:
    one = experiment(tmp_path / "result", tmp_path / "count")
    one.run()
    one.run()
    assert (tmp_path / "count").read_text() == "x"


def test_a_pattern_chooses_what_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run: list[str] = []
    monkeypatch.setattr(Experiment, "run", lambda experiment: run.append(experiment.name))
    ran(monkeypatch, tmp_path, "--only", "ours/beauty/leave-one-out/*")
    assert run == [f"ours/beauty/leave-one-out/{view}" for view in VIEWS]
    with pytest.raises(SystemExit):
        ran(monkeypatch, tmp_path, "--only", "nothing")
    assert "no experiment is called nothing" in capsys.readouterr().err


def test_a_failing_piece_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And nothing comes after it."""
    command = (sys.executable, "-c", "raise SystemExit(3)")
    bad = Experiment(name="test/bad", command=command, result=tmp_path / "bad")
    one = experiment(tmp_path / "result", tmp_path / "count")
    monkeypatch.setattr(everything, "experiments", lambda *_: [bad, one])
    with pytest.raises(SystemExit, match="test/bad failed with exit code 3"):
        ran(monkeypatch, tmp_path)
    assert not one.done


def test_a_list_runs_nothing_and_says_what_is_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = experiment(tmp_path / "result", tmp_path / "count")
    other = experiment(tmp_path / "other", tmp_path / "count")
    monkeypatch.setattr(everything, "experiments", lambda *_: [one, other])
    one.run()
    summary = tmp_path / "docs" / "summary.json"
    ran(monkeypatch, tmp_path, "--list", "--summary", str(summary))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["done", "test/one"], ["test/one"]]
    assert json.loads(summary.read_text())["evaluations"] == {}

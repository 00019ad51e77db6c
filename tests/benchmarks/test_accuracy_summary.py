"""What was found is told in few figures, to a person and in a file."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.accuracy.summary import summary, table
from consumers.runtime.documents import write_document


def figures(hr: float, ndcg: float) -> dict[str, float]:
    return {"hr@5": 0.01, "hr@10": hr, "ndcg@10": ndcg}


def metrics(seeds: list[int], *, live: bool) -> dict[str, Any]:
    """Return what matters of a `metrics.json`."""
    parts = {"valid": figures(0.05, 0.02), "test": figures(0.0974321, 0.0588)}
    if live:
        parts |= {"valid_live": figures(0.06, 0.03), "test_live": figures(0.1, 0.06)}
    one = {name: 0.001 if len(seeds) > 1 else None for name in ("hr@5", "hr@10", "ndcg@10")}
    return {
        **parts,
        "deviation": dict.fromkeys(parts, one),
        "seeds": seeds,
        "cost": {"seconds_per_seed": 90.0, "cpu_seconds": 360.0, "epochs": 7.5},
        "machine": {"cores": 2},
    }


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Return a folder with a baseline, our model, a comparison and a speed."""
    for name, seeds, live in (("sasrec", [1], False), ("joint", [0, 1, 2], True)):
        folder = tmp_path / "beauty" / "temporal" / name
        folder.mkdir(parents=True)
        write_document(metrics(seeds, live=live), folder / "metrics.json")
    compared = {"mean_a": 0.05, "mean_b": 0.06, "difference": 0.01, "relative_gain": 0.2}
    compared |= {"low": 0.004, "high": 0.016, "p_value": 1e-4, "p_normal": 1e-9}
    comparison = {
        "a": {"path": "run/beauty/temporal/graph-alone", "seeds": [0]},
        "b": {"path": "run/beauty/temporal/joint", "seeds": [0, 1, 2]},
        "users": 22_000,
        "metrics": {"ndcg@10": compared},
    }
    write_document(comparison, tmp_path / "beauty" / "joint-over-better-view.json")
    write_document({"no-sequence": comparison}, tmp_path / "beauty" / "worth-of-parts.json")
    write_document({"ratio": 3.5}, tmp_path / "training_speed.json")
    return tmp_path


def test_the_table_shows_what_is_done(results: Path) -> None:
    rows = [line.split() for line in table(results).splitlines()[1:3]]
    shared = [".0500/.0200", ".0974/.0588"]
    assert rows == [
        [
            "beauty/temporal/joint",
            *shared,
            *(".0010/.0010", ".1000/.0600"),
            *("0,1,2", "1.5"),
        ],
        ["beauty/temporal/sasrec", *shared, "1", "1.5"],
    ]


def test_the_table_tells_what_the_joint_model_is_better_than(results: Path) -> None:
    joint, part = table(results).splitlines()[-2:]
    assert joint == "beauty, joint over graph-alone: ndcg@10 0.0500 to 0.0600, p 0.0001"
    assert part == "beauty/no-sequence: worth +0.0100 ndcg@10, p 0.0001"


def test_the_summary_keeps_every_figure(results: Path) -> None:
    found = summary(results)
    joint = found["evaluations"]["beauty/temporal/joint"]
    assert joint["test"] == {"hr@10": 0.09743, "ndcg@10": 0.0588}
    assert joint["test_live"] == {"hr@10": 0.1, "ndcg@10": 0.06}
    assert joint["deviation"]["valid_live"] == {"hr@10": 0.001, "ndcg@10": 0.001}
    assert joint["seeds"] == [0, 1, 2]
    assert (joint["minutes_per_seed"], joint["cpu_minutes_per_seed"]) == (1.5, 2.0)
    sasrec = found["evaluations"]["beauty/temporal/sasrec"]
    assert "test_live" not in sasrec
    assert sasrec["deviation"]["test"] == {"hr@10": None, "ndcg@10": None}
    assert found["machines"] == [{"cores": 2}]


def test_the_summary_keeps_comparisons_and_speeds(results: Path) -> None:
    found = summary(results)
    comparison = found["comparisons"]["beauty"]
    assert (comparison["view"], comparison["users"]) == ("graph-alone", 22_000)
    assert comparison["metrics"]["ndcg@10"]["p_value"] == 1e-4
    assert found["training_speed"] == {"ratio": 3.5}
    assert "step_time" not in found


def test_nothing_found_is_an_empty_summary(tmp_path: Path) -> None:
    empty: dict[str, Any] = {
        "machines": [],
        "evaluations": {},
        "comparisons": {},
        "worth_of_parts": {},
    }
    assert summary(tmp_path) == empty
    assert len(table(tmp_path).splitlines()) == 1

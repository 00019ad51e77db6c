"""`gsr compare`: finds what differs, and refuses what cannot be compared."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from consumers.cli.application import app
from consumers.errors import ConfigError
from consumers.offline.evaluation.case_files import CASES_NAME
from consumers.offline.evaluation.comparison import compare_runs
from gsr.quality.protocols import temporal
from gsr.quality.ranking_metrics import METRICS, metric_values
from tests.consumers.evaluation_world import drawn, evaluated, read, write_walks


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Return a directory with the runs "worse" and "better"."""
    data = read(write_walks(tmp_path / "clicks.csv", users=200))
    evaluated(data, drawn(0.1)).write(tmp_path / "worse")
    evaluated(data, drawn(0.3)).write(tmp_path / "better")
    return tmp_path


def gsr(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, prog_name="gsr")


def compare(a: Path, b: Path, **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"metrics": ["hr@10", "ndcg@10"], "samples": 500, "seed": 0}
    return compare_runs(a, b, **given | changes)


def test_a_better_run_is_found_better(runs: Path) -> None:
    """The means are those of metrics.json: averaging seeds first changes no mean."""
    found = compare(runs / "worse", runs / "better")
    assert found["users"] == 200
    assert found["a"]["seeds"] == [0, 1, 2]
    for name, metric in found["metrics"].items():
        for side, run in (("mean_a", "worse"), ("mean_b", "better")):
            told = json.loads((runs / run / "metrics.json").read_text())
            assert metric[side] == pytest.approx(told["test"][name])
        assert 0 < metric["low"] < metric["difference"] < metric["high"]
        assert metric["p_value"] == pytest.approx(1 / 501)


def test_a_run_does_not_differ_from_itself(runs: Path) -> None:
    found = compare(runs / "worse", runs / "worse" / CASES_NAME)["metrics"]["ndcg@10"]
    assert (found["difference"], found["p_value"]) == (0.0, 1.0)


def test_rows_may_come_in_any_order_and_seeds_may_differ(runs: Path) -> None:
    """Values are paired by user, not by row; one seed can stand against three."""
    table = pq.read_table(runs / "better" / CASES_NAME)
    order = np.random.default_rng(0).permutation(len(table))
    shuffled = runs / "shuffled.parquet"
    pq.write_table(table.take(pa.array(order)), shuffled)
    expected = compare(runs / "worse", runs / "better")["metrics"]
    assert compare(runs / "worse", shuffled)["metrics"] == expected

    single = runs / "single.parquet"
    pq.write_table(table.filter(pa.compute.equal(table["seed"], 1)), single)
    found = compare(runs / "worse", single)
    assert found["b"]["seeds"] == [1]
    assert found["users"] == 200


def test_values_are_paired_user_by_user(tmp_path: Path) -> None:
    """By hand, with a file of another program."""
    for name, ranks in (("a", [1, 30, 4]), ("b", [2, 30, 1])):
        columns = {"user_id": ["x", "y", "z"], "item_id": ["i", "j", "k"], "rank": ranks}
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    found = compare(tmp_path / "a.parquet", tmp_path / "b.parquet", metrics=["mrr@5"])
    metric = found["metrics"]["mrr@5"]
    values = metric_values(np.array([[1, 30, 4], [2, 30, 1]], dtype=np.int32))
    means = values[..., METRICS.index("mrr@5")].mean(axis=1)
    assert [metric["mean_a"], metric["mean_b"]] == pytest.approx(means.tolist())


def test_other_parts_and_graphs_can_be_compared(runs: Path) -> None:
    """The live graph of a run against its frozen one."""
    found = compare(runs / "worse", runs / "worse", graphs=("frozen", "live"), part="valid")
    told = json.loads((runs / "worse" / "metrics.json").read_text())
    metric = found["metrics"]["hr@10"]
    assert metric["mean_a"] == pytest.approx(told["valid"]["hr@10"])
    assert metric["mean_b"] == pytest.approx(told["valid_live"]["hr@10"])


def test_what_was_asked_differently_is_not_compared(runs: Path) -> None:
    """Protocol, masks and data; the message names the setting."""
    data = read(runs / "clicks.csv")
    evaluated(data, drawn(0.3), mask_seen=False).write(runs / "unmasked")
    with pytest.raises(ConfigError, match=r"differ in protocol \(mask_seen: True and False"):
        compare(runs / "worse", runs / "unmasked")
    evaluated(data, drawn(0.3), split=partial(temporal, quantile=0.4)).write(runs / "later")
    with pytest.raises(ConfigError, match="name: leave-one-out and temporal"):
        compare(runs / "worse", runs / "later")
    fewer = read(write_walks(runs / "clicks.csv", users=199))
    evaluated(fewer, drawn(0.3)).write(runs / "fewer")
    with pytest.raises(ConfigError, match=r"differ in data \(.*users: 200 and 199"):
        compare(runs / "worse", runs / "fewer")


def write_ranks(path: Path, **columns: list[Any]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_targets_that_differ_are_not_compared(tmp_path: Path) -> None:
    """Files that say nothing of their protocol are told apart by their targets."""
    users = ["x", "y"]
    a = write_ranks(tmp_path / "a.parquet", user_id=users, item_id=["i", "j"], rank=[1, 2])
    b = write_ranks(tmp_path / "b.parquet", user_id=users, item_id=["i", "k"], rank=[1, 2])
    with pytest.raises(ConfigError, match="1 of 2 users have other targets"):
        compare(a, b)
    c = write_ranks(tmp_path / "c.parquet", user_id=["x", "z"], item_id=["i", "j"], rank=[1, 2])
    with pytest.raises(ConfigError, match="1 users are only in the first, 1 only in the second"):
        compare(a, c)
    twice = write_ranks(tmp_path / "d.parquet", user_id=["x", "x"], item_id=["i", "i"], rank=[1, 2])
    with pytest.raises(ConfigError, match="one rank for every user and seed"):
        compare(twice, a)


def test_shuffled_ties_are_compared_seed_by_seed(tmp_path: Path) -> None:
    """Equal seeds shuffle alike; others give other targets, which cannot be paired."""
    data = read(write_walks(tmp_path / "clicks.csv"))
    for name, luck, seeds in (("a", 0.1, (0, 1)), ("b", 0.3, (0, 1)), ("c", 0.3, (2, 3))):
        evaluated(data, drawn(luck), seeds=seeds, shuffle=True).write(tmp_path / name)
    assert compare(tmp_path / "a", tmp_path / "b")["users"] == 40
    with pytest.raises(ConfigError, match="targets depend on the seed, and the seeds differ"):
        compare(tmp_path / "a", tmp_path / "c")


def test_the_command_shows_a_table(runs: Path) -> None:
    result = gsr("compare", str(runs / "worse"), str(runs / "better"), "--samples", "500")
    assert result.exit_code == 0
    header, row = result.stdout.splitlines()
    assert header.split()[:5] == ["metric", "a", "b", "difference", "gain"]
    assert row.startswith("ndcg@10")
    assert "200 users, test, 500 draws" in result.stderr
    assert "seeds 0, 1, 2" in result.stderr


def test_the_command_prints_json(runs: Path) -> None:
    """The same as from Python, on standard output alone."""
    arguments = ["--metric", "hr@10", "--metric", "ndcg@10", "--samples", "500", "--json"]
    result = gsr("compare", str(runs / "worse"), str(runs / "better"), *arguments)
    assert json.loads(result.stdout) == compare(runs / "worse", runs / "better")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["worse", "nowhere"], 9, "there is no nowhere"),
        (["worse", "better", "--metric", "auc"], 2, "no such metric: auc; there are hr@5"),
        (["worse", "clicks.csv"], 7, "clicks.csv cannot be read as ranks"),
        (["worse", "better", "--samples", "1"], 2, "--samples"),
    ],
)
def test_wrong_input_ends_with_a_line_and_a_code(
    runs: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, message: str
) -> None:
    monkeypatch.chdir(runs)
    result = gsr("compare", *arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr

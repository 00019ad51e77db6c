"""`metrics.json` and `cases.parquet`: what they say agrees, and with the ranks."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from consumers.offline.evaluation.case_files import CASES_NAME
from consumers.offline.evaluation.result import METRICS_NAME
from gsr.quality.protocols import SLICES, temporal
from gsr.quality.ranking_metrics import METRICS, metric_means
from tests.consumers.evaluation_world import drawn, evaluated, read, write_walks


def test_the_document_averages_over_seeds(tmp_path: Path) -> None:
    """Means, deviations and slices are those of the runs' ranks."""
    evaluation = evaluated(read(write_walks(tmp_path / "clicks.csv")), drawn(0.2))
    document = evaluation.write(tmp_path / "out")
    assert document == json.loads((tmp_path / "out" / METRICS_NAME).read_text())
    assert document["seeds"] == [0, 1, 2]
    for name, kind in (
        ("test", ("test", "frozen")),
        ("valid", ("valid", "frozen")),
        ("test_live", ("test", "live")),
    ):
        runs = [metric_means(run.ranks[kind]) for run in evaluation.runs]  # type: ignore[index]
        assert [run[name] for run in document["runs"]] == runs
        values = [run["ndcg@10"] for run in runs]
        assert document[name]["ndcg@10"] == pytest.approx(np.mean(values))
        assert document["deviation"][name]["ndcg@10"] == pytest.approx(np.std(values, ddof=1))
        assert set(document[name]) == set(METRICS)
        assert set(document["slices"][name]) == set(SLICES)
    assert document["slices"]["test"]["short_histories"]["cases"] == 40
    assert document["slices"]["test"]["long_histories"] == {"cases": 0}


def test_the_document_says_what_was_asked_and_where(tmp_path: Path) -> None:
    data = read(write_walks(tmp_path / "clicks.csv"))
    evaluation = evaluated(data, drawn(0.2), settings={"dimension": 64}, mask_seen=False)
    document = evaluation.document()
    assert document["protocol"] == {
        "name": "leave-one-out",
        "least_clicks": 3,
        "mask_seen": False,
        "ties": "file",
    }
    assert document["data"] == data.facts()
    assert document["model"] == {"dimension": 64}
    assert document["cost"] == {
        "seconds": 9.0,
        "seconds_per_seed": 3.0,
        "cpu_seconds": 9.0,
        "epochs": 10.0,
        "peak_memory_bytes": 2**20,
    }
    assert document["machine"]["cores"] >= 1
    assert {"gsr", "python", "numpy", "torch"} <= set(document["versions"])
    assert document["cases"]["test"] == 40
    repeats = sum(
        data.interactions.items[end - 1] in data.interactions.items[start : end - 1]
        for start, end in zip(
            data.interactions.starts[:-1], data.interactions.starts[1:], strict=True
        )
    )
    assert document["cases"]["test_repeats"] == repeats > 0


def test_the_temporal_split_says_where_it_cut(tmp_path: Path) -> None:
    data = read(write_walks(tmp_path / "clicks.csv"))
    document = evaluated(data, drawn(0.2), split=partial(temporal, quantile=0.4)).document()
    assert document["protocol"]["name"] == "temporal"
    assert document["protocol"]["test_cut"] == 86_400.0
    assert document["protocol"]["refit"] is True


def test_one_seed_without_a_live_graph(tmp_path: Path) -> None:
    """There is no deviation to tell, and nothing is said of what was not measured."""
    data = read(write_walks(tmp_path / "clicks.csv"))
    document = evaluated(data, drawn(0.2), seeds=(4,), graphs=("frozen",)).document()
    assert document["deviation"]["test"]["hr@10"] is None
    assert "test_live" not in document
    assert document["test"] == document["runs"][0]["test"]


def test_every_rank_is_in_the_file_of_cases(tmp_path: Path) -> None:
    """By user and item ids, with the history's length; shuffled ties give other targets."""
    data = read(write_walks(tmp_path / "clicks.csv"))
    evaluation = evaluated(data, drawn(0.2), shuffle=True)
    evaluation.write(tmp_path / "out")
    table = pq.read_table(tmp_path / "out" / CASES_NAME).to_pylist()
    assert len(table) == 40 * 3 * 2 * 2
    for run in evaluation.runs:
        cases, clicks = run.split.test.cases, run.split.interactions
        rows = [
            row
            for row in table
            if (row["seed"], row["part"], row["graph"]) == (run.seed, "test", "live")
        ]
        assert [row["rank"] for row in rows] == run.ranks["test", "live"].tolist()
        assert [row["user_id"] for row in rows] == [f"u{user}" for user in range(40)]
        assert [row["item_id"] for row in rows] == [
            data.item_ids[item] for item in cases.targets(clicks)
        ]
        assert {row["history_length"] for row in rows} == {5}
    first, second = (
        [row["item_id"] for row in table if (row["seed"], row["part"]) == (seed, "test")]
        for seed in (0, 1)
    )
    assert first != second


def test_a_new_result_never_stands_beside_old_metrics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = read(write_walks(tmp_path / "clicks.csv"))
    evaluated(data, drawn(0.2)).write(tmp_path)

    def fails(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr("consumers.offline.evaluation.result.write_document", fails)
    with pytest.raises(OSError, match="no room"):
        evaluated(data, drawn(0.4)).write(tmp_path)
    assert not (tmp_path / METRICS_NAME).exists()

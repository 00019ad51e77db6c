"""What a case file says, against the plain way to say it."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from consumers.offline.replay import analysis
from consumers.offline.replay.analysis import analyse
from consumers.offline.replay.cases import CaseWriter
from gsr.loop import reports
from gsr.quality.ranking_metrics import MISS, metric_means

NAMES = ("joint", "popularity", "ranker")


def write_replay(
    path: Path,
    count: int = 3000,
    better: float = 0.15,
    seed: int = 0,
    shown: dict[str, str] | None = None,
) -> Path:
    """Clicks of 200 users; the joint model's ranks are better where the user is known well."""
    rng = np.random.default_rng(seed)
    user_clicks = rng.integers(0, 14, count)
    ranks = rng.integers(1, 60, (count, 3)).astype(np.int32)
    lucky = (rng.random(count) < better) & (user_clicks >= 3)
    ranks[lucky, 0] = 1
    ranks[rng.random(count) < 0.1, 1] = MISS
    tested = reports.TestedClicks(
        offsets=np.arange(count),
        times=np.arange(1e9, 1e9 + 60 * count, 60, dtype=np.float64)[:count],
        ranks=ranks,
        user_clicks=user_clicks,
        item_clicks=rng.integers(0, 14, count),
        version=1,
    )
    users = [f"u{n}" for n in rng.integers(0, 200, count)]
    with CaseWriter(path, NAMES, {"data": {"events": "clicks.csv"}}) as writer:
        writer.add(tested, users, ["i"] * count)
        writer.finish(shown or {name: name for name in NAMES})
    return path


def test_means_are_those_of_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Overall, every slice and every window; first clicks are in slice 0 of the users alone."""
    monkeypatch.setattr(analysis, "BATCH_ROWS", 700)
    path = write_replay(tmp_path / "cases.parquet")
    found = analyse(path, window_seconds=7200.0, samples=50)
    json.dumps(found, allow_nan=False)
    rows = pq.read_table(path).to_pylist()
    known = [row for row in rows if row["user_clicks"] > 0]
    blocks = [(found["overall"], known)]
    for name, block in found["slices"]["users"].items():
        blocks.append((block, [row for row in rows if row["user_slice"] == name]))
    for name, block in found["slices"]["items"].items():
        blocks.append((block, [row for row in known if row["item_slice"] == name]))
    for block in found["windows"]:
        inside = [row for row in known if block["start"] <= row["time"] < block["end"]]
        blocks.append((block, inside))
    assert len(blocks) > 30
    for block, chosen in blocks:
        assert block["scored"] == len(chosen) > 0
        for name in NAMES:
            ranks = np.array([row[f"rank_{name}"] for row in chosen], dtype=np.int32)
            assert block[name] == pytest.approx(metric_means(ranks))


def test_differences_are_to_the_strongest_rival_and_tell_whom_they_help(tmp_path: Path) -> None:
    """The joint model is better overall, by users of three clicks and more."""
    path = write_replay(tmp_path / "cases.parquet", count=8000)
    found = analyse(path, window_seconds=3600.0, samples=400)
    overall = [one for one in found["differences"]["overall"] if one["metric"] == "hr@20"]
    assert [(one["model"], one["against"]) for one in overall] == [
        ("joint", "ranker"),
        ("popularity", "ranker"),
    ]
    joint = overall[0]
    means = [found["overall"][name]["hr@20"] for name in ("joint", "ranker")]
    assert joint["difference"] == pytest.approx(means[0] - means[1])
    for kind in ("users", "windows"):
        assert 0 < joint[kind]["low"] < joint["difference"] < joint[kind]["high"]
        assert joint[kind]["p_value"] <= joint[kind]["p_corrected"] < 0.05
    each = [one for one in found["differences"]["baselines"] if one["metric"] == "hr@20"]
    assert [(one["model"], one["against"]) for one in each] == [
        ("joint", "popularity"),
        ("joint", "ranker"),
    ]
    assert (each[1]["difference"], each[1]["users"]["low"], each[1]["windows"]["p_value"]) == (
        *(joint["difference"], joint["users"]["low"], joint["windows"]["p_value"]),
    )
    assert {one["metric"] for one in found["differences"]["baselines"]} == {"hr@20", "mrr@20"}
    helped = {
        one["slice"]: one["users"]["p_corrected"] < 0.05
        for one in found["differences"]["slices"]
        if one["kind"] == "users" and one["metric"] == "hr@20"
    }
    assert helped == {"0": False, "1": False, "2": False, "3-9": True, "10+": True}


def test_a_replay_without_scored_clicks_says_nothing(tmp_path: Path) -> None:
    found = analyse(write_replay(tmp_path / "cases.parquet", count=0), window_seconds=60.0)
    assert found["overall"]["scored"] == 0
    assert found["windows"] == []
    names = ("overall", "baselines", "configurations", "slices")
    assert found["differences"] == {name: [] for name in names}


def test_configurations_are_compared_with_the_joint_model(tmp_path: Path) -> None:
    """Also where there is no baseline; one that ranks alike does not differ."""
    names = {"joint": "joint", "joint:other": "ranker", "joint:same": "joint"}
    path = write_replay(tmp_path / "cases.parquet", count=2000, shown=names)
    told = analyse(path, window_seconds=3600.0, samples=100)["differences"]
    assert told["overall"] == told["baselines"] == told["slices"] == []
    found = [one for one in told["configurations"] if one["metric"] == "hr@20"]
    assert [(one["model"], one["against"]) for one in found] == [
        ("joint:other", "joint"),
        ("joint:same", "joint"),
    ]
    assert found[0]["difference"] < 0.0 == found[1]["difference"]
    assert found[1]["users"]["p_value"] == 1.0

"""Replays compared click by click: against each other, and one model against another."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from consumers.cli.application import app
from consumers.errors import ConfigError
from consumers.offline.evaluation.replay_comparison import compare_replays
from consumers.offline.replay.analysis import analyse
from tests.consumers.offline.replay.test_analysis import write_replay


def compare(a: Path, b: Path, **changes: Any) -> dict[str, Any]:
    given = {"model": "joint", "against": "ranker", "metrics": ["hr@20", "mrr@20"]}
    return compare_replays(a, b, **{**given, "samples": 300, "seed": 0, **changes})


def test_models_of_one_replay_differ_as_its_analysis_says(tmp_path: Path) -> None:
    path = write_replay(tmp_path / "cases.parquet", count=8000)
    found = compare(tmp_path, path)["metrics"]["hr@20"]
    overall = analyse(path, window_seconds=3600.0, samples=50)["overall"]
    assert found["mean_a"] == pytest.approx(overall["ranker"]["hr@20"])
    assert found["mean_b"] == pytest.approx(overall["joint"]["hr@20"])
    for kind in ("users", "windows"):
        assert 0 < found[kind]["low"] < found["difference"] < found[kind]["high"]
        assert found[kind]["p_corrected"] == pytest.approx(2 / 301)


def test_one_model_of_two_replays_is_paired_by_click(tmp_path: Path) -> None:
    """The same log twice; equal ranks do not differ."""
    a = write_replay(tmp_path / "a.parquet")
    b = write_replay(tmp_path / "b.parquet")
    found = compare(a, b, against="joint")["metrics"]["mrr@20"]
    assert (found["difference"], found["users"]["p_value"]) == (0.0, 1.0)


def test_replays_of_other_clicks_are_refused(tmp_path: Path) -> None:
    """Fewer clicks, other clicks, unknown models, and a model against itself."""
    a = write_replay(tmp_path / "a.parquet")
    with pytest.raises(ConfigError, match="scored other clicks, 3,000 and 2,999"):
        compare(a, write_replay(tmp_path / "b.parquet", count=2999))
    with pytest.raises(ConfigError, match=r"scored other clicks\. Replay the same"):
        compare(a, write_replay(tmp_path / "c.parquet", seed=1))
    table = pq.read_table(a).replace_schema_metadata({"gsr": '{"data": {"events": "other"}}'})
    pq.write_table(table, tmp_path / "d.parquet")
    with pytest.raises(ConfigError, match="replayed other events"):
        compare(a, tmp_path / "d.parquet")
    with pytest.raises(ConfigError, match="no model deep; there are joint, popularity, ranker"):
        compare(a, a, against="deep")
    with pytest.raises(ConfigError, match="compared with itself"):
        compare(a, a, against="joint")
    with pytest.raises(ConfigError, match="no such metric: hr@7"):
        compare(a, a, metrics=["hr@7"])


def test_the_command_takes_a_replay(tmp_path: Path) -> None:
    write_replay(tmp_path / "cases.parquet")
    options = ["--against", "ranker", "--metric", "hr@20", "--samples", "200"]
    result = CliRunner().invoke(app, ["compare", str(tmp_path), *options], prog_name="gsr")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["metric", "hr@20", "hr@20"]
    assert "a: ranker of" in result.stderr

"""Pairs of seeds: every configuration of a replay against every other, baselines left out."""

from pathlib import Path

from benchmarks.seed_pairs import compared_pairs, counted
from tests.consumers.offline.replay.test_analysis import write_replay


def test_pairs_are_of_configurations_alone(tmp_path: Path) -> None:
    """Two that are truly different have no zero in their intervals."""
    shown = {"joint": "joint", "joint:one": "ranker", "popularity": "popularity"}
    write_replay(tmp_path / "cases.parquet", count=4000, better=0.4, shown=shown)
    (pair,) = compared_pairs(tmp_path)
    assert pair["models"] == ["joint", "joint:one"]
    assert pair["hr@20"]["difference"] < -0.1
    assert counted([pair])["without_zero"]["hr@20"]["users"] == {"pairs": 1, "without_zero": 1}

"""The tables that an example makes of a replay."""

import subprocess
import sys
from pathlib import Path

import pytest

from consumers.config.settings import GsrConfig
from consumers.offline.replay.options import ReplayOptions
from consumers.offline.replay.run import replay
from examples.replay_tables import quality, recommendations
from tests.consumers.trainer_world import SMALL_LEARNER, SMALL_MODEL

CLICKS = 600


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what a replay of shoppers on a ring of items wrote."""
    directory = tmp_path_factory.mktemp("replay")
    events = directory / "clicks.csv"
    rows = [f"u{n % 20},i{(n % 20 + n // 20) % 60},{1_000_000_000 + 60 * n}" for n in range(CLICKS)]
    events.write_text("\n".join(["user_id,item_id,timestamp", *rows]))
    config = GsrConfig().with_values({"model": SMALL_MODEL, "learner": SMALL_LEARNER})
    replay(ReplayOptions(events=events, out=directory / "out", config=config, cycle_clicks=200))
    return directory / "out"


def test_quality_has_a_row_for_each_window_and_model(directory: Path) -> None:
    """With every metric as a column."""
    table = quality(directory)
    assert table.num_rows % 3 == 0
    assert set(table["model"].to_pylist()) == {"joint", "graph", "popularity"}
    assert all(0.0 <= value <= 1.0 for value in table["hr@20"].to_pylist())
    assert 0 < sum(table["scored"].to_pylist()) / 3 < CLICKS


def test_recommendations_have_a_row_for_each_item_of_a_list(directory: Path) -> None:
    """Ranked from 0, the best first."""
    rows = recommendations(directory).to_pylist()
    assert {row["user_id"] for row in rows} == {f"u{n}" for n in range(20)}
    assert {row["item_id"] for row in rows} <= {f"i{n}" for n in range(60)}
    for user in ("u0", "u19"):
        own = [row for row in rows if row["user_id"] == user]
        assert [row["rank"] for row in own] == list(range(len(own)))
        scores = [row["score"] for row in own]
        assert scores == sorted(scores, reverse=True)


def test_the_program_prints_both(directory: Path) -> None:
    """As its first lines say."""
    script = Path(__file__).parents[2] / "examples" / "replay_tables.py"
    done = subprocess.run(
        [sys.executable, str(script), str(directory)], check=True, capture_output=True, text=True
    )
    assert "joint" in done.stdout
    assert "on most lists:\n  i" in done.stdout

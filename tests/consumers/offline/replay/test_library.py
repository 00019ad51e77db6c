"""The library says what a replay says of the same clicks and settings, and lists what it lists."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard

from consumers.offline.replay.rivals import COUNTERS, BaselineSelection
from gsr.library.settings import StreamSettings
from gsr.library.stream_recommender import StreamRecommender
from gsr.quality.ranking_metrics import METRICS
from gsr.ranker.config import RankerConfig, RankerLearning
from tests.consumers.offline.replay.small_replays import run, shoppers, write_events
from tests.consumers.trainer_world import SMALL_LEARNER, SMALL_MODEL

CLICKS = 1500
ROWS = shoppers(CLICKS)
USERS, ITEMS, TIMES = (list(column) for column in zip(*ROWS, strict=True))
TABLE = pa.table({"user_id": USERS, "item_id": ITEMS, "timestamp": TIMES})


def settings(**changes: Any) -> StreamSettings:
    """Return the settings of `small_replays`."""
    learning: dict[str, Any] = {**SMALL_LEARNER, "seed": 0}
    return StreamSettings(
        model=RankerConfig(**SMALL_MODEL),  # type: ignore[arg-type]  # settings are mixed
        learning=RankerLearning(**learning),
        **changes,
    )


@pytest.mark.parametrize("repeats", ["exclude", "include"])
def test_an_evaluation_is_a_replay(tmp_path: Path, repeats: str) -> None:
    """Of the model, and of the counters that stand beside it."""
    events = write_events(tmp_path / "clicks.csv", ROWS)
    baselines = BaselineSelection((COUNTERS,))
    document = run(events, tmp_path / "out", repeats=repeats, baselines=baselines)
    found = StreamRecommender(settings(allow_repeats=repeats == "include")).evaluate(TABLE)
    assert found.scored == document["overall"]["scored"]
    for model in ("joint", "popularity", "graph"):
        for metric in METRICS:
            wanted = document["overall"][model][metric]
            assert found.metrics[model][metric] == pytest.approx(wanted, rel=1e-12), (model, metric)
    told = document["baselines"]["popularity"]["half_life_seconds"]
    assert found.half_lives["popularity"] == told
    assert 0.0 < found.metrics["popularity"]["mrr@20"] < found.metrics["joint"]["mrr@20"]


def test_lists_are_those_of_the_publisher(tmp_path: Path) -> None:
    """Items, their order and their scores; a replay writes them by the publisher's own code."""
    events = write_events(tmp_path / "clicks.csv", ROWS)
    run(
        events,
        tmp_path / "out",
        warmup=0.0,
        recommendations="final",
        baselines=BaselineSelection((COUNTERS,)),
    )
    with zstandard.open(tmp_path / "out" / "recommendations.jsonl.zst", "rt") as file:
        records = [json.loads(line) for line in file]
    assert len(records) == len(set(USERS))
    lists = StreamRecommender(settings()).fit(TABLE).recommend(k=20).to_pylist()
    for record in records:
        mine = [row for row in lists if row["user_id"] == record["user_id"]]
        assert [row["item_id"] for row in mine] == [one["item_id"] for one in record["items"]]
        scores = [one["score"] for one in record["items"]]
        assert [row["score"] for row in mine] == pytest.approx(scores, abs=1e-6)

"""A replay that stopped goes on, and only the same one."""

from dataclasses import replace
from pathlib import Path

import pytest

from consumers.errors import ConfigError, NotFoundError
from consumers.offline.replay.options import ReplayOptions
from consumers.offline.replay.resuming import DIRECTORY
from consumers.offline.replay.rivals import IN_LOOP, BaselineSelection
from consumers.offline.replay.run import replay
from tests.consumers.offline.replay.small_replays import (
    CONFIG,
    run,
    shoppers,
    stopped_after,
    write_events,
)

EVERY = BaselineSelection(IN_LOOP)


def test_a_stopped_replay_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """As if it had never stopped: every figure and every list are those of an undisturbed run."""
    events = write_events(tmp_path / "clicks.csv", shoppers(1500))
    whole = run(events, tmp_path / "whole", compare={"five": CONFIG}, seed=2, baselines=EVERY)
    options = ReplayOptions(
        events=events,
        out=tmp_path / "out",
        config=CONFIG,
        cycle_clicks=200,
        compare={"five": CONFIG},
        seed=2,
        baselines=EVERY,
    )
    interruption, watch = stopped_after(800)
    with pytest.raises(SystemExit):
        replay(options, watch, interruption=interruption)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [DIRECTORY]
    resumed = replay(replace(options, resume=True))
    for document in (whole, resumed):
        del document["cost"]
    assert resumed == whole
    assert not (tmp_path / "out" / DIRECTORY).exists()
    for result in ("recommendations.jsonl.zst", "cases.parquet"):
        first, second = (tmp_path / name / result for name in ("whole", "out"))
        assert first.read_bytes() == second.read_bytes()


def test_only_the_same_replay_goes_on(tmp_path: Path) -> None:
    """Other options would mix two runs into one; without a stopped run there is nothing to do."""
    events = write_events(tmp_path / "clicks.csv", shoppers(900))
    options = ReplayOptions(events=events, out=tmp_path / "out", config=CONFIG, cycle_clicks=200)
    with pytest.raises(NotFoundError, match="no stopped replay"):
        replay(replace(options, resume=True))
    interruption, watch = stopped_after(400)
    with pytest.raises(SystemExit):
        replay(options, watch, interruption=interruption)
    with pytest.raises(ConfigError, match="other events or options"):
        replay(replace(options, resume=True, seed=9))
    with pytest.raises(ConfigError, match="all lists"):
        replay(replace(options, resume=True, recommendations="all"))
    begun_anew = replay(options)
    assert begun_anew["totals"]["clicks"] == 900
    assert not (tmp_path / "out" / DIRECTORY).exists()

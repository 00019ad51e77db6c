"""Bootstrap: history becomes what a running service would have left behind."""

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.errors import ConfigError
from consumers.metrics.registry import Metrics
from consumers.offline.bootstrap.run import Bootstrap, bootstrap
from consumers.offline.bootstrap.unfinished import refuse_unfinished
from consumers.offline.click_history import ClickHistoryOptions
from consumers.roles.ingest.role import IngestRole
from consumers.roles.trainer.role import TrainerRole
from consumers.runtime.role_process import run_role
from stream.clock import ManualClock
from stream.errors import EventFileError, LogFullError
from stream.events.clicks.encoding import encode_click
from stream.log.interface import Outgoing
from stream.log.opening import open_log
from stream.state.check import check
from stream.state.checkpoint import Checkpoint
from stream.state.store import PartitionStore
from tests.consumers.offline.replay.small_replays import shoppers, write_events
from tests.consumers.trainer_world import NOW, SMALL_LEARNER, SMALL_MODEL


def _config(tmp_path: Path) -> GsrConfig:
    return GsrConfig().with_values(
        {
            "state": {"directory": tmp_path / "state"},
            "log": {"url": f"embedded:{tmp_path / 'log'}", "partitions": 2},
            "ingest": {"checkpoint_interval_seconds": 0.5},
            "trainer": {"poll_interval_seconds": 0.1},
            "model": SMALL_MODEL,
            "learner": SMALL_LEARNER,
        }
    )


def test_roles_go_live_from_history(tmp_path: Path) -> None:
    """Ingest and trainer take over state, model and counts; later clicks add to them."""
    config = _config(tmp_path)
    clock = ManualClock(NOW)
    events = write_events(tmp_path / "clicks.csv", shoppers(400))
    options = ClickHistoryOptions(events=events, config=config, cycle_clicks=200)
    summary = bootstrap(options, clock)
    assert summary["clicks"] == 400
    assert summary["users"] == summary["sequences"] == 40
    assert summary["model_version"] == 1

    log, artifacts = open_log(config.log.url, clock), open_artifacts(config, clock)
    ingest = IngestRole(config, log, clock, Metrics("ingest", clock), artifacts)
    trainer = TrainerRole(config, log, clock, Metrics("trainer", clock), artifacts)
    click = Outgoing(b"u1", encode_click("u1", "i1", clock.time()))
    log.writer(config.log.clicks).append([click])
    for _ in range(40):
        ingest.step()
        trainer.step()
        clock.sleep(0.1)
    assert trainer.loop is not None
    assert trainer.loop.totals.clicks == 401
    user = trainer.loop.mirror.arrays.user_buffer("u1")
    history = [row for row in shoppers(400) if row[0] == "u1"]
    assert user is not None
    assert len(user) == len(history) + 1
    trainer.close()
    ingest.close()
    log.close()
    with pytest.raises(ConfigError, match="never overwrites"):
        bootstrap(options, clock)
    for partition, number in artifacts.newest_checkpoints().items():
        path = artifacts.checkpoint_path(partition, number)
        assert number > 0 or partition == 1
        assert check(path) == []
        with Checkpoint.open(path) as opened:
            assert opened.history() == 400


@pytest.mark.parametrize("last", ["follow", "publish", "_send_sequences"])
def test_a_half_made_state_is_refused_until_it_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    """Stopped anywhere, what it left is named; without that, repeating is all that is needed."""
    config, clock = _config(tmp_path), ManualClock(NOW)
    events = write_events(tmp_path / "clicks.csv", shoppers(100))
    options = ClickHistoryOptions(events=events, config=config, cycle_clicks=50)

    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Bootstrap, last, killed)
        with pytest.raises(KeyboardInterrupt):
            bootstrap(options, clock)
    with pytest.raises(ConfigError, match="stopped before its end"):
        run_role("ingest", IngestRole, config, stop=threading.Event())
    with pytest.raises(ConfigError, match="stopped before its end") as refusal:
        bootstrap(options, clock)
    named = str(refusal.value).partition("delete what it made (")[2].partition(")")[0].split(", ")
    for made in map(Path, named):
        assert made.is_relative_to(config.state.directory)
        if made.is_dir():
            shutil.rmtree(made)
        else:
            made.unlink(missing_ok=True)
    assert bootstrap(options, clock)["clicks"] == 100
    refuse_unfinished(config)


def test_a_log_that_cannot_be_used_is_found_before_learning(tmp_path: Path) -> None:
    """Not behind hours of it, with state that nothing follows from."""
    (tmp_path / "log").write_text("")
    config = GsrConfig().with_values(
        {"state": {"directory": tmp_path / "state"}, "log": {"url": f"embedded:{tmp_path / 'log'}"}}
    )
    events = write_events(tmp_path / "clicks.csv", shoppers(10))
    with pytest.raises(LogFullError, match="log"):
        bootstrap(ClickHistoryOptions(events=events, config=config), ManualClock(NOW))
    assert not (tmp_path / "state").exists()


def test_one_row_of_a_later_year_does_not_decide_what_now_is(tmp_path: Path) -> None:
    """It is refused by its line, or left out and counted, and weights are what they were."""
    config = GsrConfig().with_values(
        {
            "state": {"directory": tmp_path / "state"},
            "log": {"url": f"embedded:{tmp_path / 'log'}", "partitions": 1},
            "model": SMALL_MODEL,
            "learner": SMALL_LEARNER,
        }
    )
    rows = [*shoppers(300), ("dirty", "i1", NOW + 3600.0)]
    options = ClickHistoryOptions(events=write_events(tmp_path / "clicks.csv", rows), config=config)
    clock = ManualClock(NOW)
    with pytest.raises(EventFileError, match=r"line 302: .*3,600 seconds past"):
        bootstrap(options, clock)
    bootstrap(replace(options, on_bad="skip"), clock)
    state = PartitionStore.open(
        config.ingest_directory / "partition-0",
        0,
        config.state.shape(),
        config.events.rules(),
        clock,
    )
    assert state.watermark == shoppers(300)[-1][2]
    state.close()

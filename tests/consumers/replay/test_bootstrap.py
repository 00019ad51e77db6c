"""Bootstrap: history becomes what a running service would have left behind."""

from pathlib import Path

import pytest

from consumers.artifacts.store import open_artifacts
from consumers.config import GsrConfig
from consumers.errors import ConfigError
from consumers.ingest.role import IngestRole
from consumers.metrics.registry import Metrics
from consumers.replay.bootstrap import BootstrapOptions, bootstrap
from consumers.trainer.role import TrainerRole
from stream.clock import ManualClock
from stream.events.codec import encode_click
from stream.log.interface import Outgoing
from stream.log.opening import open_log
from tests.consumers.replay.test_run import shoppers, write_events
from tests.consumers.trainer_world import NOW, SMALL_LEARNER, SMALL_MODEL


def test_roles_go_live_from_history(tmp_path: Path) -> None:
    """Ingest and trainer take over state, model and counts; later clicks add to them."""
    config = GsrConfig().with_values(
        {
            "state": {"directory": tmp_path / "state"},
            "log": {"url": f"embedded:{tmp_path / 'log'}", "partitions": 2},
            "ingest": {"checkpoint_interval_seconds": 0.5},
            "trainer": {"poll_interval_seconds": 0.1},
            "model": SMALL_MODEL,
            "learner": SMALL_LEARNER,
        }
    )
    clock = ManualClock(NOW)
    events = write_events(tmp_path / "clicks.csv", shoppers(400))
    options = BootstrapOptions(events=events, config=config, cycle_clicks=200)
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

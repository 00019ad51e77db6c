"""Ingest's gauges, and what they say of its readiness."""

from pathlib import Path

import pytest

from consumers.metrics.catalogue import CATALOGUE
from stream.errors import LogUnavailableError
from stream.log.embedded.memory import MemoryLog
from stream.log.embedded.storage_reader import StorageReader
from tests.consumers.ingest_world import World, clicks_of

USERS = [f"u{n}" for n in range(12)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_every_gauge_is_set(tmp_path: Path) -> None:
    """A gauge that nobody sets shows 0 for ever, and is worse than none."""
    world = World(tmp_path, partitions=1)
    role = world.role()
    world.send(*clicks_of([f"u{n}" for n in range(30)], 50))
    world.run(role, 0.1)
    world.clock.sleep(11.0)
    world.send(("u1", "one more"))
    world.run(role, 0.2)
    calm = {
        *("gsr_ingest_lag_records", "gsr_ingest_lag_seconds", "gsr_ingest_sequence_backlog_users"),
        *("gsr_ingest_dirty_bytes", "gsr_ingest_longest_interpreter_hold_seconds"),
        *("gsr_ingest_locked_partitions", "gsr_ingest_restoring_partitions"),
        *("gsr_ingest_retention_used_ratio", "gsr_ingest_resending_partitions"),
        "gsr_ingest_withheld_records",
    }
    silent = [
        metric.name
        for metric in CATALOGUE
        if metric.role == "ingest" and metric.kind == "gauge" and metric.name not in calm
        if not any(
            sample.value
            for family in world.metrics.registry.collect()
            for sample in family.samples
            if sample.name == metric.name
        )
    ]
    role.close()
    assert silent == []


def test_ready_on_an_idle_topic(world: World) -> None:
    """No clicks at all is no trouble."""
    role = world.role()
    assert not all(role.checks().values())
    world.run(role, 1.1)
    assert all(role.checks().values())
    role.close()


def test_not_ready_while_it_lags(tmp_path: Path) -> None:
    """A long way behind is not ready; caught up is."""
    world = World(tmp_path, {"ready_lag_records": 50, "poll_records": 20})
    world.send(*clicks_of(USERS, 30))
    role = world.role()
    role.step()
    assert not all(role.checks().values())
    world.run(role, 3.0)
    assert all(role.checks().values())
    assert world.value("gsr_ingest_lag_records", partition="0") == 0
    role.close()


def test_not_ready_while_a_partition_stands_still(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few records that cannot be read are no lag to speak of, but the rest waits behind them."""
    role = world.role()
    world.run(role, 1.1)
    world.send(("u", "a"))
    monkeypatch.setattr(StorageReader, "poll", lambda *_arguments: [])
    world.run(role, world.config.process.stalled_seconds + 2.0)
    assert role.checks() == {"assigned": True, "caught_up": True, "progressing": False}
    lags = [world.value("gsr_ingest_lag_records", partition=str(p)) for p in range(2)]
    assert sorted(lags) == [0.0, 1.0]
    behind = str(lags.index(1.0))
    standing = world.clock.time() - world.value(
        "gsr_ingest_progress_timestamp_seconds", partition=behind
    )
    assert standing > world.config.process.stalled_seconds
    assert world.value("gsr_ingest_lag_seconds") == pytest.approx(standing, abs=2.0)
    monkeypatch.undo()
    world.run(role, 2.0)
    assert all(role.checks().values())
    role.close()


def _away(*_arguments: object) -> dict[int, int]:
    raise LogUnavailableError("the log is away")


def test_not_ready_while_the_log_cannot_be_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old figures do not look fine: the lag grows as time goes by."""
    role = world.role()
    world.run(role, 1.1)
    monkeypatch.setattr(MemoryLog, "end_offsets", _away)
    world.clock.sleep(60.0)
    with pytest.raises(LogUnavailableError):
        role.step()
    assert role.checks() == {"assigned": True, "caught_up": False, "progressing": False}
    world.metrics.render()
    assert world.value("gsr_ingest_lag_seconds") >= 60.0
    role.close()


def test_a_short_retention_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At the start, and as gauges."""
    world = World(tmp_path, partitions=1)
    world.config = world.config.with_values({"log": {"clicks_retention_seconds": 100.0}})
    role = world.role()
    assert "clicks_retention_seconds" in caplog.text
    world.send(("u", "a"))
    world.run(role, 1.0)
    world.send(("u", "b"))
    world.run(role, 3.0)
    assert 0.01 < world.value("gsr_ingest_retention_used_ratio") < 0.05
    world.run(role, 10.0)
    assert world.value("gsr_ingest_retention_used_ratio") == 0.0
    assert world.value("gsr_ingest_checkpoint_margin_records", partition="0") == 2
    role.close()

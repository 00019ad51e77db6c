"""A disk that is full stops ingest in plain words, and nothing is lost."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.exit_codes import STATE_EXIT_CODE
from consumers.metrics.registry import Metrics
from consumers.roles.ingest.role import IngestRole
from stream.clock import SystemClock
from stream.events.clicks.encoding import outgoing_clicks
from stream.events.simulator.config import SimulatorConfig
from stream.events.simulator.shoppers import Simulator
from stream.log.embedded.log import EmbeddedLog
from stream.state.dump import dump

FILE_LIMIT_BYTES = 600_000
"""No file may grow past it: what a full disk is to RocksDB, without needing one."""
_LIMITED = (
    "import os, resource, sys;"
    f"resource.setrlimit(resource.RLIMIT_FSIZE, ({FILE_LIMIT_BYTES}, {FILE_LIMIT_BYTES}));"
    "os.execv(sys.executable, [sys.executable, '-m', 'consumers.cli', *sys.argv[1:]])"
)


@pytest.fixture
def config(tmp_path: Path) -> GsrConfig:
    """Put clicks on a log whose state needs larger files than are allowed."""
    config = GsrConfig().with_values(
        {
            "log": {"url": f"embedded:{tmp_path / 'log'}", "partitions": 1},
            "state": {"directory": tmp_path / "state"},
            "ingest": {"sequence_bytes_per_second": 1.0},
        }
    )
    log = EmbeddedLog(tmp_path / "log", SystemClock())
    for spec in config.log.topics():
        log.create_topic(spec)
    writer = log.writer(config.log.clicks)
    shop = SimulatorConfig(users=2000, items=2000)
    for events in Simulator(shop, np.random.default_rng(3)).events(30_000):
        writer.append(outgoing_clicks(events))
    log.close()
    return config


@pytest.mark.slow
def test_stops_and_goes_on_when_there_is_room(config: GsrConfig, tmp_path: Path) -> None:
    """It ends with its own exit code and says what to do; a restart ends byte-equal."""
    finished = subprocess.run(
        [
            *(sys.executable, "-c", _LIMITED, "ingest"),
            *("--log", config.log.url, "--state", str(config.state.directory)),
            *("--set", "log.partitions=1", "--set", "http.ingest_port=0"),
        ],
        check=False,
        stderr=subprocess.PIPE,
        timeout=120,
    )
    said = finished.stderr.decode()
    assert finished.returncode == STATE_EXIT_CODE, said
    assert "Traceback" not in said
    assert "free space" in said.lower()
    _catch_up(config)
    plain = config.with_values({"state": {"directory": tmp_path / "plain"}})
    _catch_up(plain)
    name = "partition-0"
    assert list(dump(config.ingest_directory / name)) == list(dump(plain.ingest_directory / name))


def _catch_up(config: GsrConfig) -> None:
    """Ingest everything there is."""
    clock = SystemClock()
    log = EmbeddedLog(Path(config.log.url.partition(":")[2]), clock)
    metrics = Metrics("ingest", clock)
    role = IngestRole(config, log, clock, metrics, open_artifacts(config, clock))
    ends = log.end_offsets(config.log.clicks)
    while sum(role.positions().values()) < sum(ends.values()):
        role.step()
    role.close()
    log.close()

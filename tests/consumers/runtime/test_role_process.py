"""A role's process: loop, retries, readiness, and the order in which it ends."""

import gc
import http.client
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from consumers.artifacts.store import ArtifactStore
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.runtime.health import HealthServer
from consumers.runtime.role_process import run_role
from gsr.compiling import COMPILING, tell_compiling
from stream.clock import Clock
from stream.errors import LogUnavailableError, StateLockedError, StorageFullError
from stream.log.interface import Log


class ScriptedRole:
    """Does what each of its steps says; the last one repeats."""

    def __init__(self, *steps: Callable[[], bool]) -> None:
        self._steps = list(steps)
        self.done = 0
        self.closed = False
        self.close_error: Exception | None = None

    def step(self) -> bool:
        step = self._steps[min(self.done, len(self._steps) - 1)]
        self.done += 1
        return step()

    def checks(self) -> dict[str, bool]:
        return {"scripted": True}

    def close(self) -> None:
        self.closed = True
        if self.close_error is not None:
            raise self.close_error

    def factory(
        self,
        _config: GsrConfig,
        _log: Log,
        _clock: Clock,
        metrics: Metrics,
        _artifacts: ArtifactStore,
    ) -> "ScriptedRole":
        self.metrics = metrics
        return self


@pytest.fixture(autouse=True)
def _logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)


@pytest.fixture
def config(tmp_path: Path) -> GsrConfig:
    return GsrConfig().with_values(
        {
            "log": {"url": f"embedded:{tmp_path / 'log'}"},
            "state": {"directory": tmp_path / "state"},
            "http": {"ingest_port": 0},
        }
    )


def failing(error: Exception) -> Callable[[], bool]:
    def step() -> bool:
        raise error

    return step


def stopping(stop: threading.Event) -> Callable[[], bool]:
    def step() -> bool:
        stop.set()
        return True

    return step


def ready(server: HealthServer) -> tuple[int, dict[str, bool]]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return response.status, json.loads(response.read())["checks"]
    finally:
        connection.close()


def test_it_runs_until_told_to_stop_and_closes(config: GsrConfig) -> None:
    """The loop ends between two steps; the role is closed, topics exist."""
    stop = threading.Event()
    role = ScriptedRole(lambda: True, lambda: False, stopping(stop))
    run_role("ingest", role.factory, config, stop=stop)
    assert role.done == 3
    assert role.closed
    assert role.metrics.registry.get_sample_value("gsr_steps_total") == 3.0
    assert gc.get_freeze_count() == 0


def test_the_http_server_outlives_the_role(config: GsrConfig) -> None:
    """While the role closes, /readyz is false and still answers."""
    stop = threading.Event()
    servers: list[HealthServer] = []
    seen: list[tuple[int, dict[str, bool]]] = []

    class Closing(ScriptedRole):
        def close(self) -> None:
            seen.append(ready(servers[0]))

    def look_and_stop() -> bool:
        seen.append(ready(servers[0]))
        stop.set()
        return True

    role = Closing(lambda: True, look_and_stop)
    run_role("ingest", role.factory, config, stop=stop, announce=servers.append)
    (during, named), (after, named_after) = seen
    assert during == 200
    assert named["scripted"]
    assert after == 503
    assert not named_after["not_stopping"]
    with pytest.raises(ConnectionRefusedError):
        ready(servers[0])


def test_passing_trouble_is_retried(config: GsrConfig) -> None:
    """A retriable error costs a pause and a count, nothing else."""
    stop = threading.Event()
    role = ScriptedRole(failing(LogUnavailableError("away")), stopping(stop))
    run_role("ingest", role.factory, config, stop=stop)
    assert role.metrics.registry.get_sample_value("gsr_retries_total") == 1.0


def test_any_other_error_ends_the_role_in_order(config: GsrConfig) -> None:
    """The first error is the one that is told, even where closing fails too."""
    role = ScriptedRole(failing(StorageFullError("the disk is full")))
    role.close_error = StorageFullError("still full")
    with pytest.raises(StorageFullError, match="the disk is full"):
        run_role("ingest", role.factory, config, stop=threading.Event())
    assert role.closed


def test_an_error_while_closing_is_told(config: GsrConfig) -> None:
    """What could not be saved at the end must not pass in silence."""
    stop = threading.Event()
    role = ScriptedRole(stopping(stop))
    role.close_error = StorageFullError("full at last")
    with pytest.raises(StorageFullError, match="full at last"):
        run_role("ingest", role.factory, config, stop=stop)


def test_a_role_that_cannot_be_built_ends_the_process(config: GsrConfig) -> None:
    """The error reaches the command line; the port is free again."""
    servers: list[HealthServer] = []

    def locked(*_arguments: object) -> ScriptedRole:
        raise StateLockedError("another ingest owns the state")

    with pytest.raises(StateLockedError):
        run_role("ingest", locked, config, stop=threading.Event(), announce=servers.append)
    with pytest.raises(ConnectionRefusedError):
        ready(servers[0])


def test_a_hanging_loop_shows_its_stacks(
    config: GsrConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the heartbeat is too old, the stacks of all threads are printed, once."""
    shown = threading.Event()
    monkeypatch.setattr("consumers.runtime.role_process._WATCH_SECONDS", 0.01)
    monkeypatch.setattr(
        "consumers.runtime.role_process.faulthandler.dump_traceback", lambda *_a, **_k: shown.set()
    )
    stop = threading.Event()

    def hang() -> bool:
        assert shown.wait(20)
        stop.set()
        return True

    quick = config.with_values({"http": {"heartbeat_limit_seconds": 0.02}})
    run_role("ingest", ScriptedRole(hang).factory, quick, stop=stop)
    assert shown.is_set()


def test_an_orphan_stops(config: GsrConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the supervisor was killed, the process ends as if told by SIGTERM."""
    monkeypatch.setattr("consumers.runtime.parent_watch._LOOK_SECONDS", 0.01)
    monkeypatch.setenv("GSR_SUPERVISOR_PID", str(os.getppid() + 100_000))
    role = ScriptedRole(lambda: False)
    run_role("ingest", role.factory, config)
    assert role.closed


def test_the_log_says_that_kernels_compile(
    config: GsrConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, also where only warnings are shown, as in the demo: the role answers late."""
    stop = threading.Event()

    def compiling() -> bool:
        tell_compiling(begins=True)
        return True

    quiet = config.with_values({"process": {"log_level": "warning"}})
    run_role("ingest", ScriptedRole(compiling, compiling, stopping(stop)).factory, quiet, stop=stop)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(COMPILING)


def test_a_role_that_compiles_is_alive(config: GsrConfig) -> None:
    """For as long as it takes: each kernel that begins or ends is a sign of life."""
    stop = threading.Event()
    ages: list[float] = []
    metrics: list[Metrics] = []

    def compiling() -> bool:
        (own,) = metrics
        time.sleep(0.05)
        before = own.heartbeat_age()
        tell_compiling(begins=False)
        ages.extend((before, own.heartbeat_age()))
        return True

    role = ScriptedRole(compiling, stopping(stop))

    def factory(*parts: Any) -> Any:
        metrics.append(parts[3])
        return role.factory(*parts)

    run_role("ingest", factory, config, stop=stop)
    before, after = ages
    assert before >= 0.05 > after

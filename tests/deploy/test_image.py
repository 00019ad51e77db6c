"""The small programs that the image is built from and checked with."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.runtime.health import HealthServer
from stream.clock import ManualClock
from tests.deploy.files import DEPLOY, ROOT


def livez(host: str = "127.0.0.1", **ports: int) -> int:
    """Run the health check with the roles' ports; those not given are closed ones."""
    closed = {"ingest": 1, "trainer": 1, "publisher": 1, "serve": 1}
    environment = {
        f"GSR_HTTP__{role.upper()}_PORT": str(port) for role, port in {**closed, **ports}.items()
    } | {"GSR_HTTP__HOST": host}
    return subprocess.run(
        [sys.executable, DEPLOY / "livez.py"], env=environment, check=False, timeout=30
    ).returncode


@contextmanager
def serving(
    clock: ManualClock, role: str = "ingest", host: str = "127.0.0.1"
) -> Iterator[HealthServer]:
    server = HealthServer(host, 0, Metrics(role, clock), heartbeat_limit_seconds=60.0)
    server.started()
    try:
        yield server
    finally:
        server.close()


def test_a_live_role_is_healthy_until_it_hangs() -> None:
    """The check follows /livez of the role that runs here."""
    clock = ManualClock(100.0)
    with serving(clock) as server:
        assert livez(ingest=server.port) == 0
        clock.sleep(61.0)
        assert livez(ingest=server.port) == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::1"])  # noqa: S104 - on loopback
def test_it_asks_where_the_roles_listen(host: str) -> None:
    """`http.host` may be any address; one that means all of them is asked on loopback."""
    with serving(ManualClock(100.0), host=host) as server:
        assert livez(host, ingest=server.port) == 0


def test_the_program_that_warms_the_image_runs() -> None:
    """It ends with 0, or no image is built."""
    run = subprocess.run(
        [sys.executable, DEPLOY / "warm.py"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_one_hanging_role_among_three_is_unhealthy() -> None:
    """`gsr run` in one container."""
    clock, stopped = ManualClock(100.0), ManualClock(100.0)
    with serving(clock) as ingest, serving(stopped, "publisher") as publisher:
        assert livez(ingest=ingest.port, publisher=publisher.port) == 0
        stopped.sleep(61.0)
        assert livez(ingest=ingest.port, publisher=publisher.port) == 1


def test_nobody_there_is_unhealthy() -> None:
    """A container whose role has not come up."""
    assert livez() == 1


def test_a_server_that_says_nothing_is_unhealthy() -> None:
    """It accepts, and never answers."""
    silence = threading.Event()

    class Silent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            silence.wait(20)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        assert livez(trainer=server.server_address[1]) == 1
    finally:
        silence.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_usual_ports_are_those_of_the_settings() -> None:
    """Without variables the check asks where the roles listen by default."""
    text = (DEPLOY / "livez.py").read_text()
    http = GsrConfig().http
    for role in ("ingest", "trainer", "publisher"):
        found = re.search(rf'"{role.upper()}": (\d+)', text)
        assert found is not None
        assert int(found[1]) == getattr(http, f"{role}_port")


def test_requirements_are_those_of_the_package() -> None:
    """The layer of libraries holds every one, in pip's own format."""
    run = subprocess.run(
        [sys.executable, DEPLOY / "requirements.py", ROOT / "pyproject.toml"],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = run.stdout.splitlines()
    assert "numpy>=2.2.5" in lines
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+[<>=].*", line) for line in lines)


@pytest.mark.parametrize("words", ["USER 10001:10001", "HEALTHCHECK", 'ENTRYPOINT ["tini"'])
def test_the_image_is_no_root_and_passes_signals_on(words: str) -> None:
    """The exec form: no shell stands between tini and `gsr`."""
    assert words in (DEPLOY / "Dockerfile").read_text().rpartition("\nFROM ")[2]

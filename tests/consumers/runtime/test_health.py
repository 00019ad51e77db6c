"""The HTTP server of a role, asked as Prometheus and Kubernetes ask."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from consumers.errors import ConfigError, PortBusyError
from consumers.metrics.registry import Metrics
from consumers.runtime.health import HealthServer
from stream.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000.0)


@pytest.fixture
def metrics(clock: ManualClock) -> Metrics:
    return Metrics("ingest", clock)


@pytest.fixture
def server(metrics: Metrics) -> Iterator[HealthServer]:
    server = HealthServer("127.0.0.1", 0, metrics, heartbeat_limit_seconds=10.0)
    yield server
    server.close()


def ask(server: HealthServer, path: str, method: str = "GET") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=5)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read().decode()
    finally:
        connection.close()


def checks(server: HealthServer, path: str) -> tuple[int, dict[str, Any]]:
    status, kind, body = ask(server, path)
    assert kind == "application/json"
    answer = json.loads(body)
    assert answer["ok"] == (status == 200)
    return status, answer["checks"]


def test_metrics_are_served(server: HealthServer, metrics: Metrics) -> None:
    """/metrics shows the role's own registry."""
    metrics.counter("gsr_ingest_records_total").inc(3)
    status, kind, body = ask(server, "/metrics")
    assert status == 200
    assert kind.startswith("text/plain")
    assert "gsr_ingest_records_total 3.0" in body


def test_a_starting_role_is_alive_and_not_ready(server: HealthServer, clock: ManualClock) -> None:
    """Restoring state may take long; nobody may kill the process for it."""
    clock.sleep(1000.0)
    assert checks(server, "/livez")[0] == 200
    status, named = checks(server, "/readyz")
    assert status == 503
    assert named["started"] is False


def test_a_running_role_is_ready_when_its_checks_are(server: HealthServer) -> None:
    """/readyz names each check."""
    server.started()
    server.update({"caught_up": False})
    assert checks(server, "/readyz") == (
        503,
        {"started": True, "not_stopping": True, "heartbeat": True, "caught_up": False},
    )
    server.update({"caught_up": True})
    assert checks(server, "/readyz")[0] == 200


def test_a_hanging_role_is_not_alive(
    server: HealthServer, clock: ManualClock, metrics: Metrics
) -> None:
    """An old heartbeat fails /livez until the loop comes round again."""
    server.started()
    metrics.beat()
    clock.sleep(9.0)
    assert checks(server, "/livez") == (200, {"heartbeat": True})
    clock.sleep(2.0)
    assert checks(server, "/livez") == (503, {"heartbeat": False})
    metrics.beat()
    assert checks(server, "/livez")[0] == 200


def test_a_role_that_is_held_up_is_alive_and_not_ready(
    metrics: Metrics, clock: ManualClock
) -> None:
    """What it said of itself before may no longer be true."""
    server = HealthServer("127.0.0.1", 0, metrics, heartbeat_limit_seconds=120.0)
    server.started()
    server.update({"caught_up": True})
    assert checks(server, "/readyz")[0] == 200
    clock.sleep(30.0)
    assert checks(server, "/livez")[0] == 200
    assert checks(server, "/readyz") == (
        503,
        {"started": True, "not_stopping": True, "heartbeat": False, "caught_up": True},
    )
    server.close()


def test_a_stopping_role_is_alive_and_not_ready(server: HealthServer) -> None:
    """No traffic for it, and no restart either."""
    server.started()
    server.stopping()
    assert checks(server, "/readyz")[0] == 503
    assert checks(server, "/livez")[0] == 200


def test_other_paths_say_where_to_go(server: HealthServer) -> None:
    """A wrong path is answered with the right ones."""
    assert ask(server, "/metric")[0] == 404
    assert "/metrics /livez /readyz" in ask(server, "/metric")[2]
    assert ask(server, "/")[0] == 200
    assert ask(server, "/livez", "HEAD")[2] == ""
    assert ask(server, "/livez", "POST")[0] == 501


@pytest.mark.parametrize(("error", "told"), [(BrokenPipeError, False), (ValueError, True)])
def test_a_client_that_leaves_is_no_trouble(
    server: HealthServer,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    error: type[Exception],
    told: bool,
) -> None:
    """It is not worth a word; a defect is."""

    def fail(_server: HealthServer) -> bytes:
        raise error

    monkeypatch.setattr(HealthServer, "render_metrics", fail)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(server, "/metrics")
    server.close()
    assert ("Traceback" in capfd.readouterr().err) == told


def test_a_busy_port_is_named_with_the_way_out(server: HealthServer, metrics: Metrics) -> None:
    """The operator learns which setting to change."""
    with pytest.raises(PortBusyError, match=r"http\.ingest_port"):
        HealthServer("127.0.0.1", server.port, metrics, 10.0)


def test_a_foreign_address_is_refused(metrics: Metrics) -> None:
    """An address of another machine is a wrong setting."""
    with pytest.raises(ConfigError, match=r"http\.host"):
        HealthServer("192.0.2.1", 0, metrics, 10.0)


def test_closing_twice_is_fine(metrics: Metrics) -> None:
    """Shutdown paths may meet."""
    server = HealthServer("127.0.0.1", 0, metrics, 10.0)
    server.close()
    server.close()


@pytest.mark.parametrize(("host", "asked"), [("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1")])
def test_it_listens_on_addresses_of_both_kinds(metrics: Metrics, host: str, asked: str) -> None:
    """`::` means every address, those of IPv4 too."""
    server = HealthServer(host, 0, metrics, heartbeat_limit_seconds=10.0)
    try:
        connection = http.client.HTTPConnection(asked, server.port, timeout=5)
        connection.request("GET", "/livez")
        assert connection.getresponse().status == 200
        connection.close()
    finally:
        server.close()
    assert str(server.address) == f"[{host}]:{server.port}"


def test_a_busy_port_of_ipv6_is_written_in_brackets(metrics: Metrics) -> None:
    """What the message names can be put into a browser."""
    server = HealthServer("::1", 0, metrics, heartbeat_limit_seconds=10.0)
    try:
        with pytest.raises(PortBusyError, match=rf"\[::1\]:{server.port} is in use"):
            HealthServer("::1", server.port, metrics, heartbeat_limit_seconds=10.0)
    finally:
        server.close()

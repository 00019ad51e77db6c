"""The small HTTP server of each role: /metrics, /livez and /readyz.

`/livez` is true while the loop comes round (or still starts), and never asks another system;
`/readyz` names each check, and is false while the loop is held up (most often by a log that is
away), and from the moment that the role is told to stop. The server outlives the role, so that the
last figures can still be scraped.
"""

import errno
import json
import socket
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST

from consumers.errors import ConfigError, PortBusyError
from consumers.metrics.registry import Metrics
from stream.address import Address

_READY_HEARTBEAT_SECONDS: Final = 15.0
"""The role's own checks are as old as its heartbeat: older ones are not to be believed."""
_PATHS: Final = "/metrics /livez /readyz\n"


class HealthServer:
    """Serves /metrics, /livez and /readyz on a thread of its own until closed.

    Parameters
    ----------
    host, port
        Where to listen; port 0 picks a free one, see `port`. ``::`` takes IPv4 callers too,
        where the machine can.
    metrics
        What /metrics shows, and whose heartbeat /livez reads.
    heartbeat_limit_seconds
        An older heartbeat makes /livez fail.

    Raises
    ------
    PortBusyError
        Someone else listens there.
    ConfigError
        The host is not an address of this machine, or the port needs privileges.
    """

    def __init__(
        self, host: str, port: int, metrics: Metrics, heartbeat_limit_seconds: float
    ) -> None:
        self._metrics = metrics
        self._limit = heartbeat_limit_seconds
        self._checks: Mapping[str, bool] = MappingProxyType({})
        self._started = False
        self._stopping = False
        handler = type("_BoundHandler", (_Handler,), {"health": self})
        where = Address(host, port)
        try:
            self._server = _server(where, handler)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortBusyError(
                    f"{metrics.role}: {where} is in use, perhaps by another gsr. Stop that, "
                    f"or choose another port: --set http.{metrics.role}_port=PORT (0: any)"
                ) from None
            raise ConfigError(
                f"{metrics.role}: cannot listen on {where}: {error.strerror or error}; see "
                f"http.host and http.{metrics.role}_port"
            ) from None
        self.host = where.host
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="health", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> Address:
        """Where the server listens."""
        return Address(self.host, self.port)

    def started(self) -> None:
        """Say that the role has been built and its loop begins."""
        self._started = True

    def stopping(self) -> None:
        """Say that the role was told to stop: not ready from now on."""
        self._stopping = True

    def update(self, checks: Mapping[str, bool]) -> None:
        """Take over the role's own checks for /readyz."""
        self._checks = dict(checks)

    def live(self) -> dict[str, bool]:
        """Return the checks of /livez."""
        return {"heartbeat": self._beats(self._limit)}

    def ready(self) -> dict[str, bool]:
        """Return the checks of /readyz."""
        return {
            "started": self._started,
            "not_stopping": not self._stopping,
            "heartbeat": self._beats(min(self._limit, _READY_HEARTBEAT_SECONDS)),
            **self._checks,
        }

    def _beats(self, limit_seconds: float) -> bool:
        return not self._started or self._metrics.heartbeat_age() < limit_seconds

    def render_metrics(self) -> bytes:
        """Return what /metrics answers."""
        return self._metrics.render()

    def close(self) -> None:
        """Stop answering; a closed server may be closed again."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that did not wait for its answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Server6(_Server):
    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        if socket.has_dualstack_ipv6():
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def listening_family(host: str) -> socket.AddressFamily:
    """Return the kind of socket that listens on `host`; a name that has both means IPv4.

    Raises
    ------
    OSError
        No such host is known here.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    ours = any(family == socket.AF_INET for family, *_ in found)
    return socket.AF_INET if ours else socket.AF_INET6


def _server(where: Address, handler: type[BaseHTTPRequestHandler]) -> _Server:
    kind = _Server if listening_family(where.host) == socket.AF_INET else _Server6
    return kind((where.host, where.port), handler)


class _Handler(BaseHTTPRequestHandler):
    health: HealthServer
    server_version = "gsr"
    sys_version = ""
    timeout = 10  # a client that says nothing must not keep a thread for ever

    def do_GET(self) -> None:  # the name that http.server calls
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(200, self.health.render_metrics(), CONTENT_TYPE_LATEST)
        elif path == "/livez":
            self._answer_checks(self.health.live())
        elif path == "/readyz":
            self._answer_checks(self.health.ready())
        elif path == "/":
            self._answer(200, _PATHS.encode(), "text/plain; charset=utf-8")
        else:
            self._answer(404, f"not here; try {_PATHS}".encode(), "text/plain; charset=utf-8")

    do_HEAD = do_GET  # noqa: N815  # likewise

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: probes and scrapes come every few seconds."""

    def _answer_checks(self, checks: Mapping[str, bool]) -> None:
        okay = all(checks.values())
        body = json.dumps({"ok": okay, "checks": checks}).encode()
        self._answer(200 if okay else 503, body, "application/json")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

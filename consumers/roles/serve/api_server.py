"""The HTTP server of the API, on a thread of its own."""

import errno
import re
import socket
import ssl
import threading
from pathlib import Path
from typing import Any, Final

import uvicorn

from consumers.config.sections.serve import ServeSection
from consumers.errors import ConfigError, PortBusyError
from consumers.runtime.health import listening_family
from stream.address import Address

_START_SECONDS: Final = 10.0
_GRACE_SECONDS: Final = 5
_KEEP_ALIVE_SECONDS: Final = 30
LEAST_TOKEN_BYTES: Final = 16
_VISIBLE: Final = re.compile(rb"[!-~]+")


class ApiServer:
    """Serves an ASGI application until closed.

    Parameters
    ----------
    application
        What answers.
    settings
        Where, with which certificate, for how many connections.

    Raises
    ------
    PortBusyError
        Someone else listens there.
    ConfigError
        The host is not an address of this machine, or the certificate cannot be used.
    """

    def __init__(self, application: Any, settings: ServeSection) -> None:
        check_certificate(settings)
        self._socket = _bind(settings)
        self.address = Address(settings.host, int(self._socket.getsockname()[1]))
        self._server = uvicorn.Server(
            uvicorn.Config(
                application,
                loop="uvloop",
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=settings.connections,
                backlog=settings.connections,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
                ssl_certfile=settings.tls_certificate_file or None,
                ssl_keyfile=settings.tls_key_file or None,
            )
        )
        self._thread = threading.Thread(target=self._serve, name="api", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it answers."""
        return self._thread.is_alive() and self._server.started

    def close(self) -> None:
        """Answer what was asked, and end."""
        self._server.should_exit = True
        self._thread.join(_GRACE_SECONDS + _START_SECONDS)
        self._socket.close()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])


def read_token(path: str) -> bytes | None:
    """Return the token that a file holds, None where none is named.

    Raises
    ------
    ConfigError
        The file cannot be read, or holds no token.
    """
    if not path:
        return None
    try:
        token = Path(path).read_bytes().strip()
    except OSError as error:
        raise ConfigError(
            f"serve.token_file: {path} cannot be read ({error.strerror}): correct the path or its "
            "rights"
        ) from None
    if len(token) < LEAST_TOKEN_BYTES or not _VISIBLE.fullmatch(token):
        raise ConfigError(
            f"serve.token_file: {path} holds no token: write one line of {LEAST_TOKEN_BYTES} or "
            "more visible ASCII characters, such as `openssl rand -hex 32` makes"
        )
    return token


def check_certificate(settings: ServeSection) -> None:
    """Find out whether the certificate can be used.

    Raises
    ------
    ConfigError
        It cannot.
    """
    if not settings.tls_certificate_file:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_certificate_file, settings.tls_key_file)
    except OSError as error:  # ssl.SSLError too
        raise ConfigError(
            f"serve.tls_certificate_file, serve.tls_key_file: {settings.tls_certificate_file} and "
            f"{settings.tls_key_file} cannot be used ({error.strerror or error}): name a "
            "certificate and its key, both PEM and readable"
        ) from None


def _bind(settings: ServeSection) -> socket.socket:
    where = Address(settings.host, settings.port)
    try:
        family = listening_family(where.host)
        # The protocol is named, so that asyncio knows that small answers must not wait.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6 and socket.has_dualstack_ipv6():
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listener.bind((where.host, where.port))
            listener.listen(settings.connections)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortBusyError(
                f"serve: {where} is in use, perhaps by another gsr. Stop that, or choose another "
                "port: --set serve.port=PORT (0: any); --no-serve leaves the API out of gsr run"
            ) from None
        raise ConfigError(
            f"serve: cannot listen on {where}: {error.strerror or error}; see serve.host and "
            "serve.port"
        ) from None
    return listener

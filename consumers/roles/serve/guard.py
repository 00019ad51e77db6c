"""What every request passes before the application sees it: limits, the token, the clock."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, Final

from consumers.config.sections.serve import ServeSection
from consumers.metrics.catalogue.serve import CODES, ROUTES
from consumers.metrics.registry import Metrics
from consumers.roles.serve.client_limits import ClientLimits
from consumers.roles.serve.host_names import allowed_hosts, host_name
from consumers.roles.serve.problems import ProblemError, as_problem, defect
from stream.clock import Clock

_LOGGER = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

GUARDED: Final = "/v1/"
_SCHEME: Final = b"bearer "
_JSON: Final = b"application/json"


class Guard:
    """An ASGI application before another one.

    It counts and times requests, refuses those that come too often, to another name than this
    service's, without the token, with too large a body or a body of another kind, and gives up
    those that take too long. Paths go on percent-encoded, so that an id may hold a slash.

    Parameters
    ----------
    application
        What answers.
    settings
        The limits.
    token
        What callers must name on paths below /v1/; None: nothing.
    clock, metrics
        Of the role.
    """

    def __init__(
        self,
        application: Application,
        settings: ServeSection,
        token: bytes | None,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._application = application
        self._settings = settings
        self._token = token
        self._hosts = allowed_hosts(settings)
        self._clock = clock
        self._metrics = metrics
        per_second = settings.requests_per_second
        self._limits = (
            None
            if per_second is None
            else ClientLimits(per_second, settings.burst_requests, settings.kept_clients, clock)
        )

    @property
    def counted_clients(self) -> int:
        """Clients whose requests are counted."""
        return 0 if self._limits is None else len(self._limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            raise RuntimeError(f"{scope['type']} is not served here")
        begun = self._clock.monotonic()
        answered: list[int] = []

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(int(message["status"]))
            await send(message)

        scope["path"] = scope["raw_path"].decode("latin-1")
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                self._admit(scope)
                body = await self._read(scope, receive)
                await self._application(scope, _replayed(body, receive), noted)
        except Exception as error:  # the last one who can answer
            problem = as_problem(error)
            if problem is None:
                _LOGGER.exception("a request failed")
                problem = defect()
            if not answered:
                await problem.response()(scope, receive, noted)
        finally:
            self._count(scope, answered, self._clock.monotonic() - begun)

    def _admit(self, scope: Scope) -> None:
        """Let a request in by its head, or raise the problem."""
        client = scope.get("client")
        wait = 0 if self._limits is None else self._limits.wait_seconds(client[0] if client else "")
        if wait:
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too-many-requests",
                f"this client asks too often: ask again in {wait} s. The operator's limit is "
                "serve.requests_per_second.",
                headers={"Retry-After": str(wait)},
            )
        if self._hosts is not None and host_name(_header(scope, b"host")) not in self._hosts:
            raise ProblemError(
                HTTPStatus.MISDIRECTED_REQUEST,
                "wrong-host",
                "this service is not called that: ask it by its address, or have the operator add "
                "the name to serve.allowed_hosts.",
            )
        if self._token is not None and scope["path"].startswith(GUARDED):
            given = _header(scope, b"authorization")
            named = given[len(_SCHEME) :].strip() if given[:7].lower() == _SCHEME else b""
            if not hmac.compare_digest(named, self._token):
                raise ProblemError(
                    HTTPStatus.UNAUTHORIZED,
                    "unauthorized",
                    "name the token of this service: Authorization: Bearer TOKEN",
                    headers={"WWW-Authenticate": "Bearer"},
                )
        if scope["method"] == "POST":
            kind = _header(scope, b"content-type").partition(b";")[0].strip().lower()
            if kind != _JSON:
                raise ProblemError(
                    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                    "unsupported-media-type",
                    "send JSON, and say so: Content-Type: application/json",
                )

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """Return the whole body, unless it is too large."""
        most = self._settings.body_bytes
        announced = _header(scope, b"content-length")
        if announced.isdigit() and int(announced) > most:
            raise _too_large(most)
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > most:
                raise _too_large(most)
        return bytes(body)

    def _count(self, scope: Scope, answered: list[int], seconds: float) -> None:
        route = getattr(scope.get("route"), "name", "other")
        route = route if route in ROUTES else "other"
        code = str(answered[0]) if answered else "500"
        if code in CODES:
            self._metrics.counter("gsr_serve_requests_total").labels(route, code).inc()
        self._metrics.histogram("gsr_serve_request_seconds").observe(seconds)


def _header(scope: Scope, name: bytes) -> bytes:
    return next((bytes(value) for key, value in scope["headers"] if key == name), b"")


def _too_large(most: int) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-large",
        f"the body has more than {most} bytes: send less at once",
        # What is left of the body is not read.
        headers={"Connection": "close"},
    )


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, and then whatever else comes."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay

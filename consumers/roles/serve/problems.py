"""Errors of the API as `application/problem+json` (RFC 9457)."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from consumers.roles.serve.answers import FieldFault, ProblemDocument
from consumers.roles.serve.batching_thread import TooBusyError
from consumers.roles.serve.questions import NotReadyError, UnknownItemError
from stream.errors import LogError, LogFullError, RecordTooLargeError, StateError

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 1
_MOST_FAULTS: Final = 20


class ProblemError(Exception):
    """A request that cannot be answered as it should be.

    Parameters
    ----------
    status
        Of the answer.
    kind
        Its name, as in ``urn:gsr:problem:unknown-user``.
    detail
        What happened, and what to do.
    errors
        What is wrong with which field.
    headers
        More headers of the answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        detail: str,
        *,
        errors: Sequence[FieldFault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Return the answer."""
        document = ProblemDocument(
            type=f"urn:gsr:problem:{self.kind}",
            title=self.status.phrase,
            status=int(self.status),
            detail=self.detail,
            errors=self.errors or None,
        )
        body = document.model_dump_json(exclude_none=True)
        return Response(body, int(self.status), self.headers, MEDIA_TYPE)


def unknown_user() -> ProblemError:
    """Return the answer about a user of whom nothing is known."""
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "unknown-user",
        "nothing is known of this user: no click of theirs has come through yet, or they were "
        "forgotten. Their list is the default one.",
    )


def wrong_id(where: str, reason: str) -> ProblemError:
    """Return the answer to an id that is none."""
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "wrong-request",
        f"{where}: {reason}",
        errors=[FieldFault(where=where, reason=reason)],
    )


def not_now(kind: str, detail: str) -> ProblemError:
    """Return the answer to a request that may be answered a little later."""
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, kind, detail, headers=headers)


def defect() -> ProblemError:
    """Return the answer to a request that the service fails at."""
    return ProblemError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "defect",
        "this is a defect of the service: its log has the reason, please report it.",
    )


def as_problem(error: Exception) -> ProblemError | None:
    """Return what an error of the parts below means to a caller; None: it is a defect."""
    if isinstance(error, ProblemError):
        return error
    return next((make(error) for kind, make in _MEANINGS if isinstance(error, kind)), None)


def _unknown_item(_error: Exception) -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "unknown-item",
        "the counters do not know this item: nobody has clicked it yet, or it has expired.",
    )


def _not_ready(error: Exception) -> ProblemError:
    return not_now("not-ready", f"{error}: ask again in a moment, and look at /v1/status.")


def _too_busy(_error: Exception) -> ProblemError:
    return not_now("too-busy", "too many requests wait already: ask again in a moment.")


def _too_slow(_error: Exception) -> ProblemError:
    return not_now("too-slow", "this took too long: ask again in a moment.")


def _too_large(error: Exception) -> ProblemError:
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", str(error))


def _storage(_error: Exception) -> ProblemError:
    return not_now("storage", "a disk is full or damaged: the operator finds it in the log.")


def _log_away(_error: Exception) -> ProblemError:
    return not_now("log-away", "the event log cannot be reached: ask again in a moment.")


_MEANINGS: Final[tuple[tuple[type[Exception], Callable[[Exception], ProblemError]], ...]] = (
    (NotReadyError, _not_ready),
    (UnknownItemError, _unknown_item),
    (TooBusyError, _too_busy),
    (TimeoutError, _too_slow),
    (RecordTooLargeError, _too_large),
    (LogFullError, _storage),
    (StateError, _storage),
    (LogError, _log_away),
)
"""Errors of the parts below, the narrower ones first, and what they mean to a caller."""


def add_handlers(app: FastAPI) -> None:
    """Have every error of `app` answered as a problem."""

    async def known(_request: Request, error: Exception) -> Response:
        problem = as_problem(error)
        if problem is None:
            raise error
        return problem.response()

    for kind in (ProblemError, NotReadyError, TooBusyError, UnknownItemError, LogError, StateError):
        app.add_exception_handler(kind, known)

    async def failed(_request: Request, _error: Exception) -> Response:
        return defect().response()  # the error goes on to whoever logs it

    app.add_exception_handler(Exception, failed)

    async def refused(_request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        return of_status(error).response()

    app.add_exception_handler(HTTPException, refused)

    async def invalid(_request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise error
        return of_validation(error).response()

    app.add_exception_handler(RequestValidationError, invalid)


def of_status(error: HTTPException) -> ProblemError:
    """Return what the framework refused: an unknown path, a wrong method, a torn body."""
    status = HTTPStatus(error.status_code)
    details = {
        HTTPStatus.NOT_FOUND: "there is nothing at this path: /openapi.json describes all of them.",
        HTTPStatus.METHOD_NOT_ALLOWED: "this path takes another method: see /openapi.json.",
        HTTPStatus.BAD_REQUEST: "the body cannot be read: send JSON as /openapi.json describes it.",
    }
    kind = status.phrase.lower().replace(" ", "-")
    detail = details.get(status, str(error.detail))
    return ProblemError(status, kind, detail, headers=error.headers)


def of_validation(error: RequestValidationError) -> ProblemError:
    """Return what is wrong with which field; what the caller sent is not repeated."""
    faults = [_fault(found) for found in list(error.errors())[:_MOST_FAULTS]]
    first = faults[0]
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "wrong-request",
        f"{first.where}: {first.reason}. /openapi.json describes what is allowed.",
        errors=faults,
    )


def _fault(found: Any) -> FieldFault:
    place = ".".join(str(part) for part in found["loc"])
    message = str(found["msg"])
    return FieldFault(
        where=place.encode("ascii", "backslashreplace").decode(),
        reason=message.encode("ascii", "backslashreplace").decode(),
    )

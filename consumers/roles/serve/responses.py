"""Answers with documents, with ETags where a list may be the one that the caller has."""

from http import HTTPStatus
from typing import Any, Final

from fastapi.responses import Response
from pydantic import TypeAdapter
from xxhash import xxh3_64_hexdigest

from consumers.roles.serve.answers import (
    Document,
    ExplainedItem,
    ListedItem,
    ProblemDocument,
    Recommendations,
)
from consumers.roles.serve.problems import MEDIA_TYPE

_ALWAYS: Final = (401, 421, 429, 503)
_ITEMS: Final = TypeAdapter[list[ExplainedItem] | list[ListedItem]](
    list[ExplainedItem] | list[ListedItem]
)
_MEANINGS: Final = {
    400: "The body cannot be read.",
    401: "The token is missing or wrong.",
    403: "The operator does not allow it.",
    404: "There is no such user or item.",
    413: "The body is too large.",
    415: "The body is no JSON.",
    421: "The service is not called that.",
    422: "Something in the request is not allowed.",
    429: "This client asks too often: see Retry-After.",
    503: "Not now: see Retry-After.",
}


def error_responses(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Return what an OpenAPI document says of the errors of a route."""
    schema = {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}
    return {
        code: {"description": _MEANINGS[code], "content": {MEDIA_TYPE: {"schema": schema}}}
        for code in sorted({*codes, *_ALWAYS})
    }


def document(answer: Document, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return an answer as JSON."""
    return Response(answer.model_dump_json(), int(status), media_type="application/json")


def list_document(answer: Recommendations, if_none_match: str | None) -> Response:
    """Return a list as JSON with its ETag, or 304 where the caller has this list.

    The tag is weak: it stands for the items, titles, scores and the model, not for ages.
    """
    digest = xxh3_64_hexdigest(_ITEMS.dump_json(answer.items))
    tag = f'W/"{answer.model_version}-{answer.source}-{digest}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if if_none_match is not None and matches(tag, if_none_match):
        return Response(status_code=int(HTTPStatus.NOT_MODIFIED), headers=headers)
    body = answer.model_dump_json()
    return Response(body, headers=headers, media_type="application/json")


def matches(tag: str, if_none_match: str) -> bool:
    """Return whether one of the named tags is this one; weak ones are compared without the W/."""
    named = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return bool(named & {tag.removeprefix("W/"), "*"})

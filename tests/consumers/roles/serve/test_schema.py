"""Whatever the OpenAPI document allows, and much that it does not, is answered as it says."""

import re
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.consumers.serve_world import Api

EXAMPLES = 25
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
]
ROUTES = {
    "/v1/users": "get",
    "/v1/users/{user_id}/recommendations": "get",
    "/v1/users/{user_id}": "get",
    "/v1/rank": "post",
    "/v1/items": "get",
    "/v1/items/{item_id}/neighbours": "get",
    "/v1/items/{item_id}/similar": "get",
    "/v1/models": "get",
    "/v1/status": "get",
    "/v1/events": "get",
    "/v1/quality": "get",
    "/v1/clicks": "post",
}


def test_the_document_describes_every_route(api: Api) -> None:
    """With errors as problems, and no schema that is not there."""
    document = api.get("/openapi.json").document
    assert {path: next(iter(found)) for path, found in document["paths"].items()} == ROUTES
    for path, method in ROUTES.items():
        answers = document["paths"][path][method]["responses"]
        assert {"401", "421", "429", "503"} <= answers.keys()
        for code, answer in answers.items():
            if int(code) >= 400:
                assert list(answer["content"]) == ["application/problem+json"]
    named = set(re.findall(r'"#/components/schemas/(\w+)"', api.get("/openapi.json").body.decode()))
    assert named == document["components"]["schemas"].keys() & named
    assert "HTTPValidationError" not in document["components"]["schemas"]


@pytest.mark.parametrize("path", ROUTES)
def test_generated_requests_are_answered_as_described(api: Api, path: str) -> None:
    """Never by 500, and by documents of the described form."""
    document = api.get("/openapi.json").document
    schema = schemathesis.openapi.from_dict(document)
    operation = schema[path][ROUTES[path].upper()]
    quick = settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )

    @quick
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        base = f"http://{api.role.address}"
        case.call_and_validate(base_url=base, checks=CHECKS)

    ask()


@settings(
    max_examples=4 * EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]),
    path=st.text(alphabet=st.sampled_from("/v1users%tems.?&=krank0aF\u00fc"), max_size=60),
    body=st.binary(max_size=200),
)
def test_nonsense_is_never_a_defect(api: Api, method: str, path: str, body: bytes) -> None:
    """Whatever is asked for, in whichever way."""
    headers = {"Content-Type": "application/json"}
    url = f"http://{api.role.address}/v1/{path.lstrip('/')}"
    answer = requests.request(method, url, data=body, headers=headers, timeout=60)
    assert answer.status_code < 500
    if answer.status_code >= 400 and method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json"

"""Routes about the service itself, and the one that takes clicks."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consumers.config.settings import GsrConfig
from consumers.roles.serve.answers import AcceptedClicks, PostedClick
from consumers.roles.serve.click_posting import ClickPosting
from consumers.roles.serve.problems import ProblemError
from consumers.roles.serve.responses import document, error_responses
from consumers.roles.serve.service_answers import Models, Quality, ServiceEvents, Status
from consumers.roles.serve.status_board import StatusBoard


def service_routes(
    config: GsrConfig, board: StatusBoard, posting: ClickPosting | None
) -> APIRouter:
    """Return these routes; without `posting` clicks are refused."""
    router = APIRouter()
    one = {"$ref": f"#/components/schemas/{PostedClick.__name__}"}
    many = {
        "type": "array",
        "items": one,
        "minItems": 1,
        "maxItems": config.serve.clicks_per_request,
    }

    @router.get("/v1/models", name="models", response_model=Models, responses=error_responses())
    async def models() -> Response:
        """Return the models that are kept, and which one serves."""
        return document(board.models())

    @router.get("/v1/status", name="status", response_model=Status, responses=error_responses())
    async def status() -> Response:
        """Return what goes through, how far behind everybody is, and what needs somebody."""
        return document(board.status())

    @router.get(
        "/v1/events", name="events", response_model=ServiceEvents, responses=error_responses()
    )
    async def events() -> Response:
        """Return what happened lately: promotions, rollbacks, drift, alarms."""
        return document(board.history.events())

    @router.get("/v1/quality", name="quality", response_model=Quality, responses=error_responses())
    async def quality() -> Response:
        """Return how good lists were since this role began, as far as it asks the others."""
        return document(board.history.quality())

    @router.post(
        "/v1/clicks",
        name="clicks",
        status_code=int(HTTPStatus.ACCEPTED),
        response_model=AcceptedClicks,
        responses=error_responses(403, 413, 415, 422),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"anyOf": [one, many]}}},
            }
        },
    )
    async def clicks(request: Request) -> Response:
        """Append a click, or several, to the topic: judged as ingest judges it, all or none.

        What is accepted is durable. A second click with the same `event_id` changes nothing.
        """
        if posting is None:
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                "clicks-not-taken",
                "this service takes no clicks: the operator allows it with serve.accept_clicks, or "
                "send them to the topic",
            )
        return document(await posting.post(await request.body()), HTTPStatus.ACCEPTED)

    return router

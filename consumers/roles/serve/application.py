"""The application: all routes, their errors, and the document that describes them."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response

from consumers.metrics.registry import gsr_version
from consumers.roles.serve.answers import PostedClick, ProblemDocument
from consumers.roles.serve.problems import add_handlers

DESCRIPTION = (
    "Lists of a gsr service: of users, of sessions, and what they are made from. Ids in paths are "
    "percent-encoded. Errors are application/problem+json."
)


def build_application(*routers: APIRouter, token_asked: bool) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    routers
        Its routes.
    token_asked
        Whether its document says that a bearer token is needed.
    """
    # No pages of the framework's: they would fetch scripts from elsewhere. And each path has one
    # form: an id may end with a slash.
    app = FastAPI(
        title="gsr",
        version=gsr_version(),
        openapi_url=None,
        docs_url=None,
        redirect_slashes=False,
    )
    add_handlers(app)
    for router in routers:
        app.include_router(router)
    described = _describe(app, token_asked=token_asked)

    @app.get("/openapi.json", name="openapi", include_in_schema=False)
    async def openapi() -> Response:
        return JSONResponse(described)

    return app


def _describe(app: FastAPI, *, token_asked: bool) -> dict[str, Any]:
    described = get_openapi(
        title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes
    )
    schemas = described.setdefault("components", {}).setdefault("schemas", {})
    for kind in (PostedClick, ProblemDocument):
        schemas[kind.__name__] = kind.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schemas[kind.__name__].pop("$defs", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    if token_asked:
        bearer = {"type": "http", "scheme": "bearer"}
        described["components"]["securitySchemes"] = {"bearer": bearer}
        described["security"] = [{"bearer": []}]
    return described

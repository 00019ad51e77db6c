"""Routes about users and sessions."""

from itertools import pairwise
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from pydantic import Field, create_model

from consumers.config.settings import GsrConfig
from consumers.roles.serve.answers import (
    Document,
    FoundUsers,
    Id,
    Ranking,
    Recommendations,
    SessionClick,
    User,
)
from consumers.roles.serve.list_answers import ListAnswers, Wish, session_record
from consumers.roles.serve.path_ids import UserId, check_ids
from consumers.roles.serve.problems import wrong_id
from consumers.roles.serve.responses import document, error_responses, list_document
from consumers.roles.serve.served_artifacts import ServedArtifacts
from gsr.counters.ids.id_column import MAX_ID_BYTES
from stream.clock import Clock


class _Session(Document):
    """A session's clicks, oldest first, and what is wanted."""

    clicks: list[SessionClick]
    k: int
    exclude: list[Id]
    explain: bool


def user_routes(
    config: GsrConfig, lists: ListAnswers, artifacts: ServedArtifacts, clock: Clock
) -> APIRouter:
    """Return the routes about users and sessions."""
    router = APIRouter()
    limits = config.serve
    usual = min(config.publisher.list_length, limits.longest_list)
    length = Field(ge=1, le=limits.longest_list, description="Items of the list.")
    session = create_model(
        "Session",
        __base__=_Session,
        __doc__=_Session.__doc__,
        clicks=(
            Annotated[list[SessionClick], Field(min_length=1, max_length=limits.session_items)],
            ...,
        ),
        k=(Annotated[int, length], usual),
        exclude=(Annotated[list[Id], Field(max_length=limits.excluded_items)], []),
        explain=(bool, False),
    )

    @router.get(
        "/v1/users", name="users", response_model=FoundUsers, responses=error_responses(422)
    )
    async def users(
        prefix: Annotated[
            str, Query(max_length=MAX_ID_BYTES, description="How their ids begin.")
        ] = "",
        k: Annotated[int, Query(ge=1, le=limits.longest_list, description="Users.")] = usual,
    ) -> Response:
        """Return users whose ids begin like this, in order; without, those who clicked last."""
        return document(lists.users(prefix, k))

    @router.get(
        "/v1/users/{user_id}/recommendations",
        name="recommendations",
        response_model=Recommendations,
        responses=error_responses(422, 503) | {304: {"description": "It is the list you have."}},
    )
    async def recommendations(
        user_id: UserId,
        k: Annotated[int, Query(ge=1, le=limits.longest_list, description="Items.")] = usual,
        exclude: Annotated[
            list[Id], Query(max_length=limits.excluded_items, description="Items to leave out.")
        ] = [],  # noqa: B006  # the framework copies it
        explain: Annotated[
            bool, Query(description="Compute the list now, and say what each score is due to.")
        ] = False,
        if_none_match: Annotated[
            str | None, Header(description="The ETag of the list that you have.")
        ] = None,
    ) -> Response:
        """Return a user's list: the one sent last, or one computed now where that is not enough.

        The list on the topic answers where it knows the user's newest click, holds nothing that was
        taken down since, and has `k` items besides those to leave out. A user of whom nothing is
        known gets the default list.
        """
        check_ids("exclude", exclude)
        wish = Wish(length=k, excluded=tuple(exclude), explained=explain)
        return list_document(await lists.recommendations(user_id, wish), if_none_match)

    @router.get(
        "/v1/users/{user_id}",
        name="user",
        response_model=User,
        responses=error_responses(404, 422),
    )
    async def user(user_id: UserId) -> Response:
        """Return what is known of a user: the newest clicks, and the list that was sent last."""
        return document(lists.user(user_id))

    async def rank(wanted: _Session) -> Response:
        """Return the list for a session: of somebody without a name, or of an imaginary user."""
        check_ids("exclude", wanted.exclude)
        check_ids("clicks", [click.item_id for click in wanted.clicks])
        record = session_record(
            [click.item_id for click in wanted.clicks],
            _events(wanted.clicks, config),
            _times(wanted.clicks, artifacts.facts.reference_time, clock.time(), config),
        )
        wish = Wish(length=wanted.k, excluded=tuple(wanted.exclude), explained=wanted.explain)
        return document(await lists.ranking(record, wish))

    rank.__annotations__["wanted"] = session  # with the limits of the settings
    router.add_api_route(
        "/v1/rank",
        rank,
        methods=["POST"],
        name="rank",
        response_model=Ranking,
        responses=error_responses(400, 413, 415, 422, 503),
    )
    return router


def _events(clicks: list[SessionClick], config: GsrConfig) -> list[str]:
    known = config.events.weights
    for at, click in enumerate(clicks):
        if click.event is not None and click.event not in known:
            names = ", ".join(known)
            raise wrong_id(f"clicks.{at}.event", f"is none of events.weights: {names}")
    return [click.event or config.events.default_event for click in clicks]


def _times(
    clicks: list[SessionClick], newest_counted: float, now: float, config: GsrConfig
) -> list[float]:
    """Return the times of clicks: all given, or none, and then as if the newest were just now.

    What is *now* to counters is the newest click that they count: a log that is replayed is old.
    """
    given = [click.timestamp for click in clicks if click.timestamp is not None]
    if not given:
        return [newest_counted - age for age in range(len(clicks) - 1, -1, -1)]
    if len(given) < len(clicks):
        raise wrong_id("clicks", "give a timestamp to all clicks, or to none")
    if any(after < before for before, after in pairwise(given)):
        raise wrong_id("clicks", "they go back in time: give the oldest one first")
    latest = max(now, newest_counted) + config.events.future_tolerance_seconds
    if given[-1] > latest:
        raise wrong_id("clicks", f"the newest is in the future: give seconds, {latest:.0f} at most")
    return given

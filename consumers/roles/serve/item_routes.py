"""Routes about items."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from consumers.config.settings import GsrConfig
from consumers.roles.serve.answers import (
    FoundItem,
    FoundItems,
    ItemNeighbours,
    SimilarItem,
    SimilarItems,
    WeightedItem,
)
from consumers.roles.serve.batching_thread import BatchingThread
from consumers.roles.serve.path_ids import ItemId
from consumers.roles.serve.questions import (
    Answer,
    NeighboursAnswer,
    NeighboursQuestion,
    Question,
    SearchAnswer,
    SearchQuestion,
    SimilarAnswer,
    SimilarQuestion,
    ask,
)
from consumers.roles.serve.responses import document, error_responses
from consumers.serving.item_titles import ItemTitles
from gsr.counters.ids.id_column import MAX_ID_BYTES
from stream.clock import Clock


def item_routes(
    config: GsrConfig, thread: BatchingThread[Question, Answer], titles: ItemTitles, clock: Clock
) -> APIRouter:
    """Return the routes about items."""
    router = APIRouter()
    count = Query(ge=1, le=config.serve.longest_list, description="Items of each list.")
    usual = min(config.publisher.list_length, config.serve.longest_list)

    @router.get(
        "/v1/items", name="items", response_model=FoundItems, responses=error_responses(422)
    )
    async def items(
        prefix: Annotated[
            str,
            Query(
                max_length=MAX_ID_BYTES,
                description="How their ids begin, or words of their titles.",
            ),
        ] = "",
        k: Annotated[int, count] = usual,
    ) -> Response:
        """Return popular items whose ids begin like this, or whose titles have such words.

        The item of exactly this id comes first.
        """
        answer = await ask(thread, SearchQuestion(prefix, k), SearchAnswer)
        known = titles.of(item for item, _ in answer.items)
        found = [
            FoundItem(item_id=item, title=known.get(item), popularity=weight)
            for item, weight in answer.items
        ]
        return document(FoundItems(half_life_seconds=answer.half_life, items=found))

    @router.get(
        "/v1/items/{item_id}/neighbours",
        name="neighbours",
        response_model=ItemNeighbours,
        responses=error_responses(404, 422),
    )
    async def neighbours(item_id: ItemId, k: Annotated[int, count] = usual) -> Response:
        """Return what is clicked after an item and close to it, as the item graph counts it."""
        answer = await ask(thread, NeighboursQuestion(item_id, k), NeighboursAnswer)
        others = (item for item, _ in (*answer.followers, *answer.close))
        known = titles.of([item_id, *others])
        return document(
            ItemNeighbours(
                item_id=item_id,
                title=known.get(item_id),
                listable=answer.listable,
                last_click_at=answer.last_click_at,
                half_lives_seconds=answer.half_lives,
                popularity=answer.popularity,
                followers=_weighted(answer.followers, known),
                close_half_lives_seconds=answer.close_half_lives,
                close=_weighted(answer.close, known),
                as_of=answer.reference_time,
                staleness_seconds=max(0.0, clock.time() - answer.view_created_at),
            )
        )

    @router.get(
        "/v1/items/{item_id}/similar",
        name="similar",
        response_model=SimilarItems,
        responses=error_responses(404, 422),
    )
    async def similar(item_id: ItemId, k: Annotated[int, count] = usual) -> Response:
        """Return the items whose learned vectors lie closest to that of an item."""
        answer = await ask(thread, SimilarQuestion(item_id, k), SimilarAnswer)
        known = titles.of([item_id, *(item for item, _ in answer.items)])
        return document(
            SimilarItems(
                item_id=item_id,
                title=known.get(item_id),
                model_version=answer.model_version,
                items=[
                    SimilarItem(item_id=item, title=known.get(item), cosine=cosine)
                    for item, cosine in answer.items
                ],
            )
        )

    return router


def _weighted(
    items: list[tuple[str, list[float]]], titles: Mapping[str, str]
) -> list[WeightedItem]:
    return [
        WeightedItem(item_id=item, title=titles.get(item), weights=weights)
        for item, weights in items
    ]

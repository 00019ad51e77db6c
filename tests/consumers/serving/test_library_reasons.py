"""The library says of a list what the service says of it: one state, one reason."""

import pytest

from consumers.serving.model_scorer import ModelScorer
from consumers.serving.recommender import Recommender
from consumers.serving.view import ServingView
from gsr.library.settings import StreamSettings
from gsr.library.stream_recommender import StreamRecommender
from gsr.reasons.words import in_words
from stream.events.records.sequence import SequenceRecord, pack_seen
from tests.gsr.library.world import LEARNING, fitted


def _service(library: StreamRecommender) -> Recommender:
    """Return a service's recommender with the model and counters of a library's."""
    loop = library._loop  # noqa: SLF001 - the very state
    mirror = loop.mirror
    view = ServingView(
        graph=mirror.graph(),
        item_ids=mirror.item_ids,
        generations=mirror.generations,
        reference_time=mirror.arrays.watermark,
        created_at=0.0,
        positions={0: 0},
        number=1,
    )
    settings = library.settings
    service = Recommender(
        settings.event_weights, list_length=10, allow_repeats=settings.allow_repeats
    )
    model = loop.stream.model
    repeats = settings.allow_repeats
    service.follow(view, ModelScorer(model, 1, mirror.generations, repeats=repeats))
    return service


def _record(library: StreamRecommender, user: str) -> SequenceRecord:
    """Return what the topic `sequences` would say of a user."""
    counters = library._loop.mirror.arrays  # noqa: SLF001 - as above
    buffer = counters.user_buffer(user)
    assert buffer is not None
    names = list(library.settings.event_weights)
    return SequenceRecord(
        user_id=user,
        items=[counters.items.id_of(row) or "" for row in buffer.items.tolist()],
        times=buffer.times.tolist(),
        events=[names[code] for code in buffer.events.tolist()],
        seen=pack_seen(buffer.seen),
        source_partition=0,
        source_offset=1,
        next_offset=2,
        last_click_at=buffer.last_click_at,
        accepted_at=0.0,
    )


@pytest.mark.parametrize("repeats", [False, True])
def test_reasons_of_the_library_are_those_of_the_service(*, repeats: bool) -> None:
    """Items, scores, words, clicks, shares and parts, of several users."""
    library = fitted(1000, StreamSettings(learning=LEARNING, allow_repeats=repeats))
    service = _service(library)
    named = 0
    for user in ("u0", "u1", "u2", "u3"):
        wanted = service.explain(_record(library, user), 6)[1]
        rows = library.explain(user, k=6).to_pylist()
        assert [row["item_id"] for row in rows] == [one.item_id for one in wanted]
        assert [row["reason"] for row in rows] == [in_words(one.reason) for one in wanted]
        for row, one in zip(rows, wanted, strict=True):
            click = one.reason.click
            named += click is not None
            assert row["clicked_item_id"] == (click and click.item_id)
            assert row["share_lost"] == (click and pytest.approx(click.share_lost, abs=1e-5))
            assert row["score"] == pytest.approx(one.score, abs=1e-5)
            parts = {name: row[name] for name in one.parts}
            assert parts == pytest.approx(one.parts, abs=1e-5)
    assert named >= 6

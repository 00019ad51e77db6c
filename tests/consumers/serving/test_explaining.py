"""Of each item of a list the reason is found, and it is true."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from consumers.serving.model_scorer import ModelScorer
from consumers.serving.recommender import Explanation, Recommender
from consumers.serving.scorers import CounterScorer, Scorer
from consumers.serving.view import ServingView
from gsr.counters.event_weights import DEFAULT_EVENT_WEIGHTS
from gsr.counters.ids.fingerprint import fingerprint
from gsr.ranker.config import RankerConfig
from stream.events.records.sequence import SequenceRecord, pack_seen
from tests.consumers.views import HALF_LIVES, NOW, view_of
from tests.gsr.ranker_models import model_with_weights

ITEMS = {f"i{n}": 50.0 - n for n in range(40)}
EDGES = {("i3", "i30"): 20.0, ("i3", "i31"): 5.0, ("i7", "i31"): 9.0, ("i7", "i32"): 0.2}
CONFIG = RankerConfig(dimension=8, hidden=8, listed=10, kept=12, half_lives=HALF_LIVES)
KINDS = ("counters", "model")


def _scorer(kind: str, *, repeats: bool = False) -> Scorer:
    if kind == "counters":
        return CounterScorer(graph_weight=0.5)
    model = model_with_weights(CONFIG, items=35)
    return ModelScorer(model, 1, np.zeros(35, dtype=np.int64), repeats=repeats)


def _recommender(
    kind: str = "counters", *, view: ServingView | None = None, repeats: bool = False
) -> Recommender:
    recommender = Recommender(DEFAULT_EVENT_WEIGHTS, list_length=6, allow_repeats=repeats)
    view = view_of(ITEMS, EDGES) if view is None else view
    recommender.follow(view, _scorer(kind, repeats=repeats))
    return recommender


def _record(*items: str, seen: tuple[str, ...] = ()) -> SequenceRecord:
    marks = np.array([fingerprint(item) for item in seen], dtype=np.uint32)
    return SequenceRecord(
        user_id="u",
        items=list(items),
        times=[NOW - 10.0 * (len(items) - n) for n in range(len(items))],
        events=["click"] * len(items),
        seen=pack_seen(marks),
        source_partition=0,
        source_offset=1,
        next_offset=2,
        last_click_at=NOW - 10.0,
        accepted_at=NOW,
    )


def _by_item(explanations: list[Explanation]) -> dict[str, Explanation]:
    return {one.item_id: one for one in explanations}


def _share(recommender: Recommender, record: SequenceRecord, item: str) -> float:
    """Return an item's share of all items that the user may get."""
    listed = recommender.recommend([record], 100)[0].items
    weights = {one.item_id: np.exp(one.score) for one in listed}
    return float(weights[item] / sum(weights.values()))


def test_the_edge_that_carries_an_item_is_named() -> None:
    """With the click, its time and what was counted."""
    record = _record("i1", "i7", "i3")
    found = _by_item(_recommender().explain(record)[1])["i30"].reason
    assert found.kind == "click"
    assert found.click is not None
    assert found.click.item_id == "i3"
    assert found.click.clicked_at == record.times[2]
    assert found.click.followed == pytest.approx(dict.fromkeys(HALF_LIVES, 20.0), rel=1e-4)
    assert not any(found.click.together.values())
    assert found.sequence_share == 0.0
    assert found.clicks == pytest.approx(dict.fromkeys(HALF_LIVES, 20.0), rel=1e-4)
    assert found.last_click_seconds == 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_named_click_an_item_has_less(kind: str) -> None:
    """As much as was said: the record is written without it, and the item stays seen."""
    recommender = _recommender(kind)
    items = ("i1", "i7", "i9", "i7", "i3", "i12")
    record = _record(*items)
    named = 0
    for one in recommender.explain(record, 10)[1]:
        if one.reason.click is None:
            continue
        named += 1
        clicked = one.reason.click.item_id
        kept = [at for at, item in enumerate(items) if item != clicked]
        other = msgspec.structs.replace(
            _record(seen=(clicked,)),
            items=[record.items[at] for at in kept],
            times=[record.times[at] for at in kept],
            events=[record.events[at] for at in kept],
        )
        before = _share(recommender, record, one.item_id)
        after = _share(recommender, other, one.item_id)
        assert 1.0 - after / before == pytest.approx(one.reason.click.share_lost, abs=2e-3)
        assert after < before
    assert named >= 3


@pytest.mark.parametrize("kind", KINDS)
def test_who_has_no_clicks_gets_other_reasons(kind: str) -> None:
    """Known or not, the list is the same, and no click is named."""
    recommender = _recommender(kind)
    made, reasons = recommender.explain(None)
    assert made.items == recommender.default_list(6)
    assert len(reasons) == 6
    for one in (*reasons, *recommender.explain(_record())[1]):
        assert one.reason.click is None
        assert one.reason.kind in {"popular", "fresh", "new", "rest"}
        assert one.reason.sequence_share is None


def test_the_popular_are_called_so_on_their_scale() -> None:
    """Where they stand out most among the candidates."""
    view = view_of(ITEMS, EDGES)
    popularity = view.graph.popularity.copy()
    popularity[1, 2] *= 100.0
    view = replace(view, graph=view.graph._replace(popularity=popularity))
    found = _by_item(_recommender(view=view).explain(None)[1])["i1"].reason
    assert found.kind == "popular"
    assert found.popular_on == HALF_LIVES[2]


def test_an_item_with_nothing_for_it_is_of_the_rest() -> None:
    """Behind the popular ones there are others, and they are not called popular."""
    reasons = _recommender().explain(None, 40)[1]
    assert {one.reason.kind for one in reasons[:10]} == {"popular"}
    assert {one.reason.kind for one in reasons[-10:]} <= {"fresh", "new", "rest"}


@pytest.mark.parametrize("kind", KINDS)
def test_new_items_have_reasons_too(kind: str) -> None:
    """A catalogue of a few clicks, of which the model has seen none."""
    recommender = _recommender(kind, view=view_of({f"n{n}": 1.0 for n in range(5)}))
    for record in (None, _record("n0"), _record("gone", "n1")):
        made, reasons = recommender.explain(record)
        assert len(made.items) == len(reasons) >= 4
        assert "n0" not in {one.item_id for one in reasons} or record != _record("n0")


def test_own_clicks_are_a_reason_where_lists_repeat_items() -> None:
    """An item may even be there for the user's clicks on it."""
    record = _record("i3", "i30", "i30", "i30")
    reasons = _recommender("model", repeats=True).explain(record, 40)[1]
    kinds = {one.item_id: one.reason.kind for one in reasons}
    assert {"i3", "i30"} <= set(kinds)
    assert {item for item, kind in kinds.items() if kind == "again"} <= {"i3", "i30"}


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_catalogue_has_nothing_to_explain(kind: str) -> None:
    """An empty list, no error."""
    made, reasons = _recommender(kind, view=view_of({})).explain(_record("i1"))
    assert made.items == []
    assert reasons == []

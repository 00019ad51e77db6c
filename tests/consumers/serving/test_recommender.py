"""Lists are made of the model, the live counters and the masks, and can say why."""

import msgspec
import numpy as np
import pytest

from consumers.serving.model_scorer import ModelScorer
from consumers.serving.recommender import Recommender
from consumers.serving.scorers import CounterScorer, Scorer
from gsr.counters.event_weights import DEFAULT_EVENT_WEIGHTS
from gsr.counters.ids.fingerprint import fingerprint
from gsr.ranker.config import RankerConfig
from gsr.ranker.model import RankerModel
from stream.events.records.sequence import SequenceRecord, pack_seen
from tests.consumers.views import HALF_LIVES, NOW, view_of
from tests.gsr.ranker_models import model_with_weights

ITEMS = {f"i{n}": 50.0 - n for n in range(40)}
EDGES = {("i3", "i30"): 20.0, ("i3", "i31"): 5.0, ("i7", "i31"): 9.0}
CONFIG = RankerConfig(dimension=8, hidden=8, listed=10, kept=12, half_lives=HALF_LIVES)


def _scorer(kind: str, *, repeats: bool = False) -> Scorer:
    if kind == "counters":
        return CounterScorer(graph_weight=0.5)
    model = model_with_weights(CONFIG, items=35)
    return ModelScorer(model, 1, np.zeros(35, dtype=np.int64), repeats=repeats)


def _recommender(kind: str = "counters", *, repeats: bool = False) -> Recommender:
    recommender = Recommender(DEFAULT_EVENT_WEIGHTS, list_length=6, allow_repeats=repeats)
    recommender.follow(view_of(ITEMS, EDGES), _scorer(kind, repeats=repeats))
    return recommender


def _record(user: str, *items: str, seen: tuple[str, ...] = ()) -> SequenceRecord:
    marks = np.array([fingerprint(item) for item in seen], dtype=np.uint32)
    return SequenceRecord(
        user_id=user,
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


@pytest.mark.parametrize("kind", ["counters", "model"])
def test_what_is_explained_is_the_list_that_is_sent(kind: str) -> None:
    """Item by item, best first."""
    recommender = _recommender(kind)
    record = _record("u", "i1", "i7", "i3")
    made, reasons = recommender.explain(record)
    assert made == recommender.recommend([record])[0]
    assert [(one.item_id, one.score) for one in reasons] == [
        (item.item_id, item.score) for item in made.items
    ]
    scores = [item.score for item in made.items]
    assert scores == sorted(scores, reverse=True)
    assert np.isfinite(scores).all()


def test_explanations_name_channels_or_groups() -> None:
    """Channels' contributions, which add up, before there is a model; then groups of features."""
    record = _record("u", "i1", "i7", "i3")
    for one in _recommender("counters").explain(record)[1]:
        assert sum(one.parts.values()) == pytest.approx(one.score, abs=1e-4)
    reasons = _recommender("model").explain(record)[1]
    assert tuple(reasons[0].parts) == RankerModel(CONFIG).groups
    assert any(one.parts["vectors"] for one in reasons)


def test_there_is_no_list_before_a_view() -> None:
    """And it is said so; items may be blocked by then."""
    recommender = Recommender(DEFAULT_EVENT_WEIGHTS, list_length=6)
    recommender.block({"i0"})
    with pytest.raises(RuntimeError, match="no view"):
        recommender.recommend([_record("u")])


@pytest.mark.parametrize("kind", ["counters", "model"])
def test_users_do_not_influence_each_other(kind: str) -> None:
    """A user's list is the same alone and in any company."""
    recommender = _recommender(kind)
    records = [
        _record("a", "i3"),
        _record("b", "i1", "i2", "i9", "i30"),
        _record("c"),
        _record("d", "unknown", "i7", seen=("i0",)),
    ]
    together = recommender.recommend(records)
    backwards = recommender.recommend(records[::-1])[::-1]
    alone = [recommender.recommend([record])[0] for record in records]
    for lists in (backwards, alone):
        assert [[i.item_id for i in one.items] for one in lists] == [
            [i.item_id for i in one.items] for one in together
        ]


def test_graph_and_popularity_are_joined() -> None:
    """Followers of the newest clicks come up among the popular."""
    items = [item.item_id for item in _recommender().recommend([_record("u", "i3")])[0].items]
    assert items[0] == "i30"
    assert set(items) & {"i0", "i1", "i2"}


@pytest.mark.parametrize("kind", ["counters", "model"])
def test_masks(kind: str) -> None:
    """Seen and blocked items never come; a lifted block lets them come back."""
    recommender = _recommender(kind)
    recommender.block({"i0", "unknown"})
    record = _record("u", "i1", seen=("i2",))
    items = {item.item_id for item in recommender.recommend([record], 40)[0].items}
    assert items == set(ITEMS) - {"i0", "i1", "i2"}
    recommender.block(())
    assert "i0" in {item.item_id for item in recommender.recommend([record], 40)[0].items}


@pytest.mark.parametrize("kind", ["counters", "model"])
def test_a_block_of_a_seen_item_holds_for_everybody(kind: str) -> None:
    """It does not end with the user who has seen it."""
    recommender = _recommender(kind)
    recommender.block({"i0", "i30"})
    records = [_record("a", "i0", "i3", seen=("i30",)), _record("b", "i3")]
    for _ in range(2):
        for made in recommender.recommend(records, 40):
            assert {"i0", "i30"}.isdisjoint(item.item_id for item in made.items)


@pytest.mark.parametrize("kind", ["counters", "model"])
def test_repeats(kind: str) -> None:
    """Where they are allowed, only what the user hid never comes back."""
    recommender = _recommender(kind, repeats=True)
    record = msgspec.structs.replace(
        _record("u", "i1", "i2", "i3", seen=("i4",)), events=["click", "hide", "click"]
    )
    items = {item.item_id for item in recommender.recommend([record], 40)[0].items}
    assert items == set(ITEMS) - {"i2"}


@pytest.mark.parametrize("kind", ["counters", "model"])
def test_who_has_seen_most_gets_the_rest(kind: str) -> None:
    """Lists are as long as asked for while there are enough items, popular or not."""
    recommender = _recommender(kind)
    seen = [f"i{n}" for n in range(33)]
    record = _record("u", *seen[:5], seen=tuple(seen[5:]))
    made = recommender.recommend([record])[0]
    assert {item.item_id for item in made.items} < set(ITEMS) - set(seen)
    assert len(made.items) == 6
    assert len(recommender.recommend([record], 20)[0].items) == 7


@pytest.mark.parametrize("kind", ["counters", "model"])
def test_a_block_outlives_the_view(kind: str) -> None:
    """Following a newer view with other rows keeps the right items blocked."""
    recommender = _recommender(kind)
    recommender.block({"i0"})
    recommender.follow(view_of(dict(reversed(ITEMS.items()))), _scorer(kind))
    items = [item.item_id for item in recommender.recommend([_record("u")], 40)[0].items]
    assert set(items) == set(ITEMS) - {"i0"}


@pytest.mark.parametrize("kind", ["counters", "model"])
def test_an_empty_view(kind: str) -> None:
    """Before any item there is an empty list, not an error."""
    recommender = Recommender(DEFAULT_EVENT_WEIGHTS, list_length=6)
    recommender.follow(view_of({}), _scorer(kind))
    made = recommender.recommend([_record("u", "i1")])[0]
    assert made.items == []
    assert made.cold

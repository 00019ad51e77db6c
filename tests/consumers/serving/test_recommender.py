"""Lists are made of the model, the live counters and the masks, and can say why."""

import numpy as np
import pytest

from consumers.serving.model_scorer import ModelScorer
from consumers.serving.recommender import Recommender
from consumers.serving.scorers import CounterScorer, Scorer
from gsr.config import ModelConfig
from gsr.counters.ids.fingerprint import fingerprint
from gsr.network.model import JointModel
from gsr.votes.channels import channel_names
from stream.events.clicks.rules import DEFAULT_EVENT_WEIGHTS
from stream.events.records.sequence import SequenceRecord, pack_seen
from tests.consumers.views import HALF_LIVES, NOW, view_of

ITEMS = {f"i{n}": 50.0 - n for n in range(40)}
EDGES = {("i3", "i30"): 20.0, ("i3", "i31"): 5.0, ("i7", "i31"): 9.0}
CONFIG = ModelConfig(dimension=8, half_lives=HALF_LIVES)


def _scorer(kind: str) -> Scorer:
    if kind == "counters":
        return CounterScorer(CONFIG, graph_weight=0.5)
    model = JointModel(CONFIG, seed=3)
    scorer = ModelScorer(model, 1, np.zeros(0, dtype=np.int64))
    scorer.follow(view_of(ITEMS, EDGES))
    return scorer


def _recommender(kind: str = "counters", *, repeats: bool = False) -> Recommender:
    recommender = Recommender(DEFAULT_EVENT_WEIGHTS, list_length=6, allow_repeats=repeats)
    recommender.follow(view_of(ITEMS, EDGES), _scorer(kind))
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
def test_explanations_add_up(kind: str) -> None:
    """The parts of a score sum to it, and the list is the one that is sent."""
    recommender = _recommender(kind)
    record = _record("u", "i1", "i7", "i3")
    made, reasons = recommender.explain(record)
    assert made == recommender.recommend([record])[0]
    assert [one.item_id for one in reasons] == [item.item_id for item in made.items]
    for one in reasons:
        assert sum(one.parts.values()) == pytest.approx(one.score, abs=1e-4)
    assert list(reasons[0].parts) == ["neural", *channel_names(len(HALF_LIVES))]


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


def test_masks() -> None:
    """Seen and blocked items never come; a lifted block lets them come back."""
    recommender = _recommender()
    recommender.block({"i0", "unknown"})
    record = _record("u", "i1", seen=("i2",))
    items = {item.item_id for item in recommender.recommend([record], 40)[0].items}
    assert items == set(ITEMS) - {"i0", "i1", "i2"}
    recommender.block(())
    assert "i0" in {item.item_id for item in recommender.recommend([record], 40)[0].items}


def test_a_block_outlives_the_view() -> None:
    """Following a newer view with other rows keeps the right items blocked."""
    recommender = _recommender()
    recommender.block({"i0"})
    recommender.follow(view_of(dict(reversed(ITEMS.items()))), _scorer("counters"))
    assert recommender.recommend([_record("u")])[0].items[0].item_id == "i1"


def test_an_empty_view() -> None:
    """Before any item there is an empty list, not an error."""
    recommender = Recommender(DEFAULT_EVENT_WEIGHTS, list_length=6)
    recommender.follow(view_of({}), CounterScorer(CONFIG, graph_weight=0.5))
    made = recommender.recommend([_record("u", "i1")])[0]
    assert made.items == []
    assert made.cold

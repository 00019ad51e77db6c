"""What is watched of lists is what the metrics say of them; hits are those of the loop's tests."""

import json
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from gsr.baselines.counter_lists import CounterLists
from gsr.baselines.counters import BaselineCounters
from gsr.loop import list_watch, reports
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.list_watch import LIST_METRICS, ListWatch
from gsr.loop.recent_lists import LIST_LENGTH, joint_lists, recent_histories
from gsr.quality.beyond_accuracy import catalogue_coverage, popularity_lift
from gsr.quality.beyond_accuracy_of_hits import DECILES, PopularityScale, serendipity
from tests.gsr.loop.world import ITEMS, OPTIONS, loop_of, ring

COLUMNS = ("popularity@86400", "graph@86400", "mix@3600")


class Watched:
    """A loop with a watch that hears its tests."""

    def __init__(self, **changes: object) -> None:
        self.tested: list[reports.TestedClicks] = []
        counters = BaselineCounters(OPTIONS.half_lives)
        options = replace(OPTIONS, **changes)  # type: ignore[arg-type]  # settings are mixed
        self.loop = LearningLoop(options, baselines=counters, on_tested=self._hear)
        self.watch = ListWatch(self.loop, {name: CounterLists(counters, name) for name in COLUMNS})

    def _hear(self, found: reports.TestedClicks) -> None:
        self.tested.append(found)
        self.watch.add_tested(found)

    def turn(self, clicks: int, start: float, seed: int = 0) -> None:
        self.loop.advance(ring(clicks, start=start, seed=seed))
        self.loop.test()


class Always:
    """Lists the same items for everybody."""

    def __init__(self, *items: int) -> None:
        self._items = items

    def top(
        self,
        histories: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
        count: int,
        mask_history: bool,
    ) -> npt.NDArray[np.int64]:
        row = np.full(count, -1, dtype=np.int64)
        row[: len(self._items)] = self._items
        return np.tile(row, (len(histories), 1))


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every look make lists, after however few clicks."""
    monkeypatch.setattr(list_watch, "CLICKS_BETWEEN", 0)


def test_a_look_too_soon_makes_no_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that watching stays cheap where windows are short."""
    monkeypatch.setattr(list_watch, "CLICKS_BETWEEN", 200)
    watched = Watched()
    for turn in range(4):
        watched.turn(100, 10_000.0 * turn, seed=turn)
        watched.watch.look()
    assert watched.watch.document()["looks"] == 2


def test_every_model_has_every_metric() -> None:
    """And the document is JSON without a NaN."""
    watched = Watched()
    watched.turn(200, 0.0)
    watched.watch.look()
    watched.turn(100, 20_000.0, seed=1)
    watched.watch.look()
    document = watched.watch.document()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["looks"] == 2
    assert list(document["models"]) == ["joint", *COLUMNS]
    for values in document["models"].values():
        assert set(LIST_METRICS) < set(values)
        assert None not in [values[name] for name in LIST_METRICS]
    by_popularity, by_graph = (document["models"][name] for name in COLUMNS[:2])
    assert by_popularity["popularity_lift"] > by_graph["popularity_lift"]
    assert by_popularity["novelty_bits"] < by_graph["novelty_bits"]


def test_values_are_means_over_looks() -> None:
    """Of the lists that the recent users get at each."""
    watched = Watched()
    coverages, lifts = [], []
    for seed in range(3):
        watched.turn(150, 10_000.0 * seed, seed=seed)
        watched.watch.look()
        loop, histories = watched.loop, recent_histories(watched.loop)
        assert histories is not None
        graph, lists = loop.mirror.graph(), joint_lists(loop, histories)
        clicks = loop.item_totals.counts(graph.items).astype(np.float64)
        coverages.append(catalogue_coverage(lists, graph.alive))
        lifts.append(popularity_lift(lists, histories.items, clicks))
    values = watched.watch.document()["models"]["joint"]
    assert values["coverage"] == pytest.approx(np.mean(coverages))
    assert values["popularity_lift"] == pytest.approx(np.mean(lifts))


def test_lists_that_are_the_same_for_all_cover_little() -> None:
    """A list maker of one's own is measured too; of its hits nothing is known."""
    loop = loop_of()
    watch = ListWatch(loop, {"always": Always(3, 5)})
    loop.advance(ring(200))
    loop.test()
    watch.look()
    values = watch.document()["models"]["always"]
    assert values["coverage"] == pytest.approx(2 / ITEMS)
    assert values["length"] == 2.0
    assert values["gini"] > 0.9
    assert "hits_by_decile" not in values


def test_hits_are_those_of_the_tests() -> None:
    """By the popularity of the look before; what was tested before the first one is left out."""
    watched = Watched()
    watched.turn(200, 0.0)
    assert sum(watched.watch.document()["tested_by_decile"]) == 0
    watched.watch.look()
    graph = watched.loop.mirror.graph()
    scale = PopularityScale(watched.loop.item_totals.counts(graph.items)[graph.alive])
    watched.tested.clear()
    watched.turn(100, 20_000.0, seed=1)
    document = watched.watch.document()
    names = watched.loop.names
    tested = [one.rows(one.user_clicks > 0) for one in watched.tested]
    item_clicks = np.concatenate([one.item_clicks for one in tested])
    ranks = np.concatenate([one.ranks for one in tested])
    deciles = scale.deciles(item_clicks)
    assert document["tested_by_decile"] == [int((deciles == d).sum()) for d in range(DECILES)]
    for name, values in document["models"].items():
        own = ranks[:, names.index(name)]
        hits = [int((own[deciles == d] <= LIST_LENGTH).sum()) for d in range(DECILES)]
        assert values["hits_by_decile"] == hits
        surprise = serendipity(own[:, None], scale.ranks(item_clicks), scale.items, LIST_LENGTH)
        assert values["serendipity@20"] == pytest.approx(surprise.mean())
    assert sum(document["models"]["joint"]["hits_by_decile"]) > 0


def test_lists_may_repeat_where_the_loop_lets_them() -> None:
    """With repeats, every model lists what the users clicked before."""
    watched = Watched(mask_seen=False)
    watched.turn(200, 0.0)
    watched.watch.look()
    histories = recent_histories(watched.loop)
    assert histories is not None
    lists = joint_lists(watched.loop, histories, mask_history=False)
    assert any(
        np.isin(row, history[history >= 0]).any()
        for row, history in zip(lists, histories.items, strict=True)
    )
    covered = catalogue_coverage(lists, watched.loop.mirror.graph().alive)
    assert watched.watch.document()["models"]["joint"]["coverage"] == pytest.approx(covered)


def test_without_users_nothing_is_known() -> None:
    """A look before the first test adds no list."""
    watched = Watched()
    watched.watch.look()
    document = watched.watch.document()
    assert document["looks"] == 0
    assert document["models"]["joint"]["coverage"] is None
    assert document["models"]["joint"]["serendipity@20"] is None

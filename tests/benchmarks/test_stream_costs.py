"""What is reported of the stream's model is what was done, and shops differ in size alone."""

import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.stream_costs import __main__ as command
from benchmarks.stream_costs import products
from benchmarks.stream_costs.learning import (
    CYCLE_CLICKS,
    PIECES,
    STAGES,
    LearningCase,
    Stream,
    measure_learning,
)
from benchmarks.stream_costs.lists import (
    ListsCase,
    WrongListsError,
    check,
    full_buffers,
    measure_lists,
)
from benchmarks.stream_costs.products import (
    CONTENDERS,
    ContenderError,
    ProductsCase,
    agreements,
    measure_products,
)
from benchmarks.stream_costs.shop import TASTE_ITEMS, Shop
from benchmarks.stream_costs.summary import summarise, tables
from consumers.config.settings import GsrConfig
from consumers.serving.made_lists import UserList
from stream.events.records.recommendation import ScoredItem

SIZE = TASTE_ITEMS
CLICKS = 2_000
STAND_IN = Path(__file__).with_name("faiss_stand_in")


def ticking() -> Callable[[], float]:
    """Return a clock on which every look takes a second."""
    return map(float, itertools.count()).__next__


def columns(shop: Shop, clicks: int, rows: int) -> tuple[list[str], list[str], list[float]]:
    batches = list(shop.batches(clicks, rows))
    return (
        [user for batch in batches for user in batch.user_ids],
        [item for batch in batches for item in batch.item_ids],
        [time for batch in batches for time in batch.times.tolist()],
    )


def test_the_same_seed_makes_the_same_clicks_in_order() -> None:
    first, second = (columns(Shop(SIZE, 3), CLICKS, 300) for _ in range(2))
    assert first == second
    assert first != columns(Shop(SIZE, 4), CLICKS, 300)
    assert (np.diff(first[2]) > 0).all()


def test_what_is_around_a_user_is_alike_in_shops_of_any_size() -> None:
    """With as many clicks per user: as many distinct items of a user, and users of an item."""
    pairs = []
    for size in (SIZE, 8 * SIZE):
        users, items, _ = columns(Shop(size, 0), 10 * size, 1000)
        pairs.append(len(set(zip(users, items, strict=True))) / len(users))
        assert 0.95 < len(set(users)) / size <= 1.0
        assert 0.85 < len(set(items)) / size <= 1.0
    assert pairs[0] == pytest.approx(pairs[1], rel=0.1)


def test_a_shop_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 500"):
        Shop(700, 0)
    with pytest.raises(ValueError, match="multiple of 10"):
        LearningCase(curve="by_size", size=SIZE, earlier=1, clicks=1001)


def test_earlier_clicks_are_counted_only_and_the_others_learned() -> None:
    stream = Stream(SIZE, 0, ticking())
    stream.count(CLICKS)
    counted = stream.totals()
    assert (counted.clicks, counted.ranked, counted.learned) == (CLICKS, 0, 0)
    assert stream.loop.waiting == 0
    stream.learn(CLICKS)
    both = stream.totals()
    assert both.clicks == 2 * CLICKS
    assert 0.5 * CLICKS < both.learned <= both.ranked <= CLICKS


def test_stages_add_up_to_all_but_what_looking_at_the_clock_takes() -> None:
    """Every cycle looks at each stage twice, and once more around them all."""
    case = LearningCase(curve="by_size", size=SIZE, earlier=2 * SIZE, clicks=CLICKS)
    found = measure_learning(case, ticking())
    cycles = PIECES * -(-CLICKS // PIECES // CYCLE_CLICKS)
    each = round(1e6 * cycles / CLICKS, 1)
    assert found["microseconds"] == {**dict.fromkeys(STAGES, each), "all": 7 * each}
    assert found["microseconds_by_tenth"] == [7 * each] * PIECES
    assert found["taken_in"] == CLICKS
    assert 0.8 * SIZE < found["items_known"] <= SIZE
    sizes = found["bytes"]
    assert 0 < sizes["programs"] <= sizes["before"] <= sizes["peak"]


LISTS = ListsCase(size=SIZE, earlier=2 * SIZE, learned=400, users=20, together=(16, 5), rounds=3)


def test_lists_are_told_with_and_without_what_is_around_the_scorer() -> None:
    """A round of 20 users takes two askings of 16, or four of 5; each looks at the clock twice."""
    found = measure_lists(LISTS, ticking())
    config = GsrConfig()
    assert found["list_length"] == config.publisher.list_length
    assert found["clicks_in_buffer"] == config.state.buffer_length
    for together, askings in (("16", 2), ("5", 4)):
        rates = found["lists_per_cpu_second"][together]
        assert rates["lists"] == LISTS.users * LISTS.rounds
        assert set(rates["scoring"].values()) == {round(20 / askings)}
        assert set(rates["whole_recommender"].values()) == {round(20 / (2 * askings + 1))}


def test_lists_that_are_short_or_repeat_a_click_are_refused() -> None:
    (record,) = full_buffers(Shop(SIZE, 0), 1, GsrConfig())
    good = UserList([ScoredItem("new", 1.0), ScoredItem("newer", 0.5)], cold=False)
    check([record], [good], 2)
    repeated = UserList([*good.items[:1], ScoredItem(record.items[0], 0.1)], cold=False)
    for wrong in (UserList(good.items[:1], cold=False), repeated):
        with pytest.raises(WrongListsError, match=record.user_id):
            check([record], [wrong], 2)


@pytest.fixture
def faiss(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a stand-in for the library in place, which our own interpreter runs."""
    monkeypatch.setattr(products, "FAISS", Path(sys.executable))
    monkeypatch.setenv("PYTHONPATH", f"{STAND_IN}:{Path.cwd()}")


CASE = ProductsCase(items=600, users=70, dimension=8, k=5, threads=1, rounds=2)


@pytest.mark.usefixtures("faiss")
def test_all_contenders_find_the_same_items(tmp_path: Path) -> None:
    found = measure_products(CASE, tmp_path)
    for name in CONTENDERS:
        assert found[name]["users"] == CASE.users
        assert found[name]["rounds"] == CASE.rounds
        assert found[name]["users_per_cpu_second"] > 0
    assert set(found["agreement_with_ours"]) == {"torch", "faiss"}
    for one in found["agreement_with_ours"].values():
        assert one["identical_sets"] == 1.0
    assert not list(tmp_path.iterdir())


def test_figures_of_other_items_are_refused() -> None:
    lists = np.array([[1, 2]]), np.array([[2.0, 1.0]], np.float32)
    worse = np.array([[1, 3]]), np.array([[2.0, 0.9]], np.float32)
    with pytest.raises(ContenderError, match="faiss has found other items"):
        agreements({"ours": lists, "torch": lists, "faiss": worse})


def test_a_missing_library_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "FAISS", Path("nowhere"))
    with pytest.raises(ContenderError, match=r"stream_costs\.install"):
        measure_products(CASE)


WORDS = (
    *("--sizes", "500", "1000", "1500", "--clicks", "400", "800", "--fill", "1"),
    *("--learned", "200", "--users", "20", "--rounds", "2", "--runs", "1"),
    *("--threads", "1", "--dimension", "8", "--k", "5"),
)


def scripted(case: Any) -> dict[str, Any]:
    """Return what a process would answer, without one: cost grows with the shop, ten per cent."""
    if isinstance(case, ListsCase):
        rates = {"scoring": {"median": 3000.0}, "whole_recommender": {"median": 2000.0}}
        return {
            "items_known": case.size,
            "new_view_milliseconds": 5.0,
            "lists_per_cpu_second": {str(together): rates for together in case.together},
        }
    cost = 100.0 * (1.1 if case.size == 1500 else 1.0)
    return {
        "ranked": case.clicks,
        "learned": case.clicks,
        "items_known": case.size,
        "microseconds": {**dict.fromkeys(STAGES, cost), "all": 3 * cost},
        "microseconds_by_tenth": [3 * cost] * PIECES,
        "bytes": {"programs": 2**20, "before": 2**21, "peak": case.clicks * 2**20},
    }


def test_every_case_is_measured_once_and_again_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Users of every shop have clicked once in the middle of it, if the shop is large enough."""
    asked: list[Any] = []

    def in_a_process(case: Any) -> dict[str, Any]:
        asked.append(case)
        return scripted(case)

    monkeypatch.setattr(command, "in_a_process", in_a_process)
    out = tmp_path / "costs.json"
    words = [*WORDS, "--out", str(out), "--directory", str(tmp_path)]
    command.main([*words, "--only", "learning", "lists"])
    learning = [c for c in asked if isinstance(c, LearningCase)]
    by_size = [(c.size, c.earlier, c.clicks) for c in learning if c.curve == "by_size"]
    assert by_size == [(500, 300, 400), (1000, 800, 400), (1500, 1300, 400)]
    by_clicks = [(c.size, c.earlier, c.clicks) for c in learning if c.curve == "by_clicks"]
    assert by_clicks == [(500, 0, 400), (500, 0, 800)]
    lists = [(c.size, c.earlier, c.learned) for c in asked if isinstance(c, ListsCase)]
    assert lists == [(500, 300, 200), (1000, 800, 200), (1500, 1300, 200)]
    command.main([*words, "--only", "learning"])
    assert len(asked) == 8
    command.main([*words, "--only", "learning", "--again"])
    assert len(asked) == 13
    written = json.loads(out.read_text())
    curve = written["learning"]["by_size"]
    assert [point["size"] for point in curve["points"]] == [500, 1000, 1500]
    assert curve["largest_to_smallest"]["learn"] == 1.1
    assert written["learning"]["by_clicks"]["largest_to_smallest"]["peak_memory"] == 2.0
    assert "1,500 items, 16 users at once: 3,000 lists" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="name another file"):
        command.main([*words, "--rounds", "3"])


def test_a_process_measures_what_another_one_asks_for(capsys: pytest.CaptureFixture[str]) -> None:
    """As the command starts it, case in and figures out."""
    case = {"curve": "by_clicks", "size": SIZE, "earlier": 500, "clicks": 400, "seed": 0}
    command.main(["--child", json.dumps({"LearningCase": case})])
    found = json.loads(capsys.readouterr().out)
    assert found["taken_in"] == 400
    spent = found["microseconds"]
    assert sum(spent[stage] for stage in STAGES) <= spent["all"] + 0.2


def test_products_are_told_as_they_are_where_others_are_faster() -> None:
    rates = {"users_per_second": 10.0, "users_per_cpu_second": 10.0}
    faster = {"users_per_second": 20.0, "users_per_cpu_second": 40.0}
    run = {
        "part": "products",
        "items": 10,
        "threads": 1,
        "ours": rates,
        "torch": rates,
        "faiss": faster,
        "agreement_with_ours": {"faiss": {"identical_sets": 1.0}},
    }
    summary = summarise([run, run])
    (one,) = summary["products"]
    assert one["ratios"]["faiss"] == {"users_per_second": 0.5, "users_per_cpu_second": 0.25}
    assert one["runs"] == 2
    assert "ours 0.50 (0.25) times faiss" in tables(summary)

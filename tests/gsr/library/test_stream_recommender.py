"""A recommender learns as the service does, answers in kind, and goes on after a break."""

import importlib.util
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import gsr
from gsr.counters.config import CounterConfig
from gsr.errors import ClicksError, ModelError
from gsr.library.saving import read_file
from gsr.library.stream_recommender import StreamRecommender
from tests.gsr.library.world import SETTINGS, fitted, shoppers

CLICKS = 1000


@pytest.fixture(scope="module")
def recommender() -> StreamRecommender:
    """Return one that has learned; nobody may change it."""
    return fitted(CLICKS)


def bytes_of(recommender: StreamRecommender, directory: Path) -> bytes:
    path = directory / "recommender.gsr"
    recommender.save(path)
    return path.read_bytes()


def items_of(lists: Any) -> list[str]:
    found: list[str] = lists["item_id"].to_pylist()
    return found


def test_importing_the_package_loads_nothing_heavy() -> None:
    """Programs pay for what they use."""
    heavy = "{'numba', 'numpy', 'pyarrow', 'torch', 'narwhals'} & set(sys.modules)"
    code = f"import sys, gsr; assert not {heavy}; gsr.StreamRecommender; assert {heavy}"
    assert "torch" in code
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_package_names_what_it_offers() -> None:
    """And nothing else."""
    assert {name for name in gsr.__all__ if hasattr(gsr, name)} == set(gsr.__all__)
    assert set(gsr.__all__) <= set(dir(gsr))
    with pytest.raises(AttributeError, match="no attribute 'Recommender'"):
        gsr.__getattr__("Recommender")


def test_it_learns_what_shoppers_do(recommender: StreamRecommender) -> None:
    """They walk along a ring: the next item is known, popularity says nothing."""
    assert recommender.quality["hr@10"] > 0.5
    assert (recommender.clicks, recommender.users, recommender.items) == (CLICKS, 40, 90)


def test_pieces_of_whole_cycles_are_as_one(recommender: StreamRecommender, tmp_path: Path) -> None:
    """So a log that does not fit into memory can be learned."""
    clicks = shoppers(CLICKS)
    pieces = StreamRecommender(SETTINGS).fit(clicks.slice(0, 400)).learn(clicks.slice(400))
    assert bytes_of(pieces, tmp_path) == bytes_of(recommender, tmp_path)


def test_fitting_begins_anew(recommender: StreamRecommender, tmp_path: Path) -> None:
    """Nothing of what was learned before is left."""
    again = fitted(300).fit(shoppers(CLICKS))
    assert bytes_of(again, tmp_path) == bytes_of(recommender, tmp_path)


def test_clicks_that_are_there_already_change_no_counts(recommender: StreamRecommender) -> None:
    """As on the topic, where a record may come twice."""
    clicks = shoppers(CLICKS)
    again = fitted(CLICKS).learn(clicks.slice(CLICKS - 40))
    assert again.clicks == recommender.clicks


@pytest.mark.parametrize("kind", ["polars", "pandas", "arrow"])
def test_lists_are_of_the_kind_that_clicks_came_in(
    recommender: StreamRecommender, kind: str
) -> None:
    """And the same in every kind."""
    table = shoppers(CLICKS)
    frame = {"polars": pl.from_arrow(table), "pandas": table.to_pandas(), "arrow": table}[kind]
    lists = StreamRecommender(SETTINGS).fit(frame).recommend(["u1", "u2"], k=3)
    wanted = {"polars": pl.DataFrame, "pandas": pd.DataFrame, "arrow": pa.Table}[kind]
    assert isinstance(lists, wanted)
    plain = lists if isinstance(lists, pa.Table) else pa.table(lists)
    assert plain.to_pydict() == recommender.recommend(["u1", "u2"], k=3).to_pydict()


@pytest.mark.parametrize(
    ("missing", "kind"), [(None, pl.DataFrame), ("polars", pa.Table)], ids=["there", "missing"]
)
def test_a_loaded_one_answers_in_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str | None, kind: type
) -> None:
    """In Arrow where the package of that kind is not there."""
    StreamRecommender(SETTINGS).fit(pl.from_arrow(shoppers(300))).save(tmp_path / "one.gsr")
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else found(name)
    )
    lists = StreamRecommender.load(tmp_path / "one.gsr").recommend(["u1"])
    assert isinstance(lists, kind)


def test_lists_are_ranked_and_hold_nothing_that_was_seen(recommender: StreamRecommender) -> None:
    """Of everybody, unless some are named."""
    table = recommender.recommend(k=5)
    clicks = shoppers(CLICKS)
    seen: dict[str, set[str]] = {}
    for user, item in zip(clicks["user_id"].to_pylist(), items_of(clicks), strict=True):
        seen.setdefault(user, set()).add(item)
    rows = table.to_pylist()
    assert {row["user_id"] for row in rows} == set(seen)
    assert not [row for row in rows if row["item_id"] in seen[row["user_id"]]]
    for user in seen:
        mine = [row for row in rows if row["user_id"] == user]
        assert [row["rank"] for row in mine] == list(range(1, 6))
        assert [row["score"] for row in mine] == sorted((r["score"] for r in mine), reverse=True)


def test_what_left_the_buffer_is_still_seen() -> None:
    """The seen filter knows it."""
    settings = replace(SETTINGS, counters=CounterConfig(buffer_length=2))
    clicks = pa.table(
        {
            "user_id": ["u", "u", "u", "u", "v", "v"],
            "item_id": ["a", "b", "c", "d", "x", "y"],
            "timestamp": [1e9 + n for n in range(6)],
        }
    )
    found = StreamRecommender(settings).fit(clicks).recommend(["u"])
    assert set(items_of(found)) == {"x", "y"}


def test_repeats_are_listed_where_they_are_allowed() -> None:
    """But never what was hidden."""
    settings = replace(SETTINGS, allow_repeats=True)
    clicks = pa.table(
        {
            "user_id": ["u", "u", "u", "v"],
            "item_id": ["a", "b", "c", "d"],
            "timestamp": [1e9 + n for n in range(4)],
            "event": ["click", "click", "hide", "click"],
        }
    )
    found = StreamRecommender(settings).fit(clicks).recommend(["u"])
    assert set(items_of(found)) == {"a", "b", "d"}


def test_excluded_items_are_in_no_list(recommender: StreamRecommender) -> None:
    """The next best move up; the next call knows nothing of it."""
    whole = items_of(recommender.recommend(["u1"], k=4))
    assert items_of(recommender.recommend(["u1"], k=3, exclude=[whole[0], "?"])) == whole[1:]
    assert items_of(recommender.recommend(["u1"], k=4)) == whole


def test_users_come_as_lists_and_columns(recommender: StreamRecommender) -> None:
    """Of any kind; nobody gives an empty frame."""
    wanted = recommender.recommend(["u1", "u2"], k=2)
    for users in (
        ("u1", "u2"),
        pl.Series(["u1", "u2"]),
        pd.Series(["u1", "u2"]),
        pa.array(["u1", "u2"]),
        shoppers(5)["user_id"].slice(0, 0),
        np.array(["u1", "u2"]),
    ):
        found = recommender.recommend(users, k=2)
        assert found == (wanted if len(users) else wanted.slice(0, 0))
    assert recommender.recommend([]).num_rows == 0


def test_a_stranger_gets_what_others_click_first(recommender: StreamRecommender) -> None:
    """The same as every other stranger."""
    one, other = recommender.recommend(["?"], k=3), recommender.recommend(["!"], k=3)
    assert items_of(one) == items_of(other)
    assert len(items_of(one)) == 3


def test_a_session_is_ranked_as_a_user_would_be(recommender: StreamRecommender) -> None:
    """Who walks along the ring goes on along it; unknown items say nothing."""
    found = recommender.rank(["i10", "?", "i11", "i12"], k=3)
    assert items_of(found)[0] == "i13"
    assert found.column_names == ["rank", "item_id", "score"]
    assert not {"i10", "i11", "i12"} & set(items_of(recommender.rank(["i10", "i11", "i12"], k=50)))


def test_another_moment_can_be_asked_for(recommender: StreamRecommender) -> None:
    """As a datetime or in seconds; scores then know how long ago things were."""
    moment = datetime(2003, 1, 1, tzinfo=UTC)
    later = recommender.recommend(["u1"], now=moment)
    assert later == recommender.recommend(["u1"], now=moment.timestamp())
    assert later["score"] != recommender.recommend(["u1"])["score"]


def test_an_explanation_is_of_the_list(recommender: StreamRecommender) -> None:
    """The same items and scores, with reasons, and a column for each group of features."""
    explained = recommender.explain("u1", k=3)
    plain = recommender.recommend(["u1"], k=3).drop_columns(["user_id"])
    assert explained.column_names[3:6] == ["reason", "clicked_item_id", "share_lost"]
    assert explained.select(plain.column_names) == plain
    assert "vectors" in explained.column_names
    assert any(value > 0.0 for value in explained["last click"].to_pylist())


def test_a_reason_names_the_click_that_carries_the_item(recommender: StreamRecommender) -> None:
    """Who walks along the ring gets the next item because of the one before."""
    clicks = shoppers(CLICKS).to_pylist()
    newest = next(one["item_id"] for one in reversed(clicks) if one["user_id"] == "u1")
    best = recommender.explain("u1", k=1).to_pylist()[0]
    assert best["clicked_item_id"] == newest
    assert best["reason"].startswith(f"because you clicked {newest}; people went on from {newest}")
    assert 0.02 <= best["share_lost"] <= 1.0


def test_who_has_clicked_nothing_has_reasons_without_a_click(
    recommender: StreamRecommender,
) -> None:
    """The columns of the click are null, and of the right type."""
    found = recommender.explain("?", k=3)
    assert found["clicked_item_id"].to_pylist() == found["share_lost"].to_pylist() == [None] * 3
    assert (found["clicked_item_id"].type, found["share_lost"].type) == (pa.string(), pa.float64())
    assert all(found["reason"].to_pylist())


def test_an_empty_list_has_no_reasons(recommender: StreamRecommender) -> None:
    """A frame with columns and without rows."""
    everything = [f"i{n}" for n in range(90)]
    found = recommender.explain("u1", exclude=everything)
    assert found.num_rows == 0
    assert {"reason", "clicked_item_id", "share_lost"} <= set(found.column_names)


def test_what_was_loaded_goes_on_to_the_bit(tmp_path: Path) -> None:
    """Learning after a break is learning without one."""
    clicks = shoppers(1600, seed=4)
    one = StreamRecommender(SETTINGS).fit(clicks.slice(0, 900))
    one.save(tmp_path / "half.gsr")
    other = StreamRecommender.load(tmp_path / "half.gsr")
    assert other.settings == one.settings
    assert other.recommend(["u1"]) == one.recommend(["u1"])
    one.learn(clicks.slice(900))
    other.learn(clicks.slice(900))
    assert other.quality == one.quality
    assert bytes_of(other, tmp_path) == bytes_of(one, tmp_path)


def test_it_goes_on_to_the_bit_where_items_and_users_leave(tmp_path: Path) -> None:
    """Rows and slots that are used again are used in the same order."""
    counters = CounterConfig(max_items=40, buffer_length=8, seen_items=5)
    settings = replace(SETTINGS, counters=counters, max_users=20)
    clicks = shoppers(1600, seed=5)
    one = StreamRecommender(settings).fit(clicks.slice(0, 800))
    assert one.items <= 40
    assert one.users <= 20
    one.save(tmp_path / "half.gsr")
    other = StreamRecommender.load(tmp_path / "half.gsr").learn(clicks.slice(800))
    one.learn(clicks.slice(800))
    assert bytes_of(other, tmp_path) == bytes_of(one, tmp_path)


def test_an_empty_one_can_be_saved(tmp_path: Path) -> None:
    """And learns from there."""
    StreamRecommender(SETTINGS).save(tmp_path / "empty.gsr")
    again = StreamRecommender.load(tmp_path / "empty.gsr").learn(shoppers(300))
    assert bytes_of(again, tmp_path) == bytes_of(fitted(300), tmp_path)


def test_users_are_bounded_by_their_memory() -> None:
    """Those whose last click came longest ago are forgotten first."""
    settings = replace(SETTINGS, max_user_bytes=2**20)
    count = 12_000
    clicks = pa.table(
        {
            "user_id": [f"user {n}" for n in range(count)],
            "item_id": [f"i{n % 50}" for n in range(count)],
            "timestamp": 1e9 + np.arange(count),
        }
    )
    recommender = StreamRecommender(settings).fit(clicks)
    users = recommender._loop.mirror.arrays.users  # noqa: SLF001 - memory is nobody else's matter
    assert users.nbytes <= 2**20
    assert 0 < recommender.users < count
    assert users.find(f"user {count - 1}") >= 0
    assert users.find("user 0") < 0


def test_nothing_is_listed_before_anything_was_learned() -> None:
    """The way out is named."""
    with pytest.raises(ModelError, match=r"call fit\(clicks\) or load\(path\) first"):
        StreamRecommender(SETTINGS).recommend(["u1"])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda one: one.recommend("u1"), r"user_id is one text: give a list of ids, \['u1'\]"),
        (lambda one: one.recommend([1.5]), "user_id is double: give text"),
        (lambda one: one.recommend([object()]), "user_ids are no ids"),
        (lambda one: one.recommend(5), "user_ids are no ids"),
        (lambda one: one.rank(["i1", ""]), "item_id of row 1 is empty"),
        (lambda one: one.recommend(["u1"], k=0), "k is 0: give 1 to 1000"),
        (lambda one: one.recommend(["u1"], now="today"), "now is string"),
        (lambda one: one.evaluate(shoppers(5), warmup=1.0), "warmup is 1.0: give a share"),
    ],
)
def test_what_makes_no_sense_is_refused(
    recommender: StreamRecommender, call: Any, words: str
) -> None:
    """With what to give."""
    with pytest.raises(ValueError, match=words):
        call(recommender)


def test_clicks_that_are_refused_change_nothing(tmp_path: Path) -> None:
    """Not even a fit forgets."""
    one = fitted(300)
    before = bytes_of(one, tmp_path)
    for call in (one.fit, one.learn):
        with pytest.raises(ClicksError):
            call(pa.table({"user_id": ["u1"]}))
    assert bytes_of(one, tmp_path) == before


def test_evaluating_leaves_it_as_it_is(tmp_path: Path) -> None:
    """It goes on from what was learned, on a copy."""
    clicks = shoppers(900)
    one = StreamRecommender(SETTINGS).fit(clicks.slice(0, 600))
    before = bytes_of(one, tmp_path)
    found = one.evaluate(clicks.slice(600), warmup=0.0)
    assert bytes_of(one, tmp_path) == before
    assert found == one.evaluate(clicks.slice(600), warmup=0.0)
    scored = StreamRecommender(SETTINGS).fit(clicks)._loop.quality.overall.scored  # noqa: SLF001
    assert found.scored == scored - one._loop.quality.overall.scored  # noqa: SLF001
    assert found.metrics["joint"]["hr@20"] > found.metrics["popularity"]["hr@20"]
    assert set(found.half_lives) == {"popularity", "graph"}


def test_an_evaluation_is_a_frame_and_a_text() -> None:
    """For notebooks and terminals."""
    found = StreamRecommender(SETTINGS).evaluate(shoppers(600))
    assert found.to_frame("polars")["model"].to_list() == ["joint", "popularity", "graph"]
    assert str(found).splitlines()[1].startswith("joint")
    assert f"{found.metrics['joint']['hr@10']:.4f}" in str(found)
    with pytest.raises(ValueError, match="no data frames of 'spark': name one of arrow"):
        found.to_frame("spark")


def test_a_saved_one_says_what_it_is(recommender: StreamRecommender, tmp_path: Path) -> None:
    """Its document has the settings."""
    recommender.save(tmp_path / "one.gsr")
    arrays, document = read_file(tmp_path / "one.gsr")
    assert document["kind"] == "gsr.StreamRecommender"
    assert document["settings"]["cycle_clicks"] == 200
    assert "counters.items.neighbours" in arrays

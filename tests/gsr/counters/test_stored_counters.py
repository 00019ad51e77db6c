"""Counters that were stored go on as the first would have; contradictions are refused."""

from typing import Any

import numpy as np
import pytest

from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from gsr.counters.stored_counters import Arrays, counters_as_arrays, load_counters
from gsr.errors import SnapshotError
from tests.gsr.loop.world import WEIGHTS, batch_of, ring

CONFIG = CounterConfig(
    half_lives=(3600.0, 86_400.0),
    neighbours=4,
    buffer_length=4,
    seen_items=3,
    max_items=35,
)


def empty() -> Counters:
    return Counters(CONFIG, np.array(WEIGHTS), users=2)


def counted(clicks: int = 400) -> Counters:
    """Return counters that items and users have left."""
    counters = empty()
    counters.apply(ring(clicks))
    counters.apply(ring(37, start=25_000.0, seed=9, prefix="k"))
    counters.apply(batch_of([("u3", None, 0.0)]))
    counters.mark_clean()
    counters.evict_users(15)
    return counters


def same(one: Counters, other: Counters) -> bool:
    mine, theirs = counters_as_arrays(one), counters_as_arrays(other)
    return set(mine) == set(theirs) and all(
        np.array_equal(array, theirs[name]) for name, array in mine.items()
    )


def restored(arrays: Arrays) -> Counters:
    counters = empty()
    load_counters(counters, arrays)
    return counters


def test_they_are_the_same() -> None:
    """Free rows and slots included; nothing is shared."""
    counters = counted()
    assert counters.items_removed > 0
    assert len(counters_as_arrays(counters)["items.free_rows"]) > 0
    again = restored(counters_as_arrays(counters))
    assert same(counters, again)
    before = counters_as_arrays(again)
    counters.apply(ring(50, start=30_000.0, seed=1))
    assert all(np.array_equal(a, before[n]) for n, a in counters_as_arrays(again).items())


def test_they_go_on_the_same() -> None:
    """New items and users get the rows and slots that they would have had."""
    counters = counted()
    again = restored(counters_as_arrays(counters))
    for seed in range(3):
        more = ring(200, start=30_000.0 * (seed + 1), seed=seed, prefix="j")
        one, other = counters.apply(more), again.apply(more)
        assert one.outcomes.tolist() == other.outcomes.tolist()
        assert one.item_rows.tolist() == other.item_rows.tolist()
        assert same(counters, again)


def test_of_nothing_nothing_comes_back() -> None:
    """Empty counters can be stored too."""
    again = restored(counters_as_arrays(empty()))
    assert (len(again.items), len(again.users), again.watermark) == (0, 0, -np.inf)


def changed(name: str, value: Any) -> Arrays:
    arrays = counters_as_arrays(counted())
    arrays[name] = value(arrays[name].copy())
    return arrays


def first(value: Any) -> Any:
    """Return what puts a value into the first place."""

    def put(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        array[0] = value
        return array

    return put


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("items.neighbours", first(10_000), "a neighbour is out of range"),
        ("items.neighbours", lambda array: array[:-1], "neighbours are not as many"),
        ("items.weights", lambda array: array.astype(np.float64), "items.weights has another type"),
        ("items.row_lengths", first(100), "more neighbours than a row holds"),
        ("items.indexes", first(10_000), "an item's number is out of range"),
        ("items.indexes", lambda array: np.where(array >= 0, 0, array), "two items have one"),
        ("items.free_rows", lambda array: array[:-1], "free rows are not free"),
        ("items.next_index", first(2**40), "number of the next item is out of range"),
        ("items.id_lengths", first(0), "an id has not 1 to 256 bytes"),
        ("items.id_bytes", lambda array: array[:-1], "bytes of the ids are not as many"),
        ("items.alive", lambda array: array[:-1], "items' columns differ in length"),
        ("users.lengths", first(5), "more clicks than a buffer holds"),
        ("users.slots", first(9_999), "users' slots do not fit together"),
        ("users.times", lambda array: array[:-1], "clicks are not as many"),
        ("users.marks", lambda array: array[:-1], "clicks are not as many"),
        ("users.touched", lambda array: array[:-1], "users' columns differ in length"),
        ("watermark", lambda array: array[:0], "contradict"),
    ],
)
def test_contradictions_are_refused(name: str, value: Any, words: str) -> None:
    """Before a kernel follows them."""
    with pytest.raises(SnapshotError, match=words):
        restored(changed(name, value))


def test_an_id_that_stands_twice_is_refused() -> None:
    """Two rows of one item would split its clicks."""
    arrays = counters_as_arrays(counted())
    lengths = arrays["items.id_lengths"]
    one, other = np.flatnonzero(lengths == lengths[0])[:2]
    starts = lengths.cumsum() - lengths
    text = arrays["items.id_bytes"].copy()
    size = lengths[0]
    text[starts[other] : starts[other] + size] = text[starts[one] : starts[one] + size]
    with pytest.raises(SnapshotError, match="an id stands there twice"):
        restored({**arrays, "items.id_bytes": text})


def test_missing_arrays_are_named() -> None:
    """As the error of a file that somebody else put together."""
    arrays = counters_as_arrays(counted())
    del arrays["users.seen_lengths"]
    with pytest.raises(SnapshotError, match="seen_lengths"):
        restored(arrays)

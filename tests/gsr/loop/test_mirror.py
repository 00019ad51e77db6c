"""The mirror: counters of all partitions in one set of item rows, which keep their names."""

import numpy as np
import pytest

from gsr.counters.counters import Counters
from gsr.counters.ids.id_column import IdColumn
from gsr.counters.items.partition_items import PartitionItems
from gsr.loop.mirror import GENERATION_BITS, Mirror
from tests.gsr.loop.world import START, STATE, WEIGHTS, batch_of, loop_of, ring


def mirror_of(count: int = 0, **changes: object) -> Mirror:
    """Return a mirror that has taken in `count` clicks on the ring."""
    loop = loop_of(**changes)
    if count:
        loop.advance(ring(count))
    return loop.mirror


def table_of(clicks: int, seed: int = 0) -> PartitionItems:
    """Return the items of a partition with some clicks on the ring."""
    arrays = Counters(STATE, np.array(WEIGHTS))
    arrays.apply(ring(clicks, seed=seed))
    ids = [item for item in arrays.item_ids if item is not None]
    rows = np.arange(len(ids))
    return PartitionItems(ids, rows, np.full(len(ids), START), arrays.graph())


def popularity_of(mirror: Mirror, item: str) -> float:
    """Return an item's popularity on the slowest scale, as of the epoch."""
    row, graph = int(mirror.arrays.item_rows([item])[0]), mirror.graph()
    stored, reference = graph.popularity[row, -1], graph.popularity_references[row, -1]
    return float(stored * np.exp2(reference - START // STATE.half_lives[-1]))


def test_it_counts_as_state_counts() -> None:
    """Clicks taken in by the loop leave the counters that a partition's state has of them."""
    mirror = mirror_of(300)
    arrays = Counters(STATE, np.array(WEIGHTS))
    arrays.apply(ring(300))
    assert mirror.item_ids == list(arrays.item_ids)
    mine, theirs = mirror.graph(), arrays.graph()
    for name in ("row_lengths", "row_references", "popularity", "last_clicks", "alive"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
    for start, other, count in zip(
        mine.row_starts, theirs.row_starts, mine.row_lengths, strict=True
    ):
        row, same = slice(start, start + count), slice(other, other + count)
        np.testing.assert_array_equal(mine.neighbours[row], theirs.neighbours[same])
        np.testing.assert_array_equal(mine.weights[row], theirs.weights[same])


def test_partitions_add_up() -> None:
    """An item that two partitions know has one row and the sum of their counters."""
    one, two, both = (Mirror(STATE, WEIGHTS, partitions=2) for _ in range(3))
    first, second = table_of(200), table_of(300, seed=1)
    one.absorb(first)
    two.absorb(second)
    rows = both.absorb(first), both.absorb(second)
    names = both.item_ids
    for table, found in zip((first, second), rows, strict=True):
        assert [names[row] for row in found] == table.ids
    assert len(set(names)) == len(names)
    for item in names:
        expected = popularity_of(one, item) + popularity_of(two, item)
        assert popularity_of(both, item) == pytest.approx(expected, rel=1e-5)


def test_it_holds_as_many_items_as_all_partitions() -> None:
    """The limit of a partition is not the limit of their sum."""
    state = type(STATE)(half_lives=STATE.half_lives, max_items=16)
    clicks = batch_of([("u", f"i{n}", float(n)) for n in range(40)])
    loops = loop_of(state=state), loop_of(state=state, partitions=3)
    for loop in loops:
        loop.advance(clicks)
    assert [len(loop.mirror.arrays.items) for loop in loops] == [16, 40]


def test_a_row_with_another_item_is_another_generation() -> None:
    """So that whoever kept its vector can tell."""
    state = type(STATE)(half_lives=STATE.half_lives, max_items=16)
    loop = loop_of(state=state)
    loop.mirror.first_generation = 5
    loop.advance(batch_of([("u", f"i{n}", float(n)) for n in range(16)]))
    assert loop.mirror.generations.tolist() == [5] * 16
    before = loop.mirror.item_ids
    loop.advance(batch_of([("v", "another", 20.0)]))
    after = loop.mirror.item_ids
    moved = [row for row, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    assert moved
    assert np.flatnonzero(loop.mirror.generations > 5).tolist() == moved


def test_every_row_that_changes_its_item_is_told_once() -> None:
    """Also one that was free, was given away long after, and loses that item too."""
    state = type(STATE)(half_lives=STATE.half_lives, max_items=16, item_ttl_seconds=160.0)
    mirror, rng = Mirror(state, WEIGHTS), np.random.default_rng(0)
    told = []
    for number in range(400):
        item = f"i{rng.integers(24)}" if number % 100 < 80 else "the only one"
        batch = batch_of([(f"u{rng.integers(5)}", item, 2.0 * number)])
        before, generations = mirror.item_ids, mirror.generations.copy()
        applied, changed = mirror.push(batch)
        mirror.arrays.apply_edges(applied, 0, applied.stop)
        there = zip(before, mirror.item_ids, strict=False)
        assert changed.tolist() == [
            row for row, (old, new) in enumerate(there) if old not in ("", new)
        ]
        raised = mirror.generations[: len(before)] - generations
        assert np.flatnonzero(raised).tolist() == changed.tolist()
        told += changed.tolist()
    assert min(np.bincount(told)) > 1


def test_items_stand_where_they_stood_before_a_restart() -> None:
    """Free rows stay free until a new item comes; generations go on."""
    mirror = Mirror(STATE, WEIGHTS)
    high = 3 << GENERATION_BITS
    mirror.name_rows(["tea", "", "jam"], np.array([high, high + 7, 0]))
    assert mirror.item_ids == ["tea", "", "jam"]
    assert mirror.generations.tolist() == [high, high + 7, 0]
    assert mirror.first_generation == high
    _, changed = mirror.push(batch_of([("u", "salt", 0.0), ("u", "pepper", 1.0)]))
    assert mirror.item_ids == ["tea", "salt", "jam", "pepper"]
    assert mirror.generations[[0, 2, 3]].tolist() == [high, 0, high]
    assert set(changed.tolist()) <= {1}


def test_items_without_a_partition_lose_their_rows() -> None:
    """After a restart: what no partition has any more is dropped."""
    mirror = Mirror(STATE, WEIGHTS)
    table = table_of(100)
    mirror.name_rows(["gone", *table.ids], np.zeros(1 + len(table.ids), dtype=np.int64))
    rows = mirror.absorb(table)
    assert rows.tolist() == list(range(1, 1 + len(table.ids)))
    mirror.drop_dead()
    assert mirror.item_ids == ["", *table.ids]
    assert mirror.generations[0] == 1


def test_users_leave_memory_and_come_back() -> None:
    """A user loaded from a checkpoint, whose items have other numbers, is as they were."""
    mirror = mirror_of(200)
    before = mirror.arrays.user_buffer("u3")
    assert before is not None
    numbers = {int(row): 100 + n for n, row in enumerate(before.items)}
    names = {number: mirror.item_ids[row] for row, number in numbers.items()}
    mirror.let_users_go(0)
    assert mirror.unknown_users(IdColumn.of(["u3", "u4", "u3"])) == ["u3", "u4"]
    stored = type(before)(
        **{name: getattr(before, name) for name in before.__slots__}
        | {"items": np.array([numbers[int(row)] for row in before.items])}
    )
    mirror.load_users({"u3": stored}, lambda indexes: IdColumn.of([names[int(i)] for i in indexes]))
    again = mirror.arrays.user_buffer("u3")
    assert again is not None
    assert again.items.tolist() == before.items.tolist()
    assert again.times.tolist() == before.times.tolist()
    assert mirror.unknown_users(IdColumn.of(["u3"])) == []


def test_the_watermark_never_falls() -> None:
    """Partitions may be behind each other."""
    mirror = Mirror(STATE, WEIGHTS)
    mirror.note_watermark(7.0)
    mirror.note_watermark(3.0)
    assert mirror.arrays.watermark == 7.0

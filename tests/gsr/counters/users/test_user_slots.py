"""Users in memory: they come, are copied, and leave in the order in which they were touched."""

from dataclasses import replace

import numpy as np

from gsr.counters.ids.id_column import IdColumn
from gsr.counters.users.user_slots import UserSlots, UserSource
from tests.gsr.counters.counted import (
    CLICK,
    counters_of,
    items_of,
    walk,
)
from tests.stream.state.click_stories import (
    START,
    Told,
    batch_of,
)


def test_users_come_and_go() -> None:
    """A user copied elsewhere is the same; only users without changes may be evicted."""
    counters = counters_of(walk(1, 2, 3) + walk(3, 2, user=1))
    assert counters.evict_users(1) == 0
    buffer = counters.user_buffer("user-0")
    assert buffer is not None
    counters.mark_clean()
    counters.apply(batch_of([Told(1, 3, START, CLICK, 77)], 10))
    assert counters.evict_users(1) == 1
    assert counters.user_buffer("user-0") is None
    counters.load_user("user-0", buffer)
    assert items_of(counters, 0) == [1, 2, 3]
    counters.forget("user-0")
    assert counters.user_buffer("user-0") is None


def slots_of(*user_ids: str, source: UserSource | None = None) -> UserSlots:
    """Return slots in which these users stand, touched one after another."""
    slots = UserSlots(4, 2)
    slots.source = source
    for user_id in user_ids:
        slots.slot(user_id)
    return slots


def test_who_is_not_there_comes_from_the_source_once() -> None:
    """Also where a batch names a user several times; those in memory are not asked for."""
    asked: list[str] = []
    slots = slots_of(source=lambda user_ids, _: asked.extend(user_ids))
    found = slots.slots(IdColumn.of(["a", "b", "a"]))
    assert found.tolist() == [0, 1, 0]
    assert slots.slots(IdColumn.of(["b", "c"])).tolist() == [1, 2]
    assert asked == ["a", "b", "c"]


def test_a_slot_is_used_again() -> None:
    """Whoever leaves makes room; the newcomer finds it empty."""
    slots = slots_of("a", "b")
    slots.drop(0)
    assert (len(slots), slots.find("a")) == (1, -1)
    assert slots.slot("c") == 0
    assert slots.taken() == [("c", 0), ("b", 1)]


def test_those_touched_longest_ago_leave_first() -> None:
    """Unless they hold changes that are not written yet."""
    slots = slots_of("a", "b", "c", "d")
    slots.slot("a")
    slots.columns.dirty[slots.find("b")] = 1
    assert slots.evict(2) == 2
    assert [user_id for user_id, _ in slots.taken()] == ["a", "b"]
    slots.mark_clean()
    assert slots.evict(2, keep_bytes=1) == 2, "bytes count as well"


def test_a_user_is_read_as_written() -> None:
    """Cut to the newest clicks and marks that fit; an item that has left reads as -1."""
    counters = counters_of(walk(1, 2, 3, 4, 5, 6, step=1.0))
    buffer = counters.user_buffer("user-0")
    assert buffer is not None
    marked = replace(buffer, seen=np.arange(1, 6, dtype=np.uint32))
    slots = slots_of("a")
    slots.write(0, marked, counters.items.columns, 3)
    counters.remove_items(counters.item_rows(["item-4"]))
    read = slots.read(0, counters.items.columns, START)
    assert read is not None
    assert read.items.tolist() == [2, -1, 4, 5]
    assert read.times.tolist() == buffer.times[2:].tolist()
    assert read.fingerprints.tolist() == buffer.fingerprints[2:].tolist()
    assert read.seen.tolist() == [3, 4, 5]
    assert slots.dirty().tolist() == [0]
    assert slots.read(-1, counters.items.columns, START) is None
    assert slots.read(0, counters.items.columns, START + 5.5) is None, "expired"

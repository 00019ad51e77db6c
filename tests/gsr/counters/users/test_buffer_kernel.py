"""The first pass over clicks: outcomes, expiry, and what it asks for before it goes on."""

import numpy as np

from gsr.counters.applied_clicks import ACCEPTED, DUPLICATE, FORGOTTEN, TOO_OLD
from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from gsr.counters.ids.fingerprint import fingerprint
from tests.gsr.counters.counted import (
    CLICK,
    HOUR,
    counters_of,
    edges_of,
    items_of,
    walk,
)
from tests.stream.state.click_stories import (
    START,
    WEIGHTS,
    Told,
    batch_of,
)


def test_outcomes() -> None:
    """Every row says what became of it."""
    counters = Counters(CounterConfig(buffer_length=2), np.array(WEIGHTS))
    applied = counters.apply(
        batch_of(
            [
                Told(0, 1, START, CLICK, 1),
                Told(0, 1, START, CLICK, 1),
                Told(0, 2, START + 1, CLICK, 2),
                Told(0, 3, START - 1, CLICK, 3),
                Told(0, 3, START, CLICK, 3),
                Told(0, 0, 0.0, forget=True),
                Told(9, 0, 0.0, forget=True),
            ]
        )
    )
    assert applied.outcomes.tolist() == [
        ACCEPTED,
        DUPLICATE,
        ACCEPTED,
        TOO_OLD,
        ACCEPTED,
        FORGOTTEN,
        FORGOTTEN,
    ]
    assert applied.count(ACCEPTED) == 3
    assert counters.user_buffer("user-0") is None
    assert counters.items.find("item-3") == 2


def test_what_changes_nothing_makes_no_item() -> None:
    """A click that is too old does not bring its item into being."""
    config = CounterConfig(buffer_length=1)
    counters = counters_of([Told(0, 1, START, CLICK, 1), Told(0, 2, START - 1, CLICK, 2)], config)
    assert counters.items.find("item-2") == -1


def test_users_expire_by_the_watermark() -> None:
    """As old as the lifetime is not yet expired; older is."""
    config = CounterConfig(user_ttl_seconds=100.0)
    story = [Told(0, 1, START, CLICK, 1), Told(1, 1, START + 100.0, CLICK, 2)]
    assert counters_of(story, config).user_buffer("user-0") is not None
    story.append(Told(1, 1, START + 100.5, CLICK, 3))
    counters = counters_of(story, config)
    assert counters.user_buffer("user-0") is None
    counters.apply(batch_of([Told(0, 2, START + 101.0, CLICK, 4)]))
    assert items_of(counters, 0) == [2]


def test_items_expire_at_steps_of_the_watermark() -> None:
    """An item as old as its lifetime stays; the next step of the watermark takes it."""
    config = CounterConfig(half_lives=(HOUR,), item_ttl_seconds=16.0)
    start = START // 16 * 16
    story = [Told(0, 1, start, CLICK, 1), Told(0, 2, start + 16.0, CLICK, 2)]
    assert counters_of(story, config).items.find("item-1") == 0
    counters = counters_of([*story, Told(0, 2, start + 17.0, CLICK, 3)], config)
    assert counters.items.find("item-1") == -1
    assert edges_of(counters) == {}
    assert counters.items_removed == 1


def test_too_many_items() -> None:
    """The item clicked longest ago makes room; coming back, it is a new one."""
    config = CounterConfig(half_lives=(HOUR,), max_items=2)
    counters = counters_of(walk(1, 2, 3, 1, step=1.0), config)
    assert [counters.items.find(f"item-{item}") >= 0 for item in (1, 2, 3)] == [True, False, True]
    assert counters.items.next_index == 4
    buffer = counters.user_buffer("user-0")
    assert buffer is not None
    assert (buffer.items >= 0).tolist() == [False, False, True, True]
    assert buffer.fingerprints[0] == fingerprint("item-1")


def test_the_pass_stops_before_items_must_leave() -> None:
    """Edges of the clicks before come first; then it goes on at the same click."""
    config = CounterConfig(half_lives=(HOUR,), max_items=2)
    batch = batch_of(walk(1, 2, 3, step=1.0))
    counters = Counters(config, np.array(WEIGHTS))
    applied = counters.apply_buffers(batch)
    assert (applied.start, applied.stop) == (0, 2)
    counters.apply_edges(applied, 0, 2)
    applied = counters.apply_buffers(batch, 2)
    assert (applied.start, applied.stop) == (2, 3)
    assert counters.items.find("item-1") == -1


def test_only_what_changes_a_user_must_be_written() -> None:
    """A duplicate leaves its user clean; forgetting a stranger is a change all the same."""
    counters = counters_of(walk(1, 2))
    counters.mark_clean()
    counters.apply(batch_of(walk(1, 2), 2))
    assert counters.users.dirty().tolist() == []
    counters.apply(batch_of([Told(5, 0, 0.0, forget=True)], 4))
    assert counters.users.dirty().tolist() == [counters.users.find("user-5")]


def test_the_watermark_is_the_newest_time_of_any_click() -> None:
    """Late clicks, duplicates and forget rows leave it where it is."""
    counters = counters_of([])
    assert counters.watermark == -np.inf
    story = [*walk(1, 2, step=10.0), Told(1, 1, START, CLICK, 7), Told(0, 0, 0.0, forget=True)]
    counters.apply(batch_of(story))
    assert counters.watermark == START + 10.0

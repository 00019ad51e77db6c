"""The seen filter: items that left the buffer, newest last."""

from gsr.counters.config import CounterConfig
from gsr.counters.ids.fingerprint import fingerprint
from tests.gsr.counters.counted import (
    CLICK,
    counters_of,
    walk,
)
from tests.stream.state.click_stories import START, Told


def test_the_seen_filter_ages_exactly() -> None:
    """Items that leave the buffer are remembered, newest last, each once, up to the cap."""
    config = CounterConfig(buffer_length=1, seen_items=3)
    buffer = counters_of(walk(1, 2, 3, 1, 4, 5, 6), config).user_buffer("user-0")
    assert buffer is not None
    assert buffer.seen.tolist() == [fingerprint(f"item-{item}") for item in (1, 4, 5)]


def test_a_filter_of_no_items_remembers_nothing() -> None:
    """It may be switched off."""
    config = CounterConfig(buffer_length=1, seen_items=0)
    buffer = counters_of(walk(1, 2, 3), config).user_buffer("user-0")
    assert buffer is not None
    assert buffer.seen.tolist() == []


def test_filters_of_users_do_not_mix() -> None:
    """Each has a block of its own, also after it has moved to a larger one."""
    config = CounterConfig(buffer_length=1, seen_items=20)
    story = [
        Told(user, 100 * user + step, START + step, CLICK, step)
        for step in range(15)
        for user in range(3)
    ]
    counters = counters_of(story, config)
    for user in range(3):
        buffer = counters.user_buffer(f"user-{user}")
        assert buffer is not None
        assert buffer.seen.tolist() == [fingerprint(f"item-{100 * user + n}") for n in range(14)]

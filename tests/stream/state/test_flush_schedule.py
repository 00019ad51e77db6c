"""When a flush is due."""

import pytest

from gsr.counters.users.user_slots import UserSlots
from stream.clock import ManualClock
from stream.state.flush_schedule import FlushSchedule
from stream.state.store_options import StoreOptions

OPTIONS = StoreOptions(flush_bytes=100, flush_seconds=2.0, cached_users=4)


def users(count: int) -> UserSlots:
    """Return slots with so many users."""
    slots = UserSlots(4, 4)
    for number in range(count):
        slots.slot(f"user-{number}")
    return slots


def test_age_counts_from_the_first_change() -> None:
    """Later changes do not put a flush off, and after it the clock starts anew."""
    clock = ManualClock()
    schedule = FlushSchedule(OPTIONS, clock)
    clock.sleep(10.0)
    assert not schedule.due(0, users(0)), "nothing has changed"
    schedule.note_change()
    clock.sleep(1.5)
    schedule.note_change()
    assert not schedule.due(99, users(0))
    clock.sleep(0.5)
    assert schedule.due(99, users(0))
    schedule.note_flush(0.001)
    assert not schedule.pending
    schedule.note_change()
    assert not schedule.due(99, users(0))


@pytest.mark.parametrize(("took", "patience"), [(0.01, 2.0), (0.25, 8.0), (60.0, 30.0)])
def test_the_longer_flushes_take_the_rarer_they_are(took: float, patience: float) -> None:
    """Changes wait 32 times as long as the last flush took, half a minute at most."""
    clock = ManualClock()
    schedule = FlushSchedule(OPTIONS, clock)
    schedule.note_change()
    schedule.note_flush(took)
    schedule.note_change()
    clock.sleep(patience - 0.01)
    assert not schedule.due(99, users(0))
    assert schedule.due(100, users(0)), "much is due at once, however long it takes"
    clock.sleep(0.01)
    assert schedule.due(99, users(0))


@pytest.mark.parametrize(
    ("dirty_bytes", "count", "due", "overfull"),
    [
        (99, 5, False, False),
        (100, 5, True, False),
        (200, 5, True, True),
        (0, 6, True, True),
    ],
)
def test_much_is_due_and_too_much_is_overfull(
    dirty_bytes: int, count: int, *, due: bool, overfull: bool
) -> None:
    """Changed bytes make a flush due, and past twice of them nothing more may come first."""
    schedule = FlushSchedule(OPTIONS, ManualClock())
    schedule.note_change()
    assert schedule.due(dirty_bytes, users(count)) is due
    assert schedule.overfull(dirty_bytes, users(count)) is overfull

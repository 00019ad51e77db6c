"""The clocks, and what is done at intervals."""

import time

import pytest

from stream.clock import ManualClock, Periodic, SystemClock


def test_a_manual_clock_moves_only_by_sleeping() -> None:
    """Both its times stand still until it sleeps."""
    clock = ManualClock(start=10.0)
    assert (clock.time(), clock.monotonic()) == (10.0, 10.0)
    clock.sleep(1.5)
    assert (clock.time(), clock.monotonic()) == (11.5, 11.5)


def test_the_system_clock_is_the_machine_clock() -> None:
    """Its time is the epoch's, its monotonic time never decreases, and sleeping takes time."""
    clock = SystemClock()
    assert clock.time() == pytest.approx(time.time(), abs=5.0)
    before = clock.monotonic()
    clock.sleep(0.001)
    assert clock.monotonic() - before >= 0.001


def test_it_is_due_at_once_and_then_once_per_interval() -> None:
    """Who comes late gets one turn, not several, and the interval begins at that turn."""
    clock = ManualClock()
    periodic = Periodic(clock, 2.0)
    assert (periodic.due(), periodic.due()) == (True, False)
    clock.sleep(1.9)
    assert not periodic.due()
    clock.sleep(5.0)
    assert (periodic.due(), periodic.due(), periodic.seconds_left()) == (True, False, 2.0)


def test_the_first_time_may_come_later() -> None:
    """Until then it is not due, however long the interval is."""
    clock = ManualClock()
    periodic = Periodic(clock, 60.0, first=1.0)
    assert not periodic.due()
    clock.sleep(1.0)
    assert periodic.due()


def test_looking_begins_no_interval() -> None:
    """How long it is, or how late it is, may be asked at any time."""
    clock = ManualClock()
    periodic = Periodic(clock, 3.0)
    clock.sleep(1.0)
    assert (periodic.seconds_left(), periodic.seconds_left()) == (-1.0, -1.0)
    assert periodic.due()


def test_a_restart_waits_for_the_interval_or_for_what_it_is_told() -> None:
    """What is told counts once."""
    clock = ManualClock()
    periodic = Periodic(clock, 3.0)
    periodic.restart()
    assert periodic.seconds_left() == 3.0
    periodic.restart(0.5)
    clock.sleep(0.5)
    assert (periodic.due(), periodic.seconds_left()) == (True, 3.0)

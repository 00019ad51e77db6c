"""The clocks."""

import time

import pytest

from stream.clock import ManualClock, SystemClock


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

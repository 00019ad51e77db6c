"""Events per second over the last few seconds."""

from consumers.runtime.rate import SPAN_SECONDS, Rate
from stream.clock import ManualClock


def test_nothing_can_be_told_before_time_goes_by() -> None:
    """However many events there were."""
    assert Rate(ManualClock()).update(100) == 0.0


def test_it_is_counted_from_the_beginning_at_first() -> None:
    clock = ManualClock()
    rate = Rate(clock)
    clock.sleep(1.0)
    assert rate.update(10) == 10.0
    clock.sleep(1.0)
    assert rate.update(40) == 20.0


def test_only_the_last_seconds_count() -> None:
    """A slow beginning is forgotten, and so is a fast one."""
    clock = ManualClock()
    rate = Rate(clock)
    count = 0
    for per_second in (1, 5):
        for _ in range(int(SPAN_SECONDS) + 1):
            clock.sleep(1.0)
            count += per_second
            growth = rate.update(count)
        assert growth == per_second


def test_a_long_pause_counts() -> None:
    """What came before it is the only point to count from."""
    clock = ManualClock()
    rate = Rate(clock)
    clock.sleep(1.0)
    rate.update(100)
    clock.sleep(99.0)
    assert rate.update(199) == 1.0

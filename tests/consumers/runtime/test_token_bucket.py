"""A bound on a rate."""

from consumers.runtime.token_bucket import TokenBucket
from stream.clock import ManualClock


def test_it_begins_full_and_fills_no_further_than_a_second() -> None:
    """A pause saves nothing up beyond the capacity, which is a second's worth."""
    clock = ManualClock()
    bucket = TokenBucket(10.0, clock)
    assert bucket.left() == 10.0
    clock.sleep(100.0)
    assert bucket.left() == 10.0


def test_what_is_spent_comes_back_with_time() -> None:
    """At the rate, neither sooner nor later."""
    clock = ManualClock()
    bucket = TokenBucket(10.0, clock)
    bucket.spend(10)
    assert bucket.left() == 0.0
    clock.sleep(0.5)
    assert bucket.left() == 5.0


def test_an_overdraft_is_paid_off_first() -> None:
    """One spending may be larger than the allowance; the next one waits for that."""
    clock = ManualClock()
    bucket = TokenBucket(10.0, clock)
    bucket.spend(30)
    clock.sleep(1.5)
    assert bucket.left() == -5.0
    clock.sleep(1.0)
    assert bucket.left() == 5.0


def test_capacity_and_beginning_may_be_chosen() -> None:
    """A slow rate may save up for a large step, and may begin with nothing."""
    clock = ManualClock()
    bucket = TokenBucket(2.0, clock, capacity=32.0, left=0.0)
    assert bucket.left() == 0.0
    clock.sleep(10.0)
    assert bucket.left() == 20.0
    clock.sleep(10.0)
    assert bucket.left() == 32.0

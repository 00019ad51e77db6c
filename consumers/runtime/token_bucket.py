"""A bound on a rate, as an allowance that fills with time."""

from stream.clock import Clock


class TokenBucket:
    """Allows so much per second, and at most `capacity` at once.

    One large spending may overdraw; the allowance is then negative until time has paid for it.

    Parameters
    ----------
    per_second
        The rate, in whatever is counted: bytes, users.
    clock
        Of which only differences are used.
    capacity
        The most that is allowed at once; what a second allows where nothing is said.
    left
        The allowance to begin with; all of `capacity` where nothing is said.

    Examples
    --------
    >>> from stream.clock import ManualClock
    >>> clock = ManualClock()
    >>> bucket = TokenBucket(100.0, clock)
    >>> bucket.spend(150)
    >>> bucket.left() > 0
    False
    >>> clock.sleep(0.6)
    >>> bucket.left()
    10.0
    """

    def __init__(
        self,
        per_second: float,
        clock: Clock,
        *,
        capacity: float | None = None,
        left: float | None = None,
    ) -> None:
        self._rate = per_second
        self._clock = clock
        self._capacity = per_second if capacity is None else capacity
        self._left = self._capacity if left is None else left
        self._counted_at = clock.monotonic()

    def left(self) -> float:
        """Return how much may be spent now; not positive: nothing."""
        now = self._clock.monotonic()
        self._left = min(self._capacity, self._left + (now - self._counted_at) * self._rate)
        self._counted_at = now
        return self._left

    def spend(self, count: int) -> None:
        """Take `count` off the allowance."""
        self._left = self.left() - count

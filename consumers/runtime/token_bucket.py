"""A rate in bytes per second, as an allowance that fills with time."""

from stream.clock import Clock


class ByteBudget:
    """Allows a number of bytes per second, and at most one second's worth at once.

    One large spending may overdraw; the allowance is then negative until time has paid for it.

    Parameters
    ----------
    bytes_per_second
        The rate.
    clock
        Of which only differences are used.

    Examples
    --------
    >>> from stream.clock import ManualClock
    >>> clock = ManualClock()
    >>> budget = ByteBudget(100.0, clock)
    >>> budget.spend(150)
    >>> budget.left() > 0
    False
    >>> clock.sleep(0.6)
    >>> budget.left()
    10.0
    """

    def __init__(self, bytes_per_second: float, clock: Clock) -> None:
        self._rate = bytes_per_second
        self._clock = clock
        self._left = bytes_per_second
        self._counted_at = clock.monotonic()

    def left(self) -> float:
        """Return how many bytes may be spent now; not positive: none."""
        now = self._clock.monotonic()
        self._left = min(self._rate, self._left + (now - self._counted_at) * self._rate)
        self._counted_at = now
        return self._left

    def spend(self, count: int) -> None:
        """Take `count` bytes off the allowance."""
        self._left = self.left() - count

"""Events per second over the last few seconds."""

from collections import deque
from typing import Final

from stream.clock import Clock

SPAN_SECONDS: Final = 10.0


class Rate:
    """How fast a count grows.

    Parameters
    ----------
    clock
        Measures time.

    Examples
    --------
    >>> from stream.clock import ManualClock
    >>> clock = ManualClock()
    >>> rate = Rate(clock)
    >>> clock.sleep(2.0)
    >>> rate.update(100)
    50.0
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._points: deque[tuple[float, int]] = deque([(clock.monotonic(), 0)])

    def update(self, count: int) -> float:
        """Note the count reached and return its growth per second; 0 where it cannot be told."""
        now = self._clock.monotonic()
        self._points.append((now, count))
        while len(self._points) > 2 and self._points[1][0] <= now - SPAN_SECONDS:  # noqa: PLR2004 - both ends
            self._points.popleft()
        since, before = self._points[0]
        return (count - before) / (now - since) if now > since else 0.0

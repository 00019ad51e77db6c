"""The one door through which time enters."""

import time
from typing import Protocol


class Clock(Protocol):
    """Wall-clock and monotonic time, in seconds, and sleep."""

    def time(self) -> float:
        """Return seconds since the Unix epoch."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go backwards; only differences mean anything."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        ...


class SystemClock:
    """The machine's clock."""

    def time(self) -> float:
        """Return seconds since the Unix epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for `seconds`."""
        time.sleep(seconds)


class ManualClock:
    """A clock that moves only when told to; sleeping moves it at once.

    Parameters
    ----------
    start
        The first value of `time`, in seconds since the epoch.

    Examples
    --------
    >>> clock = ManualClock(start=100.0)
    >>> clock.sleep(2.5)
    >>> clock.time()
    102.5
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def time(self) -> float:
        """Return the manually kept time."""
        return self._now

    def monotonic(self) -> float:
        """Return the manually kept time."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move the clock forward by `seconds`."""
        self._now += seconds

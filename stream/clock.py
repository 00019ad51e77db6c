"""Time: the clock through which all of it enters, and what is done at intervals."""

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


class Periodic:
    """Something that is done again whenever an interval has passed.

    Parameters
    ----------
    clock
        Of which only differences are used.
    seconds
        The interval.
    first
        Seconds until the first time; at once where nothing is said.

    Examples
    --------
    >>> clock = ManualClock()
    >>> measuring = Periodic(clock, seconds=5.0)
    >>> measuring.due(), measuring.due()
    (True, False)
    >>> clock.sleep(6.0)
    >>> measuring.due(), measuring.seconds_left()
    (True, 5.0)
    """

    def __init__(self, clock: Clock, seconds: float, *, first: float = 0.0) -> None:
        self._clock = clock
        self._seconds = seconds
        self._due_at = clock.monotonic() + first

    def due(self) -> bool:
        """Return whether it is time; if so, the next interval begins."""
        if self.seconds_left() > 0:
            return False
        self.restart()
        return True

    def seconds_left(self) -> float:
        """Return how long it is until the next time; how late it is, below 0."""
        return self._due_at - self._clock.monotonic()

    def restart(self, seconds: float | None = None) -> None:
        """Begin the interval anew, or wait for `seconds` this once."""
        wait = self._seconds if seconds is None else seconds
        self._due_at = self._clock.monotonic() + wait

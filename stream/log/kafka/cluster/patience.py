"""Retries of a question to the cluster: for how long, and with which pauses."""

import logging
from typing import Final

from stream.clock import Clock
from stream.log.kafka.cluster.failures import log_error
from stream.log.kafka.cluster.reachability import Reachability

_LOGGER = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 1.0
_FIRST_CONTACT_SECONDS: Final = 1.5
"""How long to try before saying that no broker can be reached."""


class Patience:
    """Decides after each failure whether to try again.

    A cluster that has never answered is not waited for as long as one that is away for a moment:
    most often its address is wrong. Where its brokers refuse, the question fails soon; where they
    are silent, a warning says so, and the question goes on.

    Parameters
    ----------
    clock
        Times the tries and the pauses.
    budget_seconds
        The longest time for the question.
    first
        Whether the cluster has never answered.
    brokers
        Which of them cannot be reached.
    """

    def __init__(
        self, clock: Clock, budget_seconds: float, *, first: bool, brokers: Reachability
    ) -> None:
        self._clock = clock
        self._brokers = brokers
        self._began = clock.monotonic()
        self._deadline = self._began + budget_seconds
        self._pause = _FIRST_PAUSE_SECONDS
        self._first = first
        self.until = self._deadline
        """When the next try should have ended, on the clock that does not jump."""
        if first:
            self.until = min(self._deadline, self._began + _FIRST_CONTACT_SECONDS)

    def lasts(self, error: Exception, doing: str) -> bool:
        """Return whether to try `doing` again after a passing `error`."""
        now = self._clock.monotonic()
        if now + self._pause >= self._deadline:
            return False
        if self._first and now >= self.until:
            if self._brokers.nowhere():
                return False
            self._first, self.until = False, self._deadline
            told = log_error(error, doing, self._brokers)
            _LOGGER.warning("%s; trying for %.0f s", told, self.until - now)
        return True

    def shorten(self, seconds: float) -> None:
        """Try for at most so long, counted from the beginning."""
        self._deadline = min(self._deadline, self._began + seconds)

    def pause(self) -> None:
        """Wait before the next try, longer each time."""
        self._clock.sleep(self._pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)

"""Seconds that each stage of a replay takes."""

from collections.abc import Callable, Sequence
from typing import TypeVar

Result = TypeVar("Result")


class StageTimes:
    """Adds up the seconds of named stages.

    Parameters
    ----------
    stages
        Their names.
    monotonic
        A clock, in seconds.

    Attributes
    ----------
    seconds
        Stage to seconds.

    Examples
    --------
    >>> ticks = iter((1.0, 3.5))
    >>> times = StageTimes(("reading",), lambda: next(ticks))
    >>> times.timed("reading", lambda: "a line"), times.seconds
    ('a line', {'reading': 2.5})
    """

    def __init__(self, stages: Sequence[str], monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.seconds = dict.fromkeys(stages, 0.0)

    def timed(self, stage: str, work: Callable[[], Result]) -> Result:
        """Do `work` as a part of `stage`, and return its result."""
        began = self._monotonic()
        try:
            return work()
        finally:
            self.seconds[stage] += self._monotonic() - began

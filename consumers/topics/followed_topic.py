"""Lag and progress of a reader that follows a topic."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from stream.clock import Clock
from stream.log.interface import Log
from stream.log.lag import Lag, lag

RECENT_SECONDS: Final = 15.0
"""A measurement that is older says nothing: the log is away, or the loop does not come round."""


@dataclass(slots=True)
class _Progress:
    position: int
    advanced_at: float
    caught_up_at: float | None = None


class FollowedTopic:
    """Measures how far the partitions of a topic have been read, and since when they stand still.

    A partition stands still while its position stays and records exist behind it, readable ones or
    such as an open transaction withholds. What was known of a partition is kept while it is away,
    so that one that comes and goes without getting on is found out.

    Parameters
    ----------
    log, topic
        What is followed.
    clock
        Times it.
    """

    def __init__(self, log: Log, topic: str, clock: Clock) -> None:
        self._log = log
        self._topic = topic
        self._clock = clock
        self._measured_at = clock.monotonic()
        self._measured = False
        self._known: dict[int, _Progress] = {}
        self.lags: Mapping[int, Lag] = {}
        """By partition, as of the last measurement."""

    @property
    def age_seconds(self) -> float:
        """How old the last measurement is; without one, how long there has been none."""
        return self._clock.monotonic() - self._measured_at

    def is_recent(self) -> bool:
        """Return whether there is a measurement that is not too old to tell anything."""
        return self._measured and self.age_seconds <= RECENT_SECONDS

    def measure(self, positions: Mapping[int, int]) -> None:
        """Ask the log for its ends, and compare them with the offsets that are read next.

        Raises
        ------
        LogUnavailableError
            The log cannot be asked; the last measurement grows old.
        """
        self.lags = lag(self._log, self._topic, positions)
        self._measured, self._measured_at = True, self._clock.monotonic()
        for partition, position in positions.items():
            self._note(partition, position, self.lags[partition])

    def stalled(self, seconds: float) -> list[int]:
        """Return the partitions that have stood still for longer than `seconds`."""
        now = self._clock.monotonic()
        return [p for p in self.lags if now - self._known[p].advanced_at > seconds]

    def progressed_at(self, partition: int) -> float:
        """Return when a partition last advanced or had nothing to read, in Unix seconds."""
        standing = self._clock.monotonic() - self._known[partition].advanced_at
        return self._clock.time() - standing

    def waited_seconds(self, append_times: Iterable[tuple[int, float | None]]) -> float:
        """Return how long the oldest readable record has waited at most; 0.0 where none waits.

        Parameters
        ----------
        append_times
            Partition and when the log took the newest record that was read of it, in Unix
            seconds; None where that is not known.
        """
        now, newest = self._clock.time(), dict(append_times)
        waits = [self._waited(p, newest.get(p), now) for p, at in self.lags.items() if at.readable]
        return max(waits, default=0.0)

    def _waited(self, partition: int, append_time: float | None, now: float) -> float:
        """Whatever waits came after the newest that was read, and after all had been read."""
        known, elapsed = self._known[partition], self._clock.monotonic()
        most = [] if append_time is None else [now - append_time]
        if known.caught_up_at is not None:
            most.append(elapsed - known.caught_up_at)
        return max(0.0, min(most, default=elapsed - known.advanced_at))

    def _note(self, partition: int, position: int, behind: Lag) -> None:
        now = self._measured_at
        known = self._known.setdefault(partition, _Progress(position, now))
        if known.position != position or not (behind.readable or behind.withheld):
            known.position, known.advanced_at = position, now
        if not behind.readable:
            known.caught_up_at = now

"""Progress reports of a long run, for the command line."""

from collections.abc import Callable
from dataclasses import dataclass

from consumers.runtime.rate import Rate
from stream.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One report of a long run.

    Parameters
    ----------
    stage
        What is being done, in plain words, such as "reading" or "learning".
    done, total
        Events so far and in all; `total` is 0 while it is not known.
    events_per_second
        Over the last few seconds.
    seconds_left
        None while it cannot be told.
    note
        Short extra words, such as the quality so far; may be empty.
    """

    stage: str
    done: int
    total: int
    events_per_second: float = 0.0
    seconds_left: float | None = None
    note: str = ""


ProgressCallback = Callable[[Progress], None]


def quiet(_progress: Progress) -> None:
    """Show nothing."""


class TimedProgress:
    """Reports progress with its speed and the time that is left.

    Parameters
    ----------
    progress
        Is told.
    clock
        Of the speed.
    total
        Events in all.
    """

    def __init__(self, progress: ProgressCallback, clock: Clock, total: int) -> None:
        self._progress = progress
        self._rate = Rate(clock)
        self._total = total

    def tell(self, stage: str, done: int, note: str = "") -> None:
        """Report that `done` events are behind."""
        rate = self._rate.update(done)
        self._progress(
            Progress(
                stage=stage,
                done=done,
                total=self._total,
                events_per_second=rate,
                seconds_left=(self._total - done) / rate if rate > 0.0 else None,
                note=note,
            )
        )

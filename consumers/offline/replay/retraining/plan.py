"""When the model is learned anew: moments of event time, found before the replay begins."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from consumers.errors import ConfigError

HOUR: Final = 3600.0

MOST_MOMENTS: Final = 200
"""Each means hours of processor time on a long log: more are hardly ever meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainingOptions:
    """How often the model is learned anew, and how long.

    Parameters
    ----------
    hours
        Of event time between one time and the next.
    passes
        Passes over the clicks at most, where validation does not end learning before; None: see
        `consumers.offline.replay.retraining.training.learning_rules`.
    shape
        Settings of the model that differ from those that the clicks suggest, by name
        (`gsr.config.ModelConfig`).
    """

    hours: float = 24.0
    passes: int | None = None
    shape: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises
        ------
        ConfigError
            Says what.
        """
        if not 0.0 < self.hours < float("inf"):
            raise ConfigError(f"retrain_hours is {self.hours}: give a number above 0")
        if self.passes is not None and self.passes < 1:
            raise ConfigError(f"retrain_passes is {self.passes}: give 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time at which a model takes over.

    Parameters
    ----------
    number
        From 0.
    clicks
        How many clicks of the stream came before it: these it learns, the next it ranks.
    time
        Seconds since the epoch.
    """

    number: int
    clicks: int
    time: float


def moments_of(
    times: Iterable[npt.NDArray[np.float64]], warmed: int, hours: float
) -> Iterator[Moment]:
    """Yield the moments of a stream: the end of the warm-up, then every so many hours after it.

    A moment is left out where no click came since the one before it; one at which nothing was
    clicked yet is left out too.

    Parameters
    ----------
    times
        float64 [n] each, never falling: of all clicks.
    warmed
        Clicks of the warm-up.
    hours
        Between two moments.

    Examples
    --------
    >>> day = np.array([0.0, 3.0, 25.0, 26.0, 80.0, 99.0]) * 3600.0
    >>> [(one.clicks, one.time / 3600.0) for one in moments_of([day], 1, 24.0)]
    [(1, 3.0), (4, 75.0), (5, 99.0)]
    """
    first = before = float("nan")
    seen = number = 0
    for part in times:
        began = max(warmed - seen, 0)
        if began < len(part):
            if np.isnan(first):
                first = float(part[began])
                before = -1.0 if warmed else 0.0
            periods = np.floor((part[began:] - first) / (hours * HOUR))
            for row in np.flatnonzero(np.diff(periods, prepend=before) > 0.0):
                time = first + float(periods[row]) * hours * HOUR
                yield Moment(number=number, clicks=seen + began + int(row), time=time)
                number += 1
            before = float(periods[-1])
        seen += len(part)


def check_count(count: int, hours: float, seconds: float) -> None:
    """Refuse more moments than anybody wants to wait for.

    Parameters
    ----------
    count
        Moments so far.
    hours
        Between two of them.
    seconds
        From the first click to the last.

    Raises
    ------
    ConfigError
        There are more than `MOST_MOMENTS`; says what to give instead.
    """
    if count > MOST_MOMENTS:
        enough = np.ceil(seconds / HOUR / (MOST_MOMENTS - 1))
        raise ConfigError(
            f"retrain_hours is {hours:g}: the model would be learned anew more than "
            f"{MOST_MOMENTS} times on this log; with {enough:.0f} hours it is not"
        )

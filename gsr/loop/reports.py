"""Reports of the loop: tested clicks, totals, one cycle's outcome, drift alarms."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsr.ranker.judge import Verdict
from gsr.ranker.learner import LearnReport


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedClicks:
    """Clicks that were just ranked by all models; s of them.

    Parameters
    ----------
    offsets, times
        int64 [s] and float64 [s], as in their batch.
    ranks
        int32 [s, M], from 1; columns as in `LearningLoop.names`.
    user_clicks
        int64 [s], clicks in the user's buffer before; 0 only with
        `LoopOptions.test_first_clicks`.
    item_clicks
        int64 [s], clicks on the item before, of anybody.
    version
        How many cycles were promoted before: the version of the model.
    """

    offsets: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    ranks: npt.NDArray[np.int32]
    user_clicks: npt.NDArray[np.int64]
    item_clicks: npt.NDArray[np.int64]
    version: int

    def __len__(self) -> int:
        return len(self.offsets)

    def rows(self, index: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "TestedClicks":
        """Return some of them."""
        return TestedClicks(
            offsets=self.offsets[index],
            times=self.times[index],
            ranks=self.ranks[index],
            user_clicks=self.user_clicks[index],
            item_clicks=self.item_clicks[index],
            version=self.version,
        )


@dataclass(slots=True)
class LoopTotals:
    """Counts since the loop began.

    Parameters
    ----------
    clicks
        Accepted clicks taken in.
    forgotten
        Forget rows taken in.
    tested
        Clicks ranked by the model.
    fresh, replayed
        Samples learned.
    shed_fresh, shed_replay
        Samples that were not, for lack of time or room; fresh ones often were never made.
    cycles, promoted, dropped
        Cycles, and those whose weights the judge kept or rejected.
    steps, touched_rows
        Of the optimiser.
    """

    clicks: int = 0
    forgotten: int = 0
    tested: int = 0
    fresh: int = 0
    replayed: int = 0
    shed_fresh: int = 0
    shed_replay: int = 0
    cycles: int = 0
    promoted: int = 0
    dropped: int = 0
    steps: int = 0
    touched_rows: int = 0

    def add_cycle(self, learned: LearnReport, verdict: Verdict) -> None:
        """Count a cycle that was learned and judged."""
        self.fresh += learned.fresh
        self.replayed += learned.replayed
        self.shed_replay += learned.shed
        self.steps += learned.steps
        self.touched_rows += learned.touched_rows
        self.cycles += 1
        self.promoted += verdict.promoted
        self.dropped += not verdict.promoted


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleReport:
    """Outcome of one cycle.

    Parameters
    ----------
    learned
        See `LearnReport`.
    verdict
        See `Verdict`.
    """

    learned: LearnReport
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class TimedAlarm:
    """A drift alarm, at the time of the click that raised it (see `gsr.quality.drift.Alarm`)."""

    time: float
    detector: str
    before: float
    after: float

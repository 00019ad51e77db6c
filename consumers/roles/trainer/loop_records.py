"""What goes into the learning loop, waits in it, and comes out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsr.config import LearnerConfig, ModelConfig
from gsr.counters.config import StateConfig
from gsr.counters.histories import Histories
from gsr.learning.learner import LearnReport, Verdict
from gsr.learning.samples import Samples
from gsr.votes.baselines import HALF_LIVES
from gsr.votes.recording import Notes
from stream.events.clicks.click import EventRules


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopOptions:
    """What the loop needs to know.

    Parameters
    ----------
    state
        Shape of each partition's counters.
    rules
        What clicks are worth.
    model, learner
        Of the joint model.
    mask_seen
        Clicks on items in the user's buffer are not tested nor learned, and these items are left
        out of every ranking.
    half_lives
        Of the baselines, in seconds.
    window_seconds, windows_kept
        Of quality over time.
    recent_clicks
        Scored clicks over which recent quality is averaged.
    alarm_effort, alarm_cycles
        Replay is multiplied by this for so many cycles after a drift alarm.
    most_samples
        Samples that may wait to be learned; the oldest are shed past it.
    """

    state: StateConfig
    rules: EventRules
    model: ModelConfig
    learner: LearnerConfig
    mask_seen: bool = True
    half_lives: tuple[float, ...] = HALF_LIVES
    window_seconds: float = 3600.0
    windows_kept: int | None = None
    recent_clicks: int = 5000
    alarm_effort: float = 2.0
    alarm_cycles: int = 5
    most_samples: int = 100_000


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
        Clicks ranked by the joint model.
    fresh, replayed
        Samples learned.
    shed_fresh, shed_replay
        Samples that were not, for lack of time or room; fresh ones often were never made.
    cycles, promoted, dropped
        Cycles, and what the judge said.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleReport:
    """What one cycle did.

    Parameters
    ----------
    learned
        See `LearnReport`.
    verdict
        See `Verdict`.
    effort
        Multiple of the normal replay.
    """

    learned: LearnReport
    verdict: Verdict
    effort: float


class SpanCounts:
    """Clicks by item row, and on items unknown before, since the last `take`."""

    def __init__(self) -> None:
        self.by_item: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.clicks = 0
        self.fresh = 0

    def add(
        self, targets: npt.NDArray[np.int64], clicks_before: npt.NDArray[np.int64], items: int
    ) -> None:
        """Count clicks on `targets`, which had `clicks_before`, among `items` rows."""
        if items > len(self.by_item):
            self.by_item = np.pad(self.by_item, (0, 2 * items - len(self.by_item)))
        self.by_item += np.bincount(targets, minlength=len(self.by_item))
        self.clicks += len(targets)
        self.fresh += int((clicks_before == 0).sum())

    def take(self) -> tuple[npt.NDArray[np.float64], float]:
        """Return clicks by row and the share of clicks on unknown items; begin a new span."""
        counts, share = self.by_item.astype(np.float64), self.fresh / max(self.clicks, 1)
        self.by_item = np.zeros_like(self.by_item)
        self.clicks = self.fresh = 0
        return counts, share


@dataclass(frozen=True, slots=True)
class TimedAlarm:
    """A drift alarm, at the time of the click that raised it (see `gsr.quality.drift.Alarm`)."""

    time: float
    detector: str
    before: float
    after: float


@dataclass(slots=True)
class Segment:
    """Clicks that were taken in but not tested; r recorded ones, and a of all kinds accepted.

    Parameters
    ----------
    notes, samples
        Of the recorded clicks.
    masked
        int64 [r, L], rows left out of each ranking.
    scored
        bool [r], which recorded clicks are tested.
    times, baseline_ranks, new_users, new_items
        float64 [s], int32 [s, 3 H], bool [s], bool [s]: of the tested ones.
    """

    notes: Notes
    samples: Samples
    masked: npt.NDArray[np.int64]
    scored: npt.NDArray[np.bool_]
    times: npt.NDArray[np.float64]
    baseline_ranks: npt.NDArray[np.int32]
    new_users: npt.NDArray[np.bool_]
    new_items: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The accepted clicks of a segment with what was known before them; a of them."""

    rows: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    histories: Histories

    @property
    def repeats(self) -> npt.NDArray[np.bool_]:
        """Whether each click's item is in its user's buffer already."""
        repeats: npt.NDArray[np.bool_] = (self.histories.items == self.targets[:, None]).any(axis=1)
        return repeats

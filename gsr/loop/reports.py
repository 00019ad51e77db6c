"""Reports of the loop: totals, one cycle's outcome, drift alarms."""

from dataclasses import dataclass

from gsr.learning.learner import LearnReport, Verdict


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
    effort
        Multiple of the normal replay.
    """

    learned: LearnReport
    verdict: Verdict
    effort: float


@dataclass(frozen=True, slots=True)
class TimedAlarm:
    """A drift alarm, at the time of the click that raised it (see `gsr.quality.drift.Alarm`)."""

    time: float
    detector: str
    before: float
    after: float

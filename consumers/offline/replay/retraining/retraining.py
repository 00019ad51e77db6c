"""Models that are learned anew while a replay goes on: when, whether they are there, their cost."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from consumers.config.settings import GsrConfig
from consumers.offline.click_history import ClickHistory
from consumers.offline.replay.retraining.click_copy import copy_clicks
from consumers.offline.replay.retraining.model_files import Learned, ModelFiles
from consumers.offline.replay.retraining.plan import (
    Moment,
    RetrainingOptions,
    check_count,
    moments_of,
)
from consumers.offline.replay.retraining.processes import TrainingProcesses
from consumers.offline.replay.retraining.training import TrainingOrder
from consumers.offline.replay.stage_times import StageTimes
from consumers.runtime.interruption import Interruption
from consumers.runtime.progress import Progress, ProgressCallback
from gsr.counters.click_batch import ClickBatch

DIRECTORY: Final = "retrained"
COPY_ROWS: Final = 65_536
LOOKS_SECONDS: Final = 0.2
"""Between two looks at whether a model is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainingSubject:
    """What is learned anew, and from what.

    Parameters
    ----------
    history
        The stream.
    config
        Settings of the joint model that it stands beside.
    seed, mask_seen
        Those of the replay.
    warmed
        Clicks of the warm-up.
    """

    history: ClickHistory
    config: GsrConfig
    seed: int
    mask_seen: bool
    warmed: int


class Retraining:
    """Plans the moments, has the models learned, and waits for them.

    Parameters
    ----------
    options
        How often, and how long.
    subject
        What is learned.
    directory
        Where the copy of the clicks and the models are kept.
    progress
        Is told of waiting.
    times
        Seconds of ``"waiting"``.

    Attributes
    ----------
    moments
        In order; none before `begin`.
    times
        Seconds in which nothing but waiting for a model was done.
    """

    def __init__(
        self,
        options: RetrainingOptions,
        subject: RetrainingSubject,
        directory: Path,
        progress: ProgressCallback,
        times: StageTimes,
    ) -> None:
        self._options = options
        self._subject = subject
        self._directory = directory / DIRECTORY
        self._progress = progress
        self._processes = TrainingProcesses()
        self.moments: list[Moment] = []
        self.times = times

    def begin(self, stack: ExitStack, done: int, interruption: Interruption) -> list[Moment]:
        """Look for the moments and have models learned from now on; `stack` ends that.

        Parameters
        ----------
        stack
            No process goes on once it is closed.
        done
            Clicks that are behind a replay that goes on.
        interruption
            Ends waiting.

        Returns
        -------
        The moments that are behind it; their models are there.

        Raises
        ------
        ConfigError
            There are too many moments.
        TrainingError
            A model of these moments could not be learned.
        """
        self._plan()
        stack.enter_context(self._processes)
        for moment in self.moments:
            if self.files(moment).learned() is None:
                self._processes.start(self._order(moment))
        if not self.ready(done, done, interruption):
            interruption.end()
        return [one for one in self.moments if one.clicks < done]

    def ready(self, done: int, stop: int, interruption: Interruption) -> bool:
        """Wait for the models that rank a click before the click `stop`; False: interrupted.

        Raises
        ------
        TrainingError
            One of them could not be learned.
        """
        for moment in self.moments:
            if moment.clicks < stop and not self._processes.is_done(moment.number):
                self.times.timed("waiting", partial(self._wait, moment, done, interruption))
                if interruption.stop.is_set():
                    return False
        return True

    def parts(self, batch: ClickBatch) -> Iterator[tuple[ClickBatch, Moment | None]]:
        """Yield a batch in parts that no moment divides, and the moment at which each begins."""
        first = int(batch.offsets[0])
        due = {one.clicks - first: one for one in self.moments}
        starts = sorted({0} | {row for row in due if 0 < row < len(batch)})
        for start, stop in zip(starts, [*starts[1:], len(batch)], strict=True):
            yield batch.slice(start, stop), due.get(start)

    def files(self, moment: Moment) -> ModelFiles:
        """Return where a moment's model is."""
        return ModelFiles(self._directory, moment.number)

    def cost(self) -> dict[str, Any]:
        """Return what the models have cost, as JSON values; no other cost holds it."""
        found = [(one, self.files(one).learned()) for one in self.moments]
        done = [(moment, learned) for moment, learned in found if learned is not None]
        return {
            "hours": self._options.hours,
            "most_passes": self._options.passes,
            "models": sum(learned.reason is None for _, learned in done),
            "cpu_seconds": sum(learned.cpu_seconds for _, learned in done),
            "waiting_seconds": self.times.seconds["waiting"],
            "moments": [_told(moment, learned) for moment, learned in done],
        }

    def _plan(self) -> None:
        history, hours = self._subject.history, self._options.hours
        first, last = history.summary.first_time or 0.0, history.summary.last_time or 0.0
        total = history.events
        self._progress(Progress(stage="copying clicks to learn anew from", done=0, total=total))
        self.moments = []
        with closing(copy_clicks(history.columns(COPY_ROWS), self._copy)) as times:
            for moment in moments_of(times, self._subject.warmed, hours):
                self.moments.append(moment)
                check_count(len(self.moments), hours, last - first)

    @property
    def _copy(self) -> Path:
        return self._directory / "clicks.parquet"

    def _order(self, moment: Moment) -> TrainingOrder:
        return TrainingOrder(
            copy=self._copy,
            clicks=moment.clicks,
            files=self.files(moment),
            config=self._subject.config,
            seed=self._subject.seed,
            mask_seen=self._subject.mask_seen,
            passes=self._options.passes,
            shape=self._options.shape,
        )

    def _wait(self, moment: Moment, done: int, interruption: Interruption) -> None:
        total = self._subject.history.events
        when = datetime.fromtimestamp(moment.time, UTC)
        stage = f"waiting for the model of {when:%Y-%m-%d %H:%M}"
        self._progress(Progress(stage=stage, done=done, total=total))
        while not self._processes.is_done(moment.number):
            if interruption.stop.wait(LOOKS_SECONDS):
                return


def _told(moment: Moment, learned: Learned) -> dict[str, Any]:
    return {"time": moment.time, **asdict(learned)}

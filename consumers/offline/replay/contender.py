"""One learning loop of a replay: a configuration that is tested and learned on the stream."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Literal

from consumers.config.settings import GsrConfig
from consumers.learning.live_loop import loop_options
from consumers.offline.replay.stage_times import StageTimes
from gsr.baselines.interface import Baseline
from gsr.baselines.lists import ListMaker
from gsr.counters.click_batch import ClickBatch
from gsr.loop.drift_watch import DriftFigures, DriftWatch
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.list_watch import ListWatch
from gsr.loop.mirror import Mirror
from gsr.loop.ranker_stream import RankerStream
from gsr.loop.reports import CycleReport, TestedClicks

LearnsUntil = Literal["end", "warmup"]

STAGES: Final = ("counting", "testing", "learning", "watching")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContenderOptions:
    """What a contender is, and how it is tested.

    Parameters
    ----------
    name
        What its column of ranks is called.
    config
        Its settings.
    seed
        Of everything random.
    mask_seen
        See `gsr.loop.options.LoopOptions`.
    window_seconds
        How often drift is looked for, in event time.
    learns_until
        "end", or "warmup": its weights stay as they were after the warm-up, its counters go on.
    watched
        Whether drift is looked for, and lists are watched.
    """

    name: str
    config: GsrConfig
    seed: int
    mask_seen: bool
    window_seconds: float
    learns_until: LearnsUntil = "end"
    watched: bool = False


class Contender:
    """A learning loop that is fed the stream cycle by cycle.

    Parameters
    ----------
    options
        See `ContenderOptions`.
    baselines
        Measured in its loop.
    monotonic
        A clock, in seconds.
    listed
        Column of a baseline → what makes its lists; these are watched beside the model's.
    stream_of
        Makes the ranker, where its vectors are brought to it (see `LearningLoop`).

    Attributes
    ----------
    loop
        Counters, model and quality.
    looks
        Of drift, one for each window.
    lists
        The lists of the model and of baselines; None where nothing is watched.
    cycles
        Facts of each cycle.
    times
        Seconds of each stage.
    """

    def __init__(
        self,
        options: ContenderOptions,
        baselines: Baseline,
        monotonic: Callable[[], float],
        listed: Mapping[str, ListMaker] = MappingProxyType({}),
        stream_of: Callable[[Mirror], RankerStream] | None = None,
    ) -> None:
        self.options = options
        config = options.config
        changed = replace(
            loop_options(config),
            learner=replace(config.learner, seed=options.seed),
            mask_seen=options.mask_seen,
            test_first_clicks=True,
        )
        self._tested: list[TestedClicks] = []
        self.loop = LearningLoop(
            changed, baselines=baselines, on_tested=self._tested.append, stream_of=stream_of
        )
        self._watch = DriftWatch(self.loop) if options.watched else None
        self.lists = ListWatch(self.loop, listed) if options.watched else None
        self.looks: list[DriftFigures] = []
        self.cycles: list[dict[str, float]] = []
        self.times = StageTimes(STAGES, monotonic)

    @property
    def name(self) -> str:
        """What its column of ranks is called."""
        return self.options.name

    def turn(self, batch: ClickBatch, *, rank: bool) -> list[TestedClicks]:
        """Take in a cycle's clicks, test and learn them; return what was tested."""
        loop, times = self.loop, self.times
        times.timed("counting", lambda: loop.advance(batch, rank=rank))
        times.timed("testing", loop.test)
        if rank and self.options.learns_until == "warmup":
            loop.let_go()
        else:
            report = times.timed("learning", loop.learn)
            if report is not None:
                self.cycles.append(_cycle_facts(report, loop.mirror.arrays.watermark))
        self._look()
        tested, self._tested[:] = list(self._tested), ()
        if self.lists is not None:
            for part in tested:
                self.lists.add_tested(part)
        return tested

    def _look(self) -> None:
        time = self.loop.mirror.arrays.watermark
        due = not self.looks or time >= self.looks[-1].time + self.options.window_seconds
        if self._watch is not None and self.lists is not None and due:
            self.looks.append(self.times.timed("watching", self._watch.look))
            self.times.timed("watching", self.lists.look)

    def state(self) -> dict[str, Any]:
        """Return all that changes while it goes on."""
        return {
            "loop": self.loop,
            "watch": self._watch,
            "lists": self.lists,
            "looks": self.looks,
            "cycles": self.cycles,
            "seconds": self.times.seconds,
        }

    def cost(self) -> dict[str, Any]:
        """Return the seconds of each stage, as JSON values."""
        return dict(self.times.seconds)


def _cycle_facts(report: CycleReport, time: float) -> dict[str, float]:
    return {
        "time": time,
        "loss": report.learned.loss,
        "fresh": report.learned.fresh,
        "replayed": report.learned.replayed,
        "promoted": float(report.verdict.promoted),
        "z": report.verdict.z,
    }

"""What a click costs: to count it and find its candidates, to rank it, to learn it.

A shop whose users have clicked before is taken up as a trainer takes up what it came too late for:
counted only. Then come the clicks that are measured, through the loop that a service learns with,
without rivals beside. Seconds are of the processor, of all threads.
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from benchmarks.accuracy.measuring import peak_resident_bytes, resident_bytes
from benchmarks.stream_costs.shop import TASTE_ITEMS, Shop
from consumers.config.settings import GsrConfig
from consumers.learning.live_loop import loop_options
from consumers.offline.replay.stage_times import StageTimes
from gsr.baselines.together import BaselinesTogether
from gsr.counters.click_batch import ClickBatch
from gsr.loop.learning_loop import LearningLoop

STAGES: Final = ("find and count", "rank", "learn")
CYCLE_CLICKS: Final = 200
"""Clicks that are learned together, as `gsr replay` has it."""
PIECES: Final = 10
COUNTED_AT_ONCE: Final = 4096
WARM_CLICKS: Final = 2_000
ALMOST_NONE: Final = 1e-9
"""Share of the clicks that are counted only which are learned all the same."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCase:
    """What is measured.

    Parameters
    ----------
    curve
        Of which it is a point.
    size
        Users, and items, of the shop.
    earlier
        Clicks before.
    clicks
        That are measured; a multiple of `PIECES`.
    seed
        Of the shop.

    Raises
    ------
    ValueError
        The clicks are no such multiple.
    """

    curve: Literal["by_size", "by_clicks"]
    size: int
    earlier: int
    clicks: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.clicks < PIECES or self.clicks % PIECES:
            raise ValueError(f"{self.clicks} clicks to measure: give a multiple of {PIECES}")


@dataclass(slots=True)
class Totals:
    """What was done since the beginning, and the seconds of every stage and of all."""

    clicks: int
    ranked: int
    learned: int
    replayed: int
    seconds: dict[str, float]

    def since(self, before: "Totals") -> dict[str, Any]:
        """Return how many clicks there were since then, and what each cost."""
        clicks = self.clicks - before.clicks
        spent = {name: self.seconds[name] - before.seconds[name] for name in self.seconds}
        return {
            "taken_in": clicks,
            "ranked": self.ranked - before.ranked,
            "learned": self.learned - before.learned,
            "replayed": self.replayed - before.replayed,
            "microseconds": {name: round(1e6 * one / clicks, 1) for name, one in spent.items()},
        }


class Stream:
    """A shop, and the loop that learns from it.

    Parameters
    ----------
    size, seed
        Of the shop.
    clock
        Seconds of the processor.

    Attributes
    ----------
    shop, loop
        Where clicks come from, and where they go.
    """

    def __init__(self, size: int, seed: int, clock: Clock = time.process_time) -> None:
        self.shop = Shop(size, seed)
        options = replace(loop_options(GsrConfig()), test_first_clicks=True)
        self.loop = LearningLoop(options, baselines=BaselinesTogether({}, clock))
        self._clock = clock
        self._times = StageTimes(STAGES, clock)
        self._seconds = 0.0

    def count(self, clicks: int) -> None:
        """Count the next clicks, and learn none of them."""
        for batch in self.shop.batches(clicks, COUNTED_AT_ONCE):
            self.loop.advance(batch, rank=False, share=ALMOST_NONE)
            self.loop.test()
            self.loop.let_go()

    def learn(self, clicks: int) -> None:
        """Count, rank and learn the next clicks, cycle by cycle."""
        for batch in self.shop.batches(clicks, CYCLE_CLICKS):
            began = self._clock()
            self._turn(batch)
            self._seconds += self._clock() - began

    def totals(self) -> Totals:
        """Return what was done so far; seconds are those of `learn`."""
        totals, stages = self.loop.totals, dict(self._times.seconds)
        return Totals(
            clicks=totals.clicks,
            ranked=totals.tested,
            learned=totals.fresh,
            replayed=totals.replayed,
            seconds={**stages, "all": self._seconds},
        )

    def _turn(self, batch: ClickBatch) -> None:
        loop, times = self.loop, self._times
        times.timed("find and count", lambda: loop.advance(batch))
        times.timed("rank", loop.test)
        times.timed("learn", loop.learn)


def warm_up(clock: Clock = time.process_time) -> None:
    """Compile the kernels, or load them: a small stream, as the measured one goes."""
    stream = Stream(TASTE_ITEMS, 1, clock)
    stream.count(WARM_CLICKS)
    stream.learn(WARM_CLICKS)


def measure_learning(case: LearningCase, clock: Clock = time.process_time) -> dict[str, Any]:
    """Measure a case in this process."""
    warm_up(clock)
    programs = resident_bytes()
    stream = Stream(case.size, case.seed, clock)
    stream.count(case.earlier)
    before = resident_bytes()
    marks = [stream.totals()]
    for _ in range(PIECES):
        stream.learn(case.clicks // PIECES)
        marks.append(stream.totals())
    pieces = [after.since(mark) for mark, after in itertools.pairwise(marks)]
    return {
        **marks[-1].since(marks[0]),
        "microseconds_by_tenth": [piece["microseconds"]["all"] for piece in pieces],
        "items_known": stream.loop.mirror.items,
        "bytes": {"programs": programs, "before": before, "peak": peak_resident_bytes()},
    }

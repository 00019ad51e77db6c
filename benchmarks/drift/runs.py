"""One stream through the learning loop, with settings as a service has them."""

import time
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from benchmarks.drift.scenarios import Stream
from consumers.config.settings import GsrConfig
from consumers.learning.live_loop import loop_options
from gsr.counters.click_batch import ClickBatch
from gsr.loop.learning_loop import HIT_CUTOFF, LearningLoop
from gsr.loop.reports import TestedClicks

CYCLE_CLICKS: Final = 500
WARM_UP: Final = 0.1
"""Share of the stream that is learned before testing and watching begin."""

BLOCK_CLICKS: Final = 500
"""Honest clicks whose tests and hits are added up."""


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a stream.

    Parameters
    ----------
    clicks
        In the stream, the farm's too.
    watched_from
        The first click that may be tested.
    alarms
        Numbers of the clicks at which the loop was alarmed, and by which detector.
    hits, tested
        Of honest clicks, by block of `BLOCK_CLICKS` honest clicks: how many were tested, and how
        many found among the first twenty by the joint model.
    seconds
        Wall time.
    """

    clicks: int
    watched_from: int
    alarms: list[tuple[int, str]]
    hits: list[int]
    tested: list[int]
    seconds: float

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)

    @staticmethod
    def read(document: dict[str, Any]) -> "Run":
        """Return a run from its document."""
        alarms = [(int(click), str(name)) for click, name in document["alarms"]]
        return Run(**{**document, "alarms": alarms})


def follow(stream: Stream, seed: int) -> Run:
    """Take a stream in, cycle by cycle: count, test, learn.

    Parameters
    ----------
    stream
        The clicks.
    seed
        Of the model and its learner.
    """
    began = time.perf_counter()
    config = GsrConfig()
    options = replace(loop_options(config), learner=replace(config.learner, seed=seed))
    found: list[TestedClicks] = []
    loop = LearningLoop(options, on_tested=found.append)
    batch = click_batch(stream)
    warmed = round(WARM_UP * len(stream))
    for part in batch.split(warmed):
        for start in range(0, len(part), CYCLE_CLICKS):
            cycle = part.slice(start, start + CYCLE_CLICKS)
            loop.advance(cycle, rank=int(cycle.offsets[0]) >= warmed)
            loop.test()
            loop.learn()
    hits, tested = _blocks(stream, found)
    numbers = np.searchsorted(stream.times, [alarm.time for alarm in loop.alarms])
    names = [alarm.detector for alarm in loop.alarms]
    return Run(
        clicks=len(stream),
        watched_from=warmed,
        alarms=list(zip(numbers.tolist(), names, strict=True)),
        hits=hits,
        tested=tested,
        seconds=round(time.perf_counter() - began, 1),
    )


def click_batch(stream: Stream) -> ClickBatch:
    """Return a stream as the loop takes it; offsets number the clicks from 0."""
    count = len(stream)
    return ClickBatch(
        user_ids=[f"u{user}" for user in stream.users.tolist()],
        item_ids=[f"i{item}" for item in stream.items.tolist()],
        times=stream.times,
        events=np.zeros(count, dtype=np.uint8),
        hashes=np.arange(1, count + 1, dtype=np.uint64),
        forget=np.zeros(count, dtype=np.bool_),
        offsets=np.arange(count, dtype=np.int64),
        append_times=stream.times,
    )


def _blocks(stream: Stream, found: list[TestedClicks]) -> tuple[list[int], list[int]]:
    """Return hits and tests of honest clicks, block by block."""
    offsets = np.concatenate([clicks.offsets for clicks in found])
    ranks = np.concatenate([clicks.ranks[:, 0] for clicks in found])
    honest = stream.honest[offsets]
    numbers = (np.cumsum(stream.honest) - 1)[offsets[honest]]
    blocks = -(-int(stream.honest.sum()) // BLOCK_CLICKS)
    block = numbers // BLOCK_CLICKS
    tested = np.bincount(block, minlength=blocks)
    hits = np.bincount(block[ranks[honest] <= HIT_CUTOFF], minlength=blocks)
    return hits.tolist(), tested.tolist()

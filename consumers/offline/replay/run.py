"""`gsr replay`: an event file through the learning loop, in event time, with quality measured."""

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from consumers.errors import ConfigError
from consumers.learning.live_loop import loop_options
from consumers.offline.click_history import ClickHistory, ClickHistoryOptions
from consumers.offline.replay.lists import LISTS_NAME, ReplayLists, lists_file, newest_users
from consumers.offline.replay.report import write_report
from consumers.runtime.documents import write_document
from consumers.runtime.outputs import check_output
from consumers.runtime.progress import Progress, ProgressCallback, TimedProgress, quiet
from consumers.runtime.usage import process_usage
from gsr.counters.click_batch import ClickBatch
from gsr.loop.drift_watch import DriftFigures, DriftWatch
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.quality_document import BaselineChoice, choose_baselines, quality_document
from gsr.loop.reports import CycleReport
from gsr.network.model import JointModel
from stream.clock import Clock, SystemClock

FINAL_USERS: Final = 10_000
"""How many users' lists `--recommendations final` writes: those whose clicks are newest."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions(ClickHistoryOptions):
    """Events to replay, and how; settings of processes are not used.

    Parameters
    ----------
    out
        Directory for `metrics.json`, `report.html` and the recommendations; made if missing.
    warmup
        Share of the stream that is learned before scoring begins, 0 to 1.
    repeats
        "exclude": clicks on items in the user's buffer are not scored, and those items are left
        out of the ranking; "include": all clicks with an earlier one are, among all items.
    seed
        Of everything random.
    recommendations
        "final": the lists, at the end, of the 10,000 users whose clicks are newest; "all": after
        each cycle the lists of the users who clicked in it, as the publisher would have sent them
        (large, and about twice as slow); "none".
    baselines
        Half-life of each baseline: the "best" of the grid over the scored clicks themselves,
        which favours the baselines, or the best over the "warmup".
    judged
        The events come from a topic: their times were judged by their append times.
    """

    out: Path
    warmup: float = 0.1
    repeats: Literal["exclude", "include"] = "exclude"
    seed: int = 0
    recommendations: Literal["none", "final", "all"] = "final"
    baselines: BaselineChoice = "best"
    judged: bool = False


def replay(
    options: ReplayOptions,
    progress: ProgressCallback = quiet,
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Replay an event file and return the content of `metrics.json`.

    Nothing is left half-written when it is interrupted.

    Raises
    ------
    EventFileError
        The file cannot be read, is empty, or a row is bad (`on_bad="fail"`).
    ConfigError
        An option makes no sense; says which.
    StorageFullError
        The results cannot be written; found before the replay where it is so then.
    """
    clock = clock or SystemClock()
    _check(options)
    check_output(options.out)
    started = clock.monotonic()
    now = math.inf if options.judged else clock.time()
    history = ClickHistory.look_through(options, progress, now)
    run = Replay(options, history, progress, clock)
    # Whatever ends it early, what is half-made must not look like a result.
    with ExitStack() as stack:
        lists = run.lists(stack)
        run.follow(lists)
        document = run.document()
        document["cost"] |= {"seconds": clock.monotonic() - started}
        write_report(document, options.out / "report.html")
    write_document(document, options.out / "metrics.json")
    return document


class Replay:
    """One run: the trainer's loop, fed from a file.

    Parameters
    ----------
    options
        See `ReplayOptions`.
    history
        The stream.
    progress
        Is told a few times a second.
    clock
        Of the cost.
    """

    def __init__(
        self,
        options: ReplayOptions,
        history: ClickHistory,
        progress: ProgressCallback,
        clock: Clock,
    ) -> None:
        self._options = options
        self._history = history
        self._clock = clock
        self._progress = progress
        self._timed_progress = TimedProgress(progress, clock, history.events)
        self.loop = _loop(options, history.window_seconds)
        self._watch = DriftWatch(self.loop)
        self._looks: list[DriftFigures] = []
        self._cycles: list[dict[str, float]] = []
        self._spent = dict.fromkeys(("reading", "counting", "testing", "learning", "lists"), 0.0)

    def lists(self, stack: ExitStack) -> ReplayLists | None:
        """Open the file of recommendations, where it is wanted; `stack` puts it in its place."""
        if self._options.recommendations == "none":
            return None
        return ReplayLists(
            stack.enter_context(lists_file(self._options.out / LISTS_NAME)),
            self.loop,
            self._options.config.events.rules(),
            list_length=self._options.config.publisher.list_length,
            allow_repeats=self._options.repeats == "include",
        )

    def follow(self, lists: ReplayLists | None) -> None:
        """Take the whole stream in, cycle by cycle."""
        total = self._history.events
        done, warmed = 0, round(self._options.warmup * total)
        batches = self._history.batches()
        while True:
            batch = self._timed("reading", lambda: next(batches, None))
            if batch is None:
                break
            # A cycle never straddles the end of the warm-up: scoring begins at one exact click.
            for part in batch.split(warmed - done):
                self._turn(part, rank=done >= warmed)
                done += len(part)
            if lists is not None and self._options.recommendations == "all":
                users = list(dict.fromkeys(batch.user_ids))
                self._timed("lists", lambda: lists.write(users, "click"))  # noqa: B023 - called at once
            self._tell(done)
        if lists is not None and self._options.recommendations == "final":
            self._progress(Progress(stage="making lists", done=done, total=total))
            self._timed("lists", lambda: lists.write(newest_users(self.loop, FINAL_USERS), "model"))

    def document(self) -> dict[str, Any]:
        """Return the content of `metrics.json`."""
        loop, options = self.loop, self._options
        return {
            **quality_document(loop, choose_baselines(loop, options.baselines)),
            "drift": {
                "alarms": [asdict(alarm) for alarm in loop.alarms],
                "looks": [asdict(look) for look in self._looks],
            },
            "cycles": self._cycles,
            "totals": asdict(loop.totals),
            "options": {
                "events": self._history.file.name,
                "warmup": options.warmup,
                "repeats": options.repeats,
                "seed": options.seed,
                "limit": options.limit,
                "cycle_clicks": self._history.cycle_clicks,
                "window_seconds": self._history.window_seconds,
                "baselines": options.baselines,
                "half_lives_seconds": list(options.config.state.half_lives_seconds),
                **self._history.skipped,
            },
            "cost": {
                **asdict(process_usage()),
                "clicks": loop.totals.clicks,
                "scored": loop.quality.overall.scored,
                "stages_seconds": dict(self._spent),
            },
        }

    def _turn(self, batch: ClickBatch, *, rank: bool) -> None:
        loop = self.loop
        self._timed("counting", lambda: loop.advance(batch, rank=rank))
        self._timed("testing", loop.test)
        report = self._timed("learning", loop.learn)
        if report is not None:
            self._cycles.append(_cycle_facts(report, loop.mirror.arrays.watermark))
        time = loop.mirror.arrays.watermark
        if not self._looks or time >= self._looks[-1].time + self._history.window_seconds:
            self._looks.append(self._timed("testing", self._watch.look))

    def _timed(self, stage: str, work: Callable[[], Result]) -> Result:
        began = self._clock.monotonic()
        try:
            return work()
        finally:
            self._spent[stage] += self._clock.monotonic() - began

    def _tell(self, done: int) -> None:
        overall = self.loop.quality.overall
        if overall.scored:
            hits = overall.means(0)["hr@20"]
            self._timed_progress.tell("testing and learning", done, f"HR@20 {hits:.3f}")
        else:
            self._timed_progress.tell("learning", done)


def _loop(options: ReplayOptions, window: float) -> LearningLoop:
    config = options.config
    changed = replace(
        loop_options(config),
        learner=replace(config.learner, seed=options.seed),
        mask_seen=options.repeats == "exclude",
        window_seconds=window,
    )
    return LearningLoop(changed, JointModel(config.model, options.seed))


def _cycle_facts(report: CycleReport, time: float) -> dict[str, float]:
    return {
        "time": time,
        "loss": report.learned.loss,
        "fresh": report.learned.fresh,
        "replayed": report.learned.replayed,
        "effort": report.effort,
        "promoted": float(report.verdict.promoted),
        "z": report.verdict.z,
    }


def _check(options: ReplayOptions) -> None:
    if not 0.0 <= options.warmup < 1.0:
        raise ConfigError(f"warmup is {options.warmup}: give a share from 0 up to, not with, 1")
    if options.limit is not None and options.limit < 1:
        raise ConfigError(f"limit is {options.limit}: give 1 or more, or leave it out")
    if options.cycle_clicks is not None and options.cycle_clicks < 1:
        raise ConfigError(f"cycle_clicks is {options.cycle_clicks}: give 1 or more")

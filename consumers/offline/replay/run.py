"""`gsr replay`: an event file through the learning loop, in event time, with quality measured."""

import math
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from consumers.offline.click_history import ClickHistory
from consumers.offline.evaluation.case_files import CASES_NAME
from consumers.offline.replay.analysis import analyse
from consumers.offline.replay.cases import CaseWriter
from consumers.offline.replay.contender import Contender
from consumers.offline.replay.lists import LISTS_NAME, ReplayLists, lists_file, newest_users
from consumers.offline.replay.options import ReplayOptions
from consumers.offline.replay.report.page import write_report
from consumers.offline.replay.resuming import SAVE_SECONDS, StoppedReplay, identity_of
from consumers.offline.replay.rivals import RETRAINED, list_makers
from consumers.offline.replay.stage_times import StageTimes
from consumers.runtime.documents import write_document
from consumers.runtime.interruption import Interruption
from consumers.runtime.outputs import check_output
from consumers.runtime.progress import Progress, ProgressCallback, TimedProgress, quiet
from consumers.runtime.usage import process_usage
from gsr.baselines.together import BaselinesTogether
from gsr.counters.click_batch import ClickBatch
from gsr.loop.baseline_choice import JOINT, baselines_document, choose_baselines
from gsr.loop.learning_loop import LearningLoop
from stream.clock import Clock, Periodic, SystemClock

if TYPE_CHECKING:
    from consumers.offline.replay.retraining.contender import RetrainedContender

FINAL_USERS: Final = 10_000
"""How many users' lists `--recommendations final` writes: those whose clicks are newest."""


def replay(
    options: ReplayOptions,
    progress: ProgressCallback = quiet,
    clock: Clock | None = None,
    interruption: Interruption | None = None,
) -> dict[str, Any]:
    """Replay an event file and return the content of `metrics.json`.

    No result is left half-written when it is interrupted; what it has learned is kept beside, for
    a run that goes on.

    Raises
    ------
    EventFileError
        The file cannot be read, is empty, or a row is bad (`on_bad="fail"`).
    ConfigError
        An option makes no sense; says which.
    NotFoundError, ArtifactError
        There is nothing to go on from.
    TrainingError
        A model could not be learned.
    StorageFullError
        The results cannot be written; found before the replay where it is so then.
    """
    clock = clock or SystemClock()
    options.check()
    check_output(options.out)
    started = clock.monotonic()
    now = math.inf if options.judged else clock.time()
    history = ClickHistory.look_through(options, progress, now)
    run = Replay(options, history, progress, clock, interruption or Interruption())
    # Whatever ends it early, what is half-made must not look like a result.
    with ExitStack() as stack:
        stack.callback(run.let_go)
        lists = run.lists(stack)
        run.follow(lists, stack)
        document = run.document()
        document["cost"] |= {"seconds": clock.monotonic() - started}
        write_report(document, options.out / "report.html")
    write_document(document, options.out / "metrics.json")
    run.stopped.remove()
    return document


class Replay:
    """One run: learning loops, fed from a file, whose ranks of each click are put side by side.

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
    interruption
        Ends it between two cycles.

    Attributes
    ----------
    contenders
        The joint model first, then what it is compared with; only its loop has baselines.
    stopped
        Where its state is kept.
    """

    def __init__(
        self,
        options: ReplayOptions,
        history: ClickHistory,
        progress: ProgressCallback,
        clock: Clock,
        interruption: Interruption,
    ) -> None:
        self._options = options
        self._history = history
        self._interruption = interruption
        self._progress = progress
        self._timed_progress = TimedProgress(progress, clock, history.events)
        self._baselines = options.baselines.baselines(clock.monotonic)
        nothing = BaselinesTogether({}, clock.monotonic)
        listed = list_makers(self._baselines)
        self.contenders = [
            Contender(one, nothing if number else self._baselines, clock.monotonic, listed)
            for number, one in enumerate(options.contenders(history.window_seconds))
        ]
        self._times = StageTimes(("reading", "lists"), clock.monotonic)
        self.stopped = StoppedReplay(options.out, identity_of(history, options.identity()))
        self._save_due = Periodic(clock, SAVE_SECONDS, first=SAVE_SECONDS)
        self._warmed = round(options.warmup * history.events)
        self._retrained: RetrainedContender | None = None
        if RETRAINED in options.baselines.names:
            from consumers.offline.replay.retraining.contender import (  # noqa: PLC0415 - needs torch
                retrained_contender,
            )

            self._retrained = retrained_contender(
                options,
                history,
                self.contenders[0].options,
                warmed=self._warmed,
                directory=self.stopped.directory,
                progress=progress,
                monotonic=clock.monotonic,
            )
            self.contenders.append(self._retrained)

    @property
    def loop(self) -> LearningLoop:
        """The loop of the joint model."""
        return self.contenders[0].loop

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

    def follow(self, lists: ReplayLists | None, stack: ExitStack) -> None:
        """Take the whole stream in, cycle by cycle; `stack` closes the cases."""
        total = self._history.events
        done, parts = self._begin(stack)
        self._cases = stack.enter_context(self._writer(parts))
        batches = self._history.batches(skip=done)
        # Until the first cycle is taken in, kernels may compile for minutes, and what there is to
        # keep has been kept by the run before: a signal need not wait.
        held: AbstractContextManager[None] = nullcontext()
        while True:
            with held:
                batch = self._times.timed("reading", lambda: next(batches, None))
                if batch is None:
                    break
                if self._are_models_there(done, len(batch)):
                    self._take(batch, done)
                    done += len(batch)
                    if lists is not None and self._options.recommendations == "all":
                        users = list(dict.fromkeys(batch.user_ids))
                        self._times.timed("lists", partial(lists.write, users, "click"))
                    self._tell(done)
                self._keep(done)
            self._interruption.end()
            held = self._interruption.held()
        if lists is not None and self._options.recommendations == "final":
            self._progress(Progress(stage="making lists", done=done, total=total))
            newest = newest_users(self.loop, FINAL_USERS)
            self._times.timed("lists", lambda: lists.write(newest, "model"))

    def let_go(self) -> None:
        """Leave nothing behind where there is nothing to go on from."""
        if not self.stopped.exists:
            self.stopped.remove()

    def _begin(self, stack: ExitStack) -> tuple[int, int]:
        """Return how many clicks and parts of cases the run that stopped has left; else none."""
        resuming = self._options.resume
        done = self.stopped.done() if resuming else 0
        if not resuming:
            self.stopped.remove()
        if self._retrained is not None:
            self._retrained.begin(stack, done, self._interruption)
        if not resuming:
            return 0, 0
        done, roots = self.stopped.restore(self._roots(parts=0))
        return done, int(roots["parts"])

    def _are_models_there(self, done: int, clicks: int) -> bool:
        """Wait for the models that rank the next clicks; False: interrupted, take none in."""
        if self._retrained is None:
            return True
        return self._retrained.ready(done, done + clicks, self._interruption)

    def _take(self, batch: ClickBatch, done: int) -> None:
        """Take a batch in; `done` clicks are behind."""
        # A cycle never straddles the end of the warm-up: scoring begins at one exact click.
        for part in batch.split(self._warmed - done):
            self._turn(part, rank=done >= self._warmed)
            done += len(part)

    def _writer(self, parts: int) -> CaseWriter:
        history, options = self._history, self._options
        identity = {
            "protocol": {"warmup": options.warmup, "repeats": options.repeats},
            "data": {"file": history.file.name, "clicks": history.events},
        }
        scratch = self.stopped.directory / "cases"
        path = options.out / CASES_NAME
        return CaseWriter(path, self.loop.names, identity, scratch=scratch, parts=parts)

    def _keep(self, done: int) -> None:
        """Keep the state now and then, and where the run is to end."""
        ending = self._interruption.stop.is_set()
        if self._options.recommendations != "all" and (ending or self._save_due.due()):
            self.stopped.save(done, self._roots(parts=self._cases.cut()))

    def _roots(self, parts: int) -> dict[str, Any]:
        """Return all that changes while the run goes on."""
        return {
            "parts": parts,
            "contenders": [contender.state() for contender in self.contenders],
            "seconds": self._times.seconds,
        }

    def document(self) -> dict[str, Any]:
        """Return the content of `metrics.json`."""
        loop, options, joint = self.loop, self._options, self.contenders[0]
        shown = choose_baselines(loop, options.baselines.choice)
        self._cases.finish(shown)
        window = self._history.window_seconds
        return {
            **analyse(options.out / CASES_NAME, window_seconds=window),
            "baselines": baselines_document(loop, shown),
            "drift": {
                "alarms": [asdict(alarm) for alarm in loop.alarms],
                "looks": [asdict(look) for look in joint.looks],
            },
            "lists": None if joint.lists is None else joint.lists.document(),
            "cycles": joint.cycles,
            "totals": asdict(loop.totals),
            "options": {
                "events": self._history.file.name,
                "warmup": options.warmup,
                "repeats": options.repeats,
                "seed": options.seed,
                "limit": options.limit,
                "cycle_clicks": options.cycle_clicks,
                "window_seconds": window,
                "baselines": list(options.baselines.names),
                "baselines_chosen_on": options.baselines.choice,
                "half_lives_seconds": list(options.config.state.half_lives_seconds),
                **self._history.skipped,
            },
            "cost": {
                **asdict(process_usage()),
                "clicks": loop.totals.clicks,
                "scored": loop.quality.overall.scored,
                "stages_seconds": self._stages(),
                "models_seconds": self._models_seconds(),
                **self._retraining_cost(),
            },
        }

    def _stages(self) -> dict[str, float]:
        """Return the seconds of every stage; each second is in one of them."""
        baselines = sum(self._baselines.seconds.values())
        joint = self.contenders[0].cost()
        others = sum(sum(one.cost().values()) for one in self.contenders[1:])
        return {
            **self._times.seconds,
            **joint,
            "counting": joint["counting"] - baselines,
            "baselines": baselines,
            "other contenders": others,
        }

    def _models_seconds(self) -> dict[str, float]:
        """Return what each model has cost; what the joint model counts, its baselines do not."""
        joint, *others = (sum(one.cost().values()) for one in self.contenders)
        return {
            JOINT: joint - sum(self._baselines.seconds.values()),
            **self._baselines.seconds,
            **{
                f"{JOINT}:{one.name}": spent
                for one, spent in zip(self.contenders[1:], others, strict=True)
            },
        }

    def _retraining_cost(self) -> dict[str, Any]:
        """Return what processes beside the replay have cost; no other figure holds it."""
        if self._retrained is None:
            return {}
        return {"retraining": self._retrained.retraining.cost()}

    def _turn(self, batch: ClickBatch, *, rank: bool) -> None:
        joint, *others = self.contenders
        for tested in joint.turn(batch, rank=rank):
            clicks = batch.rows(tested.offsets - batch.offsets[0])
            self._cases.add(tested, clicks.user_ids, clicks.item_ids)
        for contender in others:
            for tested in contender.turn(batch, rank=rank):
                self._cases.add_other(contender.name, tested)

    def _tell(self, done: int) -> None:
        overall = self.loop.quality.overall
        if overall.scored:
            hits = overall.means(0)["hr@20"]
            self._timed_progress.tell("testing and learning", done, f"HR@20 {hits:.3f}")
        else:
            self._timed_progress.tell("learning", done)

"""The contender whose model is learned anew beside the replay, and never in it."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import consumers.offline.replay.retraining.torch_state  # noqa: F401 - its state holds tensors
from consumers.offline.click_history import ClickHistory
from consumers.offline.replay.contender import Contender, ContenderOptions
from consumers.offline.replay.options import ReplayOptions
from consumers.offline.replay.retraining.model_files import onto_rows
from consumers.offline.replay.retraining.plan import Moment
from consumers.offline.replay.retraining.retraining import Retraining, RetrainingSubject
from consumers.offline.replay.rivals import RETRAINED
from consumers.offline.replay.stage_times import StageTimes
from consumers.runtime.interruption import Interruption
from consumers.runtime.progress import ProgressCallback
from gsr.baselines.interface import Baseline
from gsr.baselines.together import BaselinesTogether
from gsr.counters.click_batch import ClickBatch
from gsr.loop.encoded_stream import EncodedStream
from gsr.loop.mirror import Mirror
from gsr.loop.ranker_stream import RankerStream
from gsr.loop.reports import TestedClicks


class RetrainedContender(Contender):
    """Counts click by click, and ranks by the newest model that was learned anew.

    The ranker is that of the joint model, and learns as it goes what the newest model's vectors are
    worth. Until there is one, it has the counters alone. Items that came since a model was learned
    begin near their neighbours.

    Parameters
    ----------
    options
        See `ContenderOptions`.
    baselines
        None, usually.
    monotonic
        A clock, in seconds.
    retraining
        Where models come from; call `ready` before each `turn`.

    Attributes
    ----------
    retraining
        The same.
    stream
        What ranks.
    """

    def __init__(
        self,
        options: ContenderOptions,
        baselines: Baseline,
        monotonic: Callable[[], float],
        retraining: Retraining,
    ) -> None:
        super().__init__(options, baselines, monotonic, stream_of=self._new_stream)
        self.retraining = retraining

    def begin(self, stack: ExitStack, done: int, interruption: Interruption) -> None:
        """Have models learned from now on, until `stack` is closed.

        After `done` clicks of a replay that goes on, it ranks by a model like the one that ranked
        the last of them: its state can be restored.
        """
        for moment in self.retraining.begin(stack, done, interruption):
            self.install(moment)

    def ready(self, done: int, stop: int, interruption: Interruption) -> bool:
        """Wait for the models that are to rank clicks before the click `stop`.

        False where the wait was interrupted: nothing of these clicks must be taken in.
        """
        return self.retraining.ready(done, stop, interruption)

    def turn(self, batch: ClickBatch, *, rank: bool) -> list[TestedClicks]:
        """Take in a cycle's clicks and test them, by one model after another where it is time."""
        tested: list[TestedClicks] = []
        for part, moment in self.retraining.parts(batch):
            if moment is not None:
                self.install(moment)
            tested += super().turn(part, rank=rank)
        return tested

    def install(self, moment: Moment) -> None:
        """Rank by a moment's model from now on; where it could not be learned, by the old one."""
        self.times.timed("learning", lambda: self._install(moment))

    def state(self) -> dict[str, Any]:
        """Return all that changes while it goes on."""
        return super().state() | {"waited": self.retraining.times.seconds}

    def _install(self, moment: Moment) -> None:
        files = self.retraining.files(moment)
        learned = files.learned()
        if learned is not None and learned.reason is None:
            model, item_ids = files.read()
            self.stream.serve(onto_rows(model, item_ids, self.loop.mirror))

    def _new_stream(self, mirror: Mirror) -> RankerStream:
        config, options = self.options.config, self.options
        learning = replace(config.learner, seed=options.seed)
        self.stream = EncodedStream(config.model, learning, mirror, mask_seen=options.mask_seen)
        return self.stream


def retrained_contender(
    options: ReplayOptions,
    history: ClickHistory,
    joint: ContenderOptions,
    *,
    warmed: int,
    directory: Path,
    progress: ProgressCallback,
    monotonic: Callable[[], float],
) -> RetrainedContender:
    """Return the contender of a replay.

    Parameters
    ----------
    options, history
        Of the replay.
    joint
        Of the model that it stands beside.
    warmed
        Clicks of the warm-up.
    directory
        Where its models are kept.
    progress
        Is told of waiting.
    monotonic
        A clock, in seconds.
    """
    subject = RetrainingSubject(
        history=history,
        config=options.config,
        seed=options.seed,
        mask_seen=options.repeats == "exclude",
        warmed=warmed,
    )
    times = StageTimes(("waiting",), monotonic)
    retraining = Retraining(options.retraining, subject, directory, progress, times)
    asked = replace(joint, name=RETRAINED, watched=False)
    return RetrainedContender(asked, BaselinesTogether({}, monotonic), monotonic, retraining)

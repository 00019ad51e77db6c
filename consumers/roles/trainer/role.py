"""The trainer's role: follows checkpoints, learns in cycles, publishes models and views."""

import logging
import math
from typing import Final

import numpy as np

from consumers.artifacts.snapshot_files import decode_snapshot, encode_snapshot
from consumers.artifacts.store import ArtifactStore
from consumers.artifacts.written_settings import (
    EVENT_NAMES,
    refuse_other_journal,
    refuse_other_state,
)
from consumers.config.settings import GsrConfig
from consumers.errors import ArtifactError
from consumers.learning.journal import JOURNAL_PIN, Journal, Standing, write_journal
from consumers.learning.live_loop import live_loop, serving_view
from consumers.metrics.registry import Metrics
from consumers.roles.trainer.checkpoint_follower import CheckpointFollower, Taken
from consumers.roles.trainer.measures import TrainerFigures
from consumers.serving.view import encode_view
from gsr.counters.ids.id_column import IdColumn
from gsr.errors import SnapshotError, TrainingError
from gsr.loop.drift_watch import DriftWatch
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.mirror import GENERATION_BITS
from gsr.loop.reports import CycleReport
from stream.clock import Clock, Periodic
from stream.errors import StateCorruptError, StateMismatchError
from stream.log.interface import Log
from stream.state.meta import StateMeta

_LOGGER = logging.getLogger(__name__)

STEP_CLICKS: Final = 4096
"""Most clicks that one step takes in."""

GROWTH: Final = 1.25
"""By how much more a cycle may learn than the last one, which was quick enough."""

KEPT_USERS: Final = 200_000
"""Users in memory; those touched longest ago are read from a checkpoint when they click again."""


class TrainerRole:
    """Test, train, judge, snapshot; a serving view every few seconds.

    Without a journal it begins with the newest checkpoints: from their first accepted click where
    the feeds still have it, else from their counters, learning what comes after.

    Parameters
    ----------
    config
        All settings. Beside the sections `trainer`, `model`, `learner`, `state` and `events`,
        `log.partitions` and `publisher.allow_repeats` are used.
    log
        Not read: clicks come from the checkpoints' accepted feeds.
    clock
        Of cycles and budgets.
    metrics
        Where figures go.
    artifacts
        Checkpoints come from it; views, snapshots and the journal go to it.
    """

    def __init__(
        self,
        config: GsrConfig,
        log: Log,  # noqa: ARG002 - every role is built alike
        clock: Clock,
        metrics: Metrics,
        artifacts: ArtifactStore,
    ) -> None:
        self._config = config
        self._clock = clock
        self._metrics = metrics
        self._artifacts = artifacts
        self._follower = CheckpointFollower(artifacts, self._refuse_other_state)
        self.loop: LearningLoop | None = None
        self._watch: DriftWatch | None = None
        self._figures = TrainerFigures(metrics)
        self._version = 0
        self._newest_append = 0.0
        self._viewed = False
        self._share = 1.0
        self._room = config.trainer.cycle_max_clicks
        trainer = config.trainer
        self._next_poll = Periodic(clock, trainer.poll_interval_seconds)
        self._next_view = Periodic(clock, trainer.view_interval_seconds)
        self._next_cycle = Periodic(clock, trainer.cycle_seconds, first=trainer.cycle_seconds)
        self._next_journal = Periodic(clock, trainer.cycle_seconds, first=trainer.cycle_seconds)
        self._next_drift_look = Periodic(clock, trainer.psi_seconds)
        self._drift_looks = 0

    def step(self) -> bool:
        """Do one bounded piece of work; True where there was any.

        A cycle is one step, and may take `trainer.budget_seconds` and a little.
        """
        if self.loop is None:
            return self._next_poll.due() and self._begin()
        worked = self._take_in(self.loop)
        wanted = self._cycle_wanted(self.loop)
        if wanted:
            self._cycle(self.loop)
            worked = True
        if self._next_view.due():
            self._publish_view(self.loop)
            worked = True
        return worked

    def checks(self) -> dict[str, bool]:
        """Return `checkpoint` (there is one to learn from) and `view` (one was published)."""
        return {"checkpoint": self.loop is not None, "view": self._viewed}

    def close(self) -> None:
        """Let go of everything; what was not learned is read again after the restart."""
        if self.loop is not None and not self._follower.left:
            self._write_journal(self.loop)
        self.loop = None
        self._follower.close()

    # Beginning: from the journal, or from checkpoints alone.

    def _begin(self) -> bool:
        refuse_other_journal(self._artifacts, self._config)
        journal = self._read_journal()
        if journal is not None and self._continue(journal):
            return True
        numbers = self._artifacts.newest_checkpoints()
        if not numbers:
            return False
        loop = live_loop(self._config)
        # Models from before have other item rows: with these generations none passes for theirs.
        loop.mirror.first_generation = self._artifacts.current_snapshot() << GENERATION_BITS
        try:
            self._follower.begin(numbers)
        except (ArtifactError, StateCorruptError) as error:
            # Pruned between two looks, or torn: the next one will come.
            _LOGGER.warning("the newest checkpoints cannot be used: %s", error)
            self._follower.close()
            return False
        self._stand(loop)
        self._version = self._artifacts.current_snapshot()
        self._start(loop)
        # At once: the first lists wait for a view, and the first kernels compile for a while.
        self._publish_view(loop)
        _LOGGER.info("begins with %d partitions and no journal", len(numbers))
        return True

    def _continue(self, journal: Journal) -> bool:
        """Go on where the journal ends; False where its checkpoints are gone."""
        standing = journal.standing
        loop = live_loop(self._config, journal.model(self._config.model))
        try:
            self._follower.begin(standing.checkpoints, standing.positions)
        except (StateCorruptError, StateMismatchError, ArtifactError, OSError) as error:
            _LOGGER.warning("the journal's checkpoints cannot be used, learning anew: %s", error)
            self._follower.close()
            return False
        journal.name_rows(loop)
        self._stand(loop)
        loop.mirror.drop_dead()
        journal.restore(loop)
        self._version = standing.version
        self._start(loop)
        _LOGGER.info("continues after %d learned clicks", loop.totals.fresh)
        return True

    def _read_journal(self) -> Journal | None:
        artifact = self._artifacts.load_journal()
        return None if artifact is None else Journal(artifact)

    def _refuse_other_state(self, meta: StateMeta, place: str) -> None:
        """Refuse checkpoints of another shape than this trainer's counters have."""
        refuse_other_state(meta, meta.partition, self._config, place)

    def _stand(self, loop: LearningLoop) -> None:
        """Bring the counters to where the follower's bases are."""
        for table in self._follower.tables(self._follower.parts):
            loop.absorb(table)
        loop.mirror.note_watermark(self._follower.watermark)
        loop.seed(loop.mirror.graph())

    def _start(self, loop: LearningLoop) -> None:
        self.loop = loop
        self._ration()
        self._watch = DriftWatch(loop)
        self._figures.begin(loop)

    # Taking clicks in.

    def _take_in(self, loop: LearningLoop) -> bool:
        if not self._follower.left:
            if not self._next_poll.due():
                return False
            added = self._follower.refresh()
            if added is None:
                return False
            for table in self._follower.tables(added):
                loop.absorb(table)
            loop.mirror.let_users_go(KEPT_USERS)
            self._ration()
        room = self._room - loop.waiting
        taken = self._follower.take(min(STEP_CLICKS, max(room, 1)))
        if taken is None:
            return False
        self._load_users(loop, taken)
        loop.advance(taken.clicks, share=self._share)
        loop.test()
        if len(taken.clicks):
            self._newest_append = float(taken.clicks.append_times.max())
        self._figures.took_in(loop, self._follower, self._newest_append)
        return True

    def _ration(self) -> None:
        """Of more clicks than a cycle learns, test and learn a share, so as not to fall behind.

        All of them move the counters that lists are made from.
        """
        waiting = max(self._follower.left, 1)
        self._share = min(1.0, self._room / waiting)

    def _load_users(self, loop: LearningLoop, taken: Taken) -> None:
        """Bring in users as they were before the first of these clicks."""
        user_ids = IdColumn.of(taken.clicks.user_ids)
        for partition, part in self._follower.parts.items():
            rows = np.flatnonzero(taken.partitions == partition)
            unknown = loop.mirror.unknown_users(user_ids.rows(rows))
            loop.mirror.load_users(self._follower.users_before(partition, unknown), part.names.of)

    # Learning.

    def _cycle_wanted(self, loop: LearningLoop) -> bool:
        if loop.waiting >= self._room:
            return True
        if self._next_cycle.seconds_left() > 0:
            return False
        if loop.waiting >= self._config.trainer.cycle_min_clicks:
            return True
        self._next_cycle.restart()
        self._figures.idle()
        return False

    def _cycle(self, loop: LearningLoop) -> None:
        began = self._clock.monotonic()
        self._adopt_rollback(loop)
        try:
            report = loop.learn(lambda: self._out_of_time(began))
        except TrainingError:
            _LOGGER.exception("the cycle is dropped")
            self._figures.failed()
            report = None
        seconds = self._clock.monotonic() - began
        self._next_cycle.restart()
        if report is None:
            return
        self._pace(report, seconds)
        if report.verdict.promoted:
            self._publish_snapshot(loop, report)
        self._figures.cycle(loop, report, seconds, self._clock.time())
        if self._watch is not None and self._next_drift_look.seconds_left() <= 0:
            self._figures.drift(self._watch.look())
            self._drift_looks += 1
            # The first two looks come soon, so that the gauges say something soon.
            if self._drift_looks > 1:
                self._next_drift_look.restart()
        if self._next_journal.seconds_left() <= 0 and not self._follower.left:
            self._write_journal(loop)

    def _pace(self, report: CycleReport, seconds: float) -> None:
        """Let the next cycle learn as much as it can in `cycle_seconds`, by how long this one took.

        Where processors are short, counting comes first: what waits to be counted makes lists old.
        """
        settings = self._config.trainer
        room = self._room * GROWTH
        if seconds > settings.cycle_seconds:
            room = report.learned.fresh * settings.cycle_seconds / seconds
        least = min(settings.cycle_min_clicks, settings.cycle_max_clicks)
        self._room = math.ceil(min(max(room, least), settings.cycle_max_clicks))

    def _out_of_time(self, began: float) -> bool:
        self._metrics.beat()
        return self._clock.monotonic() - began > self._config.trainer.budget_seconds

    def _adopt_rollback(self, loop: LearningLoop) -> None:
        """Learn on from the weights that an operator has put back."""
        current = self._artifacts.current_snapshot()
        if current <= self._version:
            return
        artifact = self._artifacts.read_snapshot(current)
        self._version = current
        try:
            model, generations = decode_snapshot(
                artifact.tensors, artifact.metadata, self._config.model
            )
        except SnapshotError as error:
            _LOGGER.warning("model %d cannot be learned on: %s", current, error)
            return
        loop.adopt(model, generations)
        _LOGGER.info("learns on from model %d", current)

    # Publishing.

    def _publish_snapshot(self, loop: LearningLoop, report: CycleReport) -> None:
        recent = loop.recent_ranks.means("joint")
        facts = {
            EVENT_NAMES: list(self._config.events.weights),
            "parent": self._version,
            "positions": {str(p): offset for p, offset in self._follower.offsets.items()},
            "clicks_learned": loop.totals.fresh,
            "judged": {
                "samples": report.verdict.samples,
                "loss_before": report.verdict.before,
                "loss_after": report.verdict.after,
                "z": report.verdict.z,
            },
            "quality": {**recent, "clicks": len(loop.recent_ranks)},
        }
        self._version = self._artifacts.publish_snapshot(
            *encode_snapshot(loop.stream.model, loop.mirror.generations, facts)
        )
        self._figures.snapshot(self._version, self._clock.time())

    def _publish_view(self, loop: LearningLoop) -> None:
        view = serving_view(loop.mirror, self._clock.time(), self._follower.offsets)
        self._artifacts.publish_view(*encode_view(view))
        self._viewed = True
        self._figures.view(self._clock.time())

    def _write_journal(self, loop: LearningLoop) -> None:
        if loop.waiting:
            return
        standing = Standing(
            checkpoints=self._follower.numbers,
            positions=self._follower.positions,
            version=self._version,
        )
        self._artifacts.save_journal(*write_journal(loop, standing))
        # Until now these were pinned as the ones being read; from now on the journal needs them.
        self._artifacts.pin_checkpoints(JOURNAL_PIN, standing.checkpoints)
        self._next_journal.restart()

"""Who is tested: the learning loop with its baselines, or the baselines alone."""

from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from consumers.learning.live_loop import loop_options
from consumers.offline.windows.options import WindowOptions
from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.interface import Baseline
from gsr.counters.click_batch import ClickBatch
from gsr.counters.ids.id_column import IdColumn
from gsr.counters.users.histories import Histories
from gsr.loop.accepted_clicks import accepted_clicks, uncounted_clicks
from gsr.loop.learning_loop import LearningLoop
from gsr.loop.mirror import Mirror
from gsr.loop.reports import TestedClicks
from gsr.quality.ranking_metrics import MISS


class Contestants(Protocol):
    """Models that are tested side by side (M of them), and learn the same clicks."""

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""

    @property
    def mirror(self) -> Mirror:
        """The counters of users and items."""

    def rank(
        self,
        histories: Histories,
        targets: npt.NDArray[np.int64],
        users: npt.NDArray[np.uint64],
    ) -> npt.NDArray[np.int32]:
        """Rank clicks as all are now, and learn nothing (see `LearningLoop.rank`).

        Where repeats are excluded, those among the clicks are `MISS`.
        """

    def take(self, batch: ClickBatch, tested: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
        """Learn a cycle of clicks, ranking those of `tested` just before they are counted.

        Where repeats are excluded, those among the tested clicks are `MISS`.

        Returns
        -------
        int32 [s, M], ranks of the tested clicks, in order.
        """


class JointAndBaselines:
    """The learning loop, a cycle at a time.

    Parameters
    ----------
    options
        See `WindowOptions`.
    baselines
        Beside the joint model.
    """

    def __init__(self, options: WindowOptions, baselines: Baseline) -> None:
        config = options.config
        changed = replace(
            loop_options(config),
            learner=replace(config.learner, seed=options.seed),
            mask_seen=options.repeats == "exclude",
        )
        self._found: list[TestedClicks] = []
        self._loop = LearningLoop(changed, baselines=baselines, on_tested=self._found.append)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the joint model and the baselines."""
        return self._loop.names

    @property
    def mirror(self) -> Mirror:
        """The counters of users and items."""
        return self._loop.mirror

    def rank(
        self,
        histories: Histories,
        targets: npt.NDArray[np.int64],
        users: npt.NDArray[np.uint64],
    ) -> npt.NDArray[np.int32]:
        """Rank clicks as all are now, and learn nothing (see `Contestants`)."""
        ranks = self._loop.rank(histories, targets, users)
        if self._loop.options.mask_seen:
            ranks[_repeated(histories.items, targets)] = MISS
        return ranks

    def take(self, batch: ClickBatch, tested: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
        """Learn a cycle of clicks, ranking those of `tested` just before (see `Contestants`)."""
        self._found.clear()
        self._loop.advance(batch, rank=bool(tested.any()), chosen=tested)
        self._loop.test()
        self._loop.learn()
        # The loop tests no excluded repeats.
        asked = batch.offsets[tested]
        ranks = np.full((len(asked), len(self.names)), MISS, dtype=np.int32)
        for found in self._found:
            ranks[np.searchsorted(asked, found.offsets)] = found.ranks
        return ranks


class BaselinesAlone:
    """The baselines without the joint model, which is many times faster.

    Parameters
    ----------
    options
        See `WindowOptions`.
    baselines
        All of them.
    """

    def __init__(self, options: WindowOptions, baselines: Baseline) -> None:
        config = options.config
        self._baselines = baselines
        self._excluding = options.repeats == "exclude"
        self.mirror = Mirror(config.state.shape(), config.model.event_weights)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the baselines' columns."""
        return self._baselines.names

    def rank(
        self,
        histories: Histories,
        targets: npt.NDArray[np.int64],
        users: npt.NDArray[np.uint64],
    ) -> npt.NDArray[np.int32]:
        """Rank clicks as all are now, and count nothing (see `Contestants`)."""
        clicks = uncounted_clicks(histories, targets, users)
        scored = np.ones(len(targets), dtype=np.bool_)
        return self._baselines.rank(
            clicks, scored=self._rankable(clicks, scored), mask_history=self._excluding
        )

    def take(self, batch: ClickBatch, tested: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
        """Count clicks, ranking those of `tested` just before (see `Contestants`)."""
        found = []
        hashes = IdColumn.of(batch.user_ids).hashes
        start = 0
        while start < len(batch):
            applied, changed = self.mirror.push(batch, start)
            if len(changed):
                self._baselines.release(changed)
            rows = applied.accepted_rows
            clicks = accepted_clicks(applied, rows, self.mirror.weights, hashes)
            scored = tested[rows] & (clicks.lengths > 0)
            ranks = self._baselines.rank_and_add(
                clicks, scored=self._rankable(clicks, scored), mask_history=self._excluding
            )
            self.mirror.arrays.apply_edges(applied, applied.start, applied.stop)
            found.append(ranks[scored])
            start = applied.stop
        return np.concatenate(found)

    def _rankable(
        self, clicks: CountedClicks, asked: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        """Return which of the clicks that are asked for are no excluded repeats."""
        return asked & ~_repeated(clicks.histories, clicks.targets) if self._excluding else asked


def _repeated(
    histories: npt.NDArray[np.int64], targets: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return whether each target is in its history, bool [n]."""
    found: npt.NDArray[np.bool_] = ((histories == targets[:, None]) & (histories >= 0)).any(axis=1)
    return found

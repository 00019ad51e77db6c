"""Test, train, judge: one loop for live and for replayed clicks.

`advance` counts clicks and records what the counters said before each; `test` ranks them by the
model that is serving; `learn` makes a cycle of them.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.counters import BaselineCounters
from gsr.baselines.interface import Baseline
from gsr.counters.applied_clicks import AppliedClicks
from gsr.counters.click_batch import ClickBatch
from gsr.counters.ids.id_column import IdColumn
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.learning.learner import Learner
from gsr.learning.samples import Samples, join
from gsr.loop.click_recorder import (
    ClickRecorder,
    RecordedClicks,
    accepted_clicks,
    uncounted_clicks,
)
from gsr.loop.item_clicks import ItemClicks, ItemTotals
from gsr.loop.mirror import Mirror
from gsr.loop.options import LoopOptions
from gsr.loop.reports import CycleReport, LoopTotals, TestedClicks, TimedAlarm
from gsr.network.encoded import EncodedItems
from gsr.network.item_table import as_rows
from gsr.network.model import JointModel
from gsr.quality.drift import OutcomeDetector
from gsr.quality.prequential import NEW_USER_CLICKS, Prequential, RecentRanks
from gsr.ranking.click_ranks import Queries, rank_clicks
from gsr.ranking.frozen_ranks import rank_frozen
from gsr.votes.constants import NEW_ITEM_CLICKS

CHUNK_CLICKS: Final = 512
"""Recorded clicks, roughly, that share negatives; also bounds the memory of notes."""

LONGEST_CHUNK: Final = 4096

KEPT_ALARMS: Final = 10_000

HIT_CUTOFF: Final = 20
"""A served list hits if the clicked item is among its first so many."""


class LearningLoop:
    """Takes clicks in, ranks each by the serving model, learns them, and judges the outcome.

    Parameters
    ----------
    options
        See `LoopOptions`.
    model
        Learned in place; it also ranks.
    baselines
        Measured on the same clicks; None: counters at `LoopOptions.half_lives`.
    on_tested
        Is given all clicks that were tested, as they are.

    Attributes
    ----------
    names
        Of the models that are tested: "joint" and the baselines' columns.
    mirror
        Live counters.
    learner
        Of the model.
    quality, warmup_quality
        Of tested clicks, and of clicks that came with ``rank=False`` (baselines only).
    recent_ranks
        Of the tested clicks, the newest.
    detector
        Of drift, fed with every tested click.
    alarms
        The newest ones that it raised.
    item_clicks, item_totals
        Clicks by item since they were last taken, and since the beginning.
    totals
        Counts since the beginning.
    rng
        Draws negatives, and the clicks that are left out for lack of time.
    alarmed_cycles
        Cycles that the learning effort stays raised.
    recent_users
        Readable histories of users of the newest tested clicks; None before the first.
    """

    def __init__(
        self,
        options: LoopOptions,
        model: JointModel,
        baselines: Baseline | None = None,
        on_tested: Callable[[TestedClicks], None] | None = None,
    ) -> None:
        self.options = options
        self.mirror = Mirror(options.state, options.model.event_weights, options.partitions)
        self.learner = Learner(model, options.learner)
        self.baselines = baselines or BaselineCounters(options.half_lives)
        self.names = ("joint", *self.baselines.names)
        self.quality = Prequential(self.names)
        self.warmup_quality = Prequential(self.names[1:])
        self.recent_ranks = RecentRanks(self.names, options.recent_clicks)
        self.detector = OutcomeDetector()
        self.alarms: deque[TimedAlarm] = deque(maxlen=KEPT_ALARMS)
        self.item_clicks = ItemClicks()
        self.item_totals = ItemTotals()
        self.totals = LoopTotals()
        self.rng = np.random.default_rng(options.learner.seed)
        self.alarmed_cycles = 0
        self.recent_users: Histories | None = None
        self._recorder = ClickRecorder(options, self.mirror, self.rng)
        self._on_tested = on_tested
        self._untested: list[RecordedClicks] = []
        self._unlearned: list[Samples] = []
        self._encoded: EncodedItems | None = None

    @property
    def model(self) -> JointModel:
        """The model that is serving (between cycles) and learned."""
        return self.learner.model

    @property
    def waiting(self) -> int:
        """How many samples wait to be learned."""
        return sum(map(len, self._unlearned)) + sum(len(c.samples) for c in self._untested)

    @property
    def alarmed(self) -> bool:
        """Whether drift raises the learning effort."""
        return self.alarmed_cycles > 0

    def seed(self, graph: ItemGraph) -> None:
        """Begin counting with what `graph` holds, instead of with nothing.

        Raises
        ------
        TypeError
            The loop was given baselines that cannot begin so.
        ValueError
            See `BaselineCounters.seed`.
        """
        if not isinstance(self.baselines, BaselineCounters):
            raise TypeError("only counters at the state's half-lives can be seeded by a graph")
        self.baselines.seed(graph)
        self.item_totals.seed(graph)

    def advance(
        self,
        batch: ClickBatch,
        *,
        rank: bool = True,
        share: float = 1.0,
        chosen: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """Take clicks in: move the counters, and record what was known before each.

        Parameters
        ----------
        batch
            Clicks in order, and forget rows.
        rank
            Whether `test` ranks them; if not, only the baselines are measured.
        share
            Share of the clicks, drawn at random, that is tested and learned; the others are
            counted as shed.
        chosen
            bool [n], which clicks may be tested; None: all.
        """
        # A chunk costs the same however few of its clicks are recorded: the fewer, the longer.
        size = min(round(CHUNK_CLICKS / share), LONGEST_CHUNK)
        for start in range(0, len(batch), size):
            part = batch.slice(start, start + size)
            allowed = None if chosen is None else chosen[start : start + size]
            self._advance_chunk(part, rank=rank, share=share, chosen=allowed)

    def test(self) -> int:
        """Rank what was taken in by the serving model; return how many clicks were tested."""
        tested = 0
        for clicks in self._untested:
            if clicks.tested.any():
                ranks = self._joint_ranks(clicks)[clicks.tested]
                tested += self._note_tested(clicks, ranks)
            self._unlearned.append(clicks.samples)
        if self._untested:
            self.recent_users = self._untested[-1].samples.histories
        self._untested = []
        self.totals.tested += tested
        return tested

    def _note_tested(self, clicks: RecordedClicks, ranks: npt.NDArray[np.int32]) -> int:
        """Hand on the outcome of a test; return how many clicks count as tested."""
        found = TestedClicks(
            offsets=clicks.offsets,
            times=clicks.times,
            ranks=np.column_stack((ranks, clicks.baseline_ranks)),
            user_clicks=clicks.user_clicks,
            item_clicks=clicks.item_clicks,
            version=self.totals.promoted,
        )
        if self._on_tested is not None:
            self._on_tested(found)
        known = found.rows(found.user_clicks > 0)
        self.quality.add(known.ranks)
        self.recent_ranks.add(
            known.ranks,
            new_users=known.user_clicks < NEW_USER_CLICKS,
            new_items=known.item_clicks < NEW_ITEM_CLICKS,
        )
        self._watch(known.times, known.ranks[:, 0] <= HIT_CUTOFF)
        return len(known)

    def rank(
        self,
        histories: Histories,
        targets: npt.NDArray[np.int64],
        users: npt.NDArray[np.uint64],
    ) -> npt.NDArray[np.int32]:
        """Rank clicks by the serving model and all baselines as they are now, and count none.

        Parameters
        ----------
        histories
            What each of n users clicked before; `now` is when the click happens.
        targets
            int64 [n], rows of the clicked items; -1 for one that is unknown.
        users
            uint64 [n], hashes of the user ids.

        Returns
        -------
        int32 [n, M], from 1; columns as in `names`. `MISS` for an unknown item.
        """
        mask = self.options.mask_seen
        masked = histories.items if mask else np.full((len(targets), 1), -1, dtype=np.int64)
        items, graph = self.encoded_items(), self.mirror.graph()
        joint = rank_frozen(self.model, items, graph, histories, targets, masked)
        clicks = uncounted_clicks(histories, targets, users)
        scored = np.ones(len(targets), dtype=np.bool_)
        others = self.baselines.rank(clicks, scored=scored, mask_history=mask)
        return np.column_stack((joint, others))

    def learn(self, out_of_time: Callable[[], bool] = lambda: False) -> CycleReport | None:
        """Learn all tested clicks and judge the outcome; None where there are none.

        Parameters
        ----------
        out_of_time
            Asked between steps; once true, replay is shed.

        Raises
        ------
        TrainingError
            The numbers were not finite; the cycle is dropped, the weights are the old ones.
        """
        if not self._unlearned:
            return None
        samples = join(self._unlearned)
        self._unlearned = []
        effort = self.options.alarm_effort if self.alarmed else 1.0
        self.alarmed_cycles = max(self.alarmed_cycles - 1, 0)
        learned = self.learner.learn(
            samples, self.mirror.graph(), effort=effort, out_of_time=out_of_time
        )
        verdict = self.learner.judge(self.mirror.graph())
        self.totals.add_cycle(learned, verdict)
        self._encoded = None
        return CycleReport(learned=learned, verdict=verdict, effort=effort)

    def let_samples_go(self) -> list[Samples]:
        """Forget the tested clicks that wait to be learned; return what is forgotten."""
        forgotten, self._unlearned = self._unlearned, []
        return forgotten

    def serve(self, model: JointModel) -> None:
        """Rank with another model from now on, with a learner of its own.

        Parameters
        ----------
        model
            With a row for each of the mirror's; its shape may differ from the one before in all
            but time scales and events.
        """
        self.learner = Learner(model, self.options.learner)
        self._encoded = None

    def let_items_in(self) -> None:
        """Give the items that came since the last cycle their rows; a cycle of learning does so."""
        self._encoded = None

    def adopt(self, model: JointModel, generations: npt.NDArray[np.int64]) -> None:
        """Go on from another model's weights; rows that stood for other items then are kept.

        Parameters
        ----------
        model
            Of the same configuration.
        generations
            int64 [N'], the generation of each of its rows.
        """
        self.learner.promote()
        self.model.network.load_state_dict(model.network.state_dict())
        count = min(self.model.items, len(generations))
        same = generations[:count] == self.mirror.generations[:count]
        rows = as_rows(np.flatnonzero(same))
        self.model.table.weight[rows] = model.table.weight[rows]
        self._encoded = None

    def encoded_items(self) -> EncodedItems:
        """Return the serving model's item tables as of the newest cycle."""
        if self._encoded is None:
            self.model.grow(self.mirror.graph())
            self._encoded = self.model.encode_items(self.mirror.graph())
        return self._encoded

    def _watch(self, times: npt.NDArray[np.float64], hits: npt.NDArray[np.bool_]) -> None:
        first = self.detector.outcomes
        for alarm in self.detector.update(hits):
            time = float(times[alarm.outcome - first])
            self.alarms.append(TimedAlarm(time, alarm.detector, alarm.before, alarm.after))
            self.alarmed_cycles = self.options.alarm_cycles

    def _advance_chunk(
        self,
        batch: ClickBatch,
        *,
        rank: bool,
        share: float,
        chosen: npt.NDArray[np.bool_] | None,
    ) -> None:
        # The tables must be those from before these clicks' own edges.
        self.encoded_items()
        start = 0
        while start < len(batch):
            applied, changed = self.mirror.push(batch, start)
            self._forget_rows(changed)
            self._take(batch, applied, rank=rank, share=share, chosen=chosen)
            start = applied.stop

    def _forget_rows(self, rows: npt.NDArray[np.int64]) -> None:
        """Rows now stand for other items, or for none: forget what was learned about them."""
        if len(rows) == 0:
            return
        self.test()
        self.baselines.release(rows)
        self.item_totals.release(rows)
        self.learner.renew(rows, self.mirror.graph())
        self._unlearned = [_without(samples, rows) for samples in self._unlearned]
        self._encoded = None

    def _take(
        self,
        batch: ClickBatch,
        applied: AppliedClicks,
        *,
        rank: bool,
        share: float,
        chosen: npt.NDArray[np.bool_] | None,
    ) -> None:
        rows = applied.accepted_rows
        user_ids = IdColumn.of(batch.user_ids)
        clicks = accepted_clicks(applied, rows, self.mirror.weights, user_ids.hashes)
        self.totals.clicks += len(rows)
        self.totals.forgotten += int(batch.forget[applied.start : applied.stop].sum())
        wanted = self._wanted(clicks, share)
        tested = wanted.copy() if chosen is None else wanted & chosen[rows]
        if not self.options.test_first_clicks:
            tested &= clicks.lengths > 0
        clicks_before = self.item_totals.add(clicks.targets)
        self.item_clicks.add(clicks.targets, clicks_before, self.mirror.items)
        ranks = self.baselines.rank_and_add(
            clicks, scored=tested, mask_history=self.options.mask_seen
        )
        if not rank:
            self.warmup_quality.add(ranks[tested & (clicks.lengths > 0)])
        notes, samples, masked = self._recorder.record(applied, rows[wanted], user_ids)
        self._untested.append(
            RecordedClicks(
                notes=notes,
                samples=samples,
                masked=masked,
                tested=tested[wanted] & rank,
                offsets=batch.offsets[rows[tested]],
                times=clicks.times[tested],
                baseline_ranks=ranks[tested],
                user_clicks=clicks.lengths[tested],
                item_clicks=clicks_before[tested],
            )
        )
        self._shed()

    def _wanted(self, clicks: CountedClicks, share: float) -> npt.NDArray[np.bool_]:
        """Return which of the accepted clicks are tested and learned; a whole share draws none."""
        wanted = clicks.weights > 0.0
        if self.options.mask_seen:
            wanted &= (clicks.histories != clicks.targets[:, None]).all(axis=1)
        if share >= 1.0:
            return wanted
        kept: npt.NDArray[np.bool_] = wanted & (self.rng.random(len(wanted)) < share)
        self.totals.shed_fresh += int(wanted.sum() - kept.sum())
        return kept

    def _shed(self) -> None:
        """Drop the oldest samples past what may wait."""
        while self._unlearned and self.waiting > self.options.most_samples:
            self.totals.shed_fresh += len(self._unlearned.pop(0))

    def _joint_ranks(self, clicks: RecordedClicks) -> npt.NDArray[np.int32]:
        chosen = np.flatnonzero(clicks.tested)
        samples, items = clicks.samples, self.encoded_items()
        found = self.model.user_queries(
            samples.histories.rows(chosen),
            self.mirror.graph(),
            items=items,
            context=samples.context[chosen],
        )
        vectors = np.zeros((len(samples), found.vectors.shape[1]), dtype=np.float32)
        weights = np.zeros((len(samples), found.channel_weights.shape[1]), dtype=np.float32)
        vectors[chosen] = found.vectors
        weights[chosen] = found.channel_weights
        queries = Queries(vectors, weights, items.fused[: len(clicks.notes.first_alive)])
        half_lives = self.mirror.graph().half_lives
        return rank_clicks(clicks.notes, queries, half_lives, clicks.tested, clicks.masked)


def _without(samples: Samples, rows: npt.NDArray[np.int64]) -> Samples:
    """Leave out samples whose clicked item has left."""
    return samples.rows(np.flatnonzero(~np.isin(samples.candidates[:, 0], rows)))

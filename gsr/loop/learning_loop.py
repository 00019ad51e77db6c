"""Test, train, judge: one loop for live and for replayed clicks.

`advance` counts clicks and finds the candidates of each just before; `test` ranks these by the
weights that are serving; `learn` makes a cycle of them.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
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
from gsr.counters.items.partition_items import PartitionItems
from gsr.counters.users.histories import Histories
from gsr.loop.accepted_clicks import accepted_clicks, uncounted_clicks
from gsr.loop.item_clicks import ItemClicks, ItemTotals
from gsr.loop.mirror import Mirror
from gsr.loop.options import LoopOptions
from gsr.loop.ranker_stream import RankerStream
from gsr.loop.reports import CycleReport, LoopTotals, TestedClicks, TimedAlarm
from gsr.quality.drift import OutcomeDetector
from gsr.quality.prequential import NEW_USER_CLICKS, Prequential, RecentRanks
from gsr.ranker.model import RankerModel
from gsr.ranker.recorder import Recorded
from gsr.votes.constants import NEW_ITEM_CLICKS

CHUNK_CLICKS: Final = 512
"""Recorded clicks, roughly, that are counted together: bounds the memory of their candidates."""

LONGEST_CHUNK: Final = 4096

KEPT_ALARMS: Final = 10_000

LIST_USERS: Final = 200
"""The histories of so many users are kept for lists, of those tested last."""

HIT_CUTOFF: Final = 20
"""A served list hits if the clicked item is among its first so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Untested:
    """Counted clicks that wait to be tested; r recorded ones, of which s are to be ranked.

    Parameters
    ----------
    recorded
        What the learner noted of them.
    tested
        bool [r], which are to be ranked.
    offsets, times, baseline_ranks, user_clicks, item_clicks
        int64 [s], float64 [s], int32 [s, M], int64 [s] and int64 [s], of these: offset, event time,
        ranks by the baselines, clicks in the user's buffer, and earlier clicks on the item.
    histories
        Readable ones of the newest of these clicks, at most `LIST_USERS`.
    """

    recorded: Recorded
    tested: npt.NDArray[np.bool_]
    offsets: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    baseline_ranks: npt.NDArray[np.int32]
    user_clicks: npt.NDArray[np.int64]
    item_clicks: npt.NDArray[np.int64]
    histories: Histories


class LearningLoop:
    """Takes clicks in, ranks each by the serving model, learns them, and judges the outcome.

    Parameters
    ----------
    options
        See `LoopOptions`.
    model
        Learned in place; it also ranks. None: a new one.
    baselines
        Measured on the same clicks; None: counters at `LoopOptions.half_lives`.
    on_tested
        Is given all clicks that were tested, as they are.
    stream_of
        Makes the ranker on the loop's counters, where its vectors are brought to it. None: one
        that learns its own.

    Attributes
    ----------
    names
        Of the models that are tested: "joint" and the baselines' columns.
    mirror
        Live counters.
    stream
        The model that serves (between cycles) and learns.
    quality, warmup_quality
        Of tested clicks, and of clicks that came with ``rank=False`` (baselines only).
    recent_ranks
        Of the tested clicks, the newest.
    detector
        Of drift, fed with every tested click of a user of whom something was known.
    alarms
        The newest ones that it raised.
    item_clicks, item_totals
        Clicks by item since they were last taken, and since the beginning.
    totals
        Counts since the beginning.
    rng
        Draws the clicks that are left out for lack of time.
    recent_users
        Readable histories of users of the newest tested clicks; None before the first.
    """

    def __init__(
        self,
        options: LoopOptions,
        model: RankerModel | None = None,
        baselines: Baseline | None = None,
        on_tested: Callable[[TestedClicks], None] | None = None,
        stream_of: Callable[[Mirror], RankerStream] | None = None,
    ) -> None:
        self.options = options
        self.mirror = Mirror(options.state, options.model.event_weights, options.partitions)
        if stream_of is None:
            self.stream = RankerStream(
                model or RankerModel(options.model, options.learner.seed),
                options.learner,
                self.mirror.arrays,
                mask_seen=options.mask_seen,
            )
        else:
            self.stream = stream_of(self.mirror)
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
        self.recent_users: Histories | None = None
        self._on_tested = on_tested
        self._untested: list[_Untested] = []

    @property
    def waiting(self) -> int:
        """How many clicks wait to be learned."""
        return self.stream.waiting + sum(len(c.recorded) for c in self._untested)

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
        self.stream.counters_changed()

    def absorb(self, table: PartitionItems) -> None:
        """Add a partition's items and counters to the loop's own."""
        self.mirror.absorb(table)
        self.stream.counters_changed()

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
        hashes = IdColumn.of(batch.user_ids).hashes
        start = 0
        while start < len(batch):
            stop = self._chunk_stop(hashes, start, min(start + size, len(batch)))
            part = batch.slice(start, stop)
            allowed = None if chosen is None else chosen[start:stop]
            self._advance_chunk(part, hashes[start:stop], rank=rank, share=share, chosen=allowed)
            start = stop

    def _chunk_stop(self, users: npt.NDArray[np.uint64], start: int, stop: int) -> int:
        """Return where a chunk ends: before anybody's click has left their buffer again.

        What left a buffer is known by the seen filter alone, which is asked when the whole chunk
        has entered the buffers.
        """
        most = self.options.state.buffer_length
        if stop - start <= most:
            return stop
        order = np.argsort(users[start:stop], kind="stable")
        found = users[start:stop][order]
        full = found[most - 1 :] == found[: len(found) - most + 1]
        if not full.any():
            return stop
        return start + max(int(order[most - 1 :][full].min()), 1)

    def test(self) -> int:
        """Rank what was taken in by the serving model; return how many clicks were tested."""
        tested = 0
        for clicks in self._untested:
            ranks = self.stream.test(clicks.recorded, clicks.tested)
            if clicks.tested.any():
                tested += self._note_tested(clicks, ranks)
        if self._untested:
            self.recent_users = self._untested[-1].histories
        self._untested = []
        self.totals.tested += tested
        self.totals.shed_fresh += self.stream.drop_waiting(self.options.most_samples)
        return tested

    def _note_tested(self, clicks: _Untested, ranks: npt.NDArray[np.int32]) -> int:
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
        int32 [n, M], from 1; columns as in `names`. `MISS` for an item that the model has not
        kept as a candidate, or that a baseline does not rank among its first hundred.
        """
        mask = self.options.mask_seen
        joint = self.stream.rank(histories, targets, mask_history=mask)
        clicks = uncounted_clicks(histories, targets, users)
        scored = np.ones(len(targets), dtype=np.bool_)
        others = self.baselines.rank(clicks, scored=scored, mask_history=mask)
        return np.column_stack((joint, others))

    def learn(self, out_of_time: Callable[[], bool] = lambda: False) -> CycleReport | None:
        """Learn all tested clicks and judge the outcome; None where there are none.

        Parameters
        ----------
        out_of_time
            Asked before each replayed block; once true, replay is shed.

        Raises
        ------
        TrainingError
            The numbers were not finite; the cycle is dropped, the weights are the old ones.
        """
        found = self.stream.learn(out_of_time)
        if found is None:
            return None
        learned, verdict = found
        self.totals.add_cycle(learned, verdict)
        return CycleReport(learned=learned, verdict=verdict)

    def let_go(self) -> None:
        """Let the tested clicks go that wait to be learned."""
        self.stream.drop_waiting()

    def adopt(self, model: RankerModel, generations: npt.NDArray[np.int64]) -> None:
        """Go on from another model's weights; rows that stood for other items then are kept.

        Parameters
        ----------
        model
            Of the same configuration.
        generations
            int64 [N'], the generation of each item row when it was learned.
        """
        count = min(self.mirror.items, len(generations))
        same = generations[:count] == self.mirror.generations[:count]
        self.stream.adopt(model, np.flatnonzero(same))

    def _watch(self, times: npt.NDArray[np.float64], hits: npt.NDArray[np.bool_]) -> None:
        first = self.detector.outcomes
        for alarm in self.detector.update(hits):
            time = float(times[alarm.outcome - first])
            self.alarms.append(TimedAlarm(time, alarm.detector, alarm.before, alarm.after))

    def _advance_chunk(
        self,
        batch: ClickBatch,
        users: npt.NDArray[np.uint64],
        *,
        rank: bool,
        share: float,
        chosen: npt.NDArray[np.bool_] | None,
    ) -> None:
        self.stream.begin_chunk()
        start = 0
        while start < len(batch):
            applied, changed = self.mirror.push(batch, start)
            self._forget_rows(changed)
            self._take(batch, users, applied, rank=rank, share=share, chosen=chosen)
            start = applied.stop

    def _forget_rows(self, rows: npt.NDArray[np.int64]) -> None:
        """Rows now stand for other items, or for none: forget what was learned about them."""
        if len(rows) == 0:
            return
        self.test()
        self.baselines.release(rows)
        self.item_totals.release(rows)
        self.stream.renew(rows)

    def _take(
        self,
        batch: ClickBatch,
        users: npt.NDArray[np.uint64],
        applied: AppliedClicks,
        *,
        rank: bool,
        share: float,
        chosen: npt.NDArray[np.bool_] | None,
    ) -> None:
        rows = applied.accepted_rows
        clicks = accepted_clicks(applied, rows, self.mirror.weights, users)
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
        chosen_rows = rows[wanted]
        self._untested.append(
            _Untested(
                recorded=self.stream.record(applied, chosen_rows, users[chosen_rows]),
                tested=tested[wanted] & rank,
                offsets=batch.offsets[rows[tested]],
                times=clicks.times[tested],
                baseline_ranks=ranks[tested],
                user_clicks=clicks.lengths[tested],
                item_clicks=clicks_before[tested],
                histories=self._readable(applied, chosen_rows[-LIST_USERS:]),
            )
        )

    def _readable(self, applied: AppliedClicks, rows: npt.NDArray[np.int64]) -> Histories:
        model = self.options.model
        return applied.histories(rows).recent(model.history_length, model.event_weights)

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

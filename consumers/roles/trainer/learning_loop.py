"""Test, train, judge: what the trainer does with clicks, whether they are live or replayed.

Clicks are taken in with `advance`, which moves the live counters and notes what was known before
each click; `test` ranks them by the model that is serving; `learn` makes a cycle of them. Nothing
here knows of files, logs or clocks.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from consumers.roles.trainer.event_rows import slice_clicks
from consumers.roles.trainer.loop_records import (
    Accepted,
    CycleReport,
    LoopOptions,
    LoopTotals,
    Segment,
    SpanCounts,
    TimedAlarm,
)
from consumers.roles.trainer.mirror import Mirror
from gsr.counters.applied import Applied
from gsr.counters.click_batch import ClickBatch
from gsr.counters.histories import Histories
from gsr.counters.id_column import IdColumn
from gsr.counters.item_graph import ItemGraph
from gsr.learning.learner import Learner, LearnReport, Verdict
from gsr.learning.samples import Samples, join
from gsr.network.encoded import EncodedItems
from gsr.network.item_table import as_rows
from gsr.network.model import JointModel
from gsr.quality.drift import OutcomeDetector
from gsr.quality.prequential import NEW_USER_CLICKS, Prequential, RecentRanks
from gsr.ranking.click_ranks import Queries, rank_clicks
from gsr.ranking.retrieval import top_k
from gsr.votes.baseline_kernels import Clicks as CountedClicks
from gsr.votes.baselines import BaselineCounters
from gsr.votes.constants import NEW_ITEM_CLICKS
from gsr.votes.negatives import SharedNegatives, draw_negatives
from gsr.votes.popularity import popularity_levels
from gsr.votes.recording import Notes, edges_into, open_notes, samples_of

SEGMENT_CLICKS: Final = 512
"""Noted clicks, roughly, that share negatives; also bounds the memory of notes."""

LONGEST_SEGMENT: Final = 4096

KEPT_ALARMS: Final = 10_000

HIT_CUTOFF: Final = 20
"""A served list hits if the clicked item is among its first so many."""


class LearningLoop:
    """The trainer's heart.

    Parameters
    ----------
    options
        See `LoopOptions`.
    mirror
        Live counters.
    learner
        Learns the model that also ranks.
    rng
        Draws negatives.

    Attributes
    ----------
    quality, warmup_quality
        Of tested clicks, and of clicks that came with ``rank=False`` (baselines only).
    recent_ranks
        Of the tested clicks, the newest.
    detector
        Of drift, fed with every tested click.
    alarms
        The newest ones that it raised.
    span
        Clicks by item since somebody last took them.
    totals
        Counts since the beginning.
    alarmed_cycles
        Cycles that the learning effort stays raised.
    """

    def __init__(
        self, options: LoopOptions, mirror: Mirror, learner: Learner, rng: np.random.Generator
    ) -> None:
        self.options = options
        self.mirror = mirror
        self.learner = learner
        self.baselines = BaselineCounters(options.half_lives)
        names = ("joint", *self.baselines.names)
        self.quality = Prequential(names, options.window_seconds, options.windows_kept)
        self.warmup_quality = Prequential(names[1:], options.window_seconds, windows_kept=1)
        self.recent_ranks = RecentRanks(names, options.recent_clicks)
        self.detector = OutcomeDetector()
        self.alarms: deque[TimedAlarm] = deque(maxlen=KEPT_ALARMS)
        self.span = SpanCounts()
        self.totals = LoopTotals()
        self.rng = rng
        self._segments: list[Segment] = []
        self._fresh: list[Samples] = []
        self._encoded: EncodedItems | None = None
        self._recent: Histories | None = None
        self.alarmed_cycles = 0

    @property
    def model(self) -> JointModel:
        """The model that is serving (between cycles) and learned."""
        return self.learner.model

    @property
    def waiting(self) -> int:
        """How many samples wait to be learned."""
        return sum(map(len, self._fresh)) + sum(len(s.samples) for s in self._segments)

    @property
    def alarmed(self) -> bool:
        """Whether drift raises the learning effort."""
        return self.alarmed_cycles > 0

    def advance(self, batch: ClickBatch, *, rank: bool = True, share: float = 1.0) -> None:
        """Take clicks in: move the counters, and note what was known before each.

        Parameters
        ----------
        batch
            Clicks in order, and forget rows.
        rank
            Whether `test` ranks them; if not, only the baselines are measured.
        share
            Share of the clicks, drawn at random, that is tested and learned; the others are
            counted as shed.
        """
        # A segment costs the same however few of its clicks are noted: the fewer, the longer.
        size = min(round(SEGMENT_CLICKS / share), LONGEST_SEGMENT)
        for start in range(0, len(batch), size):
            segment = slice_clicks(batch, start, start + size)
            self._advance_segment(segment, rank=rank, share=share)

    def test(self) -> int:
        """Rank what was taken in by the serving model; return how many clicks were tested."""
        tested = 0
        for segment in self._segments:
            if segment.scored.any():
                ranks = self._joint_ranks(segment)[segment.scored]
                slices = {"new_users": segment.new_users, "new_items": segment.new_items}
                columns = np.column_stack((ranks, segment.baseline_ranks))
                self.quality.add(segment.times, columns, **slices)
                self.recent_ranks.add(columns, **slices)
                self._watch(segment.times, ranks <= HIT_CUTOFF)
                tested += len(ranks)
            self._fresh.append(segment.samples)
        if self._segments:
            self._recent = self._segments[-1].samples.histories
        self._segments = []
        self.totals.tested += tested
        return tested

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
        if not self._fresh:
            return None
        samples = join(self._fresh)
        self._fresh = []
        effort = self.options.alarm_effort if self.alarmed else 1.0
        self.alarmed_cycles = max(self.alarmed_cycles - 1, 0)
        learned = self.learner.learn(
            samples, self.mirror.graph(), effort=effort, out_of_time=out_of_time
        )
        verdict = self.learner.judge(self.mirror.graph())
        self._count(learned, verdict)
        self._encoded = None
        return CycleReport(learned=learned, verdict=verdict, effort=effort)

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

    def recent_lists(self, users: int, length: int) -> npt.NDArray[np.int64]:
        """Return what the users tested last would get now: int64 [B, length], -1 for nothing.

        Parameters
        ----------
        users
            At most so many.
        length
            Items per list.
        """
        if self._recent is None:
            return np.zeros((0, length), dtype=np.int64)
        histories = self._recent.rows(np.arange(len(self._recent))[-users:])
        graph, items = self.mirror.graph(), self.encoded_items()
        levels = np.empty((graph.items, graph.scales))
        popularity_levels(graph, levels)
        found = self.model.user_queries(histories, graph, items=items)
        return top_k(
            found.vectors,
            found.channel_weights,
            items.fused,
            graph,
            levels,
            histories,
            list(histories.items),
            length,
            history=self.options.model.channel_history,
            decay=self.options.model.channel_decay,
        ).rows

    def _watch(self, times: npt.NDArray[np.float64], hits: npt.NDArray[np.bool_]) -> None:
        first = self.detector.outcomes
        for alarm in self.detector.update(hits):
            time = float(times[alarm.outcome - first])
            self.alarms.append(TimedAlarm(time, alarm.detector, alarm.before, alarm.after))
            self.alarmed_cycles = self.options.alarm_cycles

    def _advance_segment(self, batch: ClickBatch, *, rank: bool, share: float) -> None:
        # The tables must be those from before these clicks' own edges.
        self.encoded_items()
        start = 0
        while start < len(batch):
            applied, changed = self.mirror.push(batch, start)
            self._forget_rows(changed)
            self._take(batch, applied, rank=rank, share=share)
            start = applied.stop

    def _forget_rows(self, rows: npt.NDArray[np.int64]) -> None:
        """Rows now stand for other items, or for none: forget what was learned about them."""
        if len(rows) == 0:
            return
        self.test()
        self.baselines.release(rows)
        self.learner.renew(rows, self.mirror.graph())
        self._fresh = [_without(samples, rows) for samples in self._fresh]
        self._encoded = None

    def _take(self, batch: ClickBatch, applied: Applied, *, rank: bool, share: float) -> None:
        accepted = self._accepted(applied)
        self.totals.clicks += len(accepted.rows)
        self.totals.forgotten += int(batch.forget[applied.start : applied.stop].sum())
        positive = accepted.weights > 0.0
        wanted = positive & ~accepted.repeats if self.options.mask_seen else positive
        wanted = self._thinned(wanted, share)
        scored = wanted & (accepted.histories.lengths > 0)
        clicks_before = self.baselines.clicks_before(accepted.targets)
        self.span.add(accepted.targets, clicks_before, self.mirror.items)
        ranks = self.baselines.rank_and_add(
            _counted(accepted, applied), scored=scored, mask_history=self.options.mask_seen
        )
        segment = self._note(batch, applied, accepted, wanted, scored)
        segment.times = accepted.times[scored]
        segment.baseline_ranks = ranks[scored]
        segment.new_users = accepted.histories.lengths[scored] < NEW_USER_CLICKS
        segment.new_items = clicks_before[scored] < NEW_ITEM_CLICKS
        if not rank:
            self.warmup_quality.add(
                segment.times,
                segment.baseline_ranks,
                new_users=segment.new_users,
                new_items=segment.new_items,
            )
            segment.scored[:] = False
        self._segments.append(segment)
        self._shed()

    def _accepted(self, applied: Applied) -> Accepted:
        rows = np.flatnonzero(applied.accepted[: applied.stop])
        rows = rows[rows >= applied.start]
        times = applied.times[rows]
        return Accepted(
            rows=rows,
            targets=applied.item_rows[rows],
            times=times,
            weights=self.mirror.weights[applied.events[rows]],
            histories=Histories(
                applied.history_items[rows],
                applied.history_times[rows],
                applied.history_events[rows],
                applied.history_lengths[rows],
                times,
            ),
        )

    def _note(
        self,
        batch: ClickBatch,
        applied: Applied,
        accepted: Accepted,
        wanted: npt.NDArray[np.bool_],
        scored: npt.NDArray[np.bool_],
    ) -> Segment:
        """Add the accepted clicks' edges and popularity, noting the wanted ones beforehand."""
        model = self.options.model
        record_of = np.full(applied.stop, -1, dtype=np.int64)
        record_of[accepted.rows[wanted]] = np.arange(int(wanted.sum()))
        targets = np.full(applied.stop, -1, dtype=np.int64)
        targets[accepted.rows] = accepted.targets
        raw = accepted.histories.rows(np.flatnonzero(wanted))
        readable = raw.recent(model.history_length, model.event_weights)
        graph = self.mirror.graph()
        masked = raw.items if self.options.mask_seen else np.full((len(raw), 1), -1)
        notes = open_notes(
            graph,
            record_of,
            targets,
            readable,
            masked,
            self._negatives(graph),
            self.options.learner.neighbour_negatives,
            model,
        )
        notes = self.mirror.add(applied, notes, self.options.learner.neighbour_negatives)
        clicks = accepted.rows[wanted]
        return Segment(
            notes=notes,
            samples=self._samples(batch, applied, notes, readable, clicks),
            masked=masked,
            scored=scored[wanted],
            times=np.zeros(0),
            baseline_ranks=np.zeros((0, 0), dtype=np.int32),
            new_users=np.zeros(0, dtype=np.bool_),
            new_items=np.zeros(0, dtype=np.bool_),
        )

    def _samples(
        self,
        batch: ClickBatch,
        applied: Applied,
        notes: Notes,
        histories: Histories,
        clicks: npt.NDArray[np.int64],
    ) -> Samples:
        width = len(self.options.state.window_weights)
        sources = np.empty((len(clicks), width), dtype=np.int64)
        amounts = np.empty((len(clicks), width), dtype=np.float32)
        edges_into(
            clicks,
            applied.item_rows[clicks],
            applied.edge_starts,
            applied.edge_sources,
            applied.edge_targets,
            applied.edge_weights,
            sources,
            amounts,
        )
        hashes = IdColumn.of(batch.user_ids).hashes[clicks]
        return samples_of(notes, histories, sources, amounts, hashes)

    def _negatives(self, graph: ItemGraph) -> SharedNegatives:
        """Draw from popularity on every time scale alike."""
        ages = graph.popularity_references - graph.popularity_references.max(axis=0, initial=0)
        popularity = graph.popularity * np.exp2(ages.astype(np.float64))
        totals = popularity.sum(axis=0)
        shares = (popularity / np.where(totals > 0.0, totals, 1.0)).mean(axis=1)
        learner = self.options.learner
        return draw_negatives(
            shares, graph.alive, learner.negatives, learner.uniform_share, self.rng
        )

    def _joint_ranks(self, segment: Segment) -> npt.NDArray[np.int32]:
        chosen = np.flatnonzero(segment.scored)
        samples, items = segment.samples, self.encoded_items()
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
        queries = Queries(vectors, weights, items.fused[: len(segment.notes.first_alive)])
        half_lives = self.mirror.graph().half_lives
        return rank_clicks(segment.notes, queries, half_lives, segment.scored, segment.masked)

    def _thinned(self, wanted: npt.NDArray[np.bool_], share: float) -> npt.NDArray[np.bool_]:
        """Keep a random share of the clicks; a whole share draws nothing."""
        if share >= 1.0:
            return wanted
        kept = wanted & (self.rng.random(len(wanted)) < share)
        self.totals.shed_fresh += int(wanted.sum() - kept.sum())
        return kept

    def _shed(self) -> None:
        """Drop the oldest samples past what may wait."""
        while self._fresh and self.waiting > self.options.most_samples:
            self.totals.shed_fresh += len(self._fresh.pop(0))

    def _count(self, learned: LearnReport, verdict: Verdict) -> None:
        totals = self.totals
        totals.fresh += learned.fresh
        totals.replayed += learned.replayed
        totals.shed_replay += learned.shed
        totals.steps += learned.steps
        totals.touched_rows += learned.touched_rows
        totals.cycles += 1
        totals.promoted += verdict.promoted
        totals.dropped += not verdict.promoted


def _counted(accepted: Accepted, applied: Applied) -> CountedClicks:
    """Return the accepted clicks as the baselines count them."""
    used = int(applied.edge_starts[applied.stop])
    starts = np.append(applied.edge_starts[accepted.rows], used)
    return CountedClicks(
        targets=accepted.targets,
        times=accepted.times,
        weights=accepted.weights,
        histories=accepted.histories.items,
        lengths=accepted.histories.lengths,
        edge_starts=starts,
        edge_sources=applied.edge_sources[:used],
        edge_targets=applied.edge_targets[:used],
        edge_weights=applied.edge_weights[:used],
        edge_times=applied.edge_times[:used],
    )


def _without(samples: Samples, rows: npt.NDArray[np.int64]) -> Samples:
    """Leave out samples whose clicked item has left."""
    return samples.rows(np.flatnonzero(~np.isin(samples.candidates[:, 0], rows)))

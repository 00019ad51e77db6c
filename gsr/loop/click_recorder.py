"""Clicks on their way into the counters, and what is recorded of each just before."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks
from gsr.counters.applied_clicks import AppliedClicks
from gsr.counters.ids.id_column import IdColumn
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.learning.samples import Samples
from gsr.loop.mirror import Mirror
from gsr.loop.options import LoopOptions
from gsr.votes.negatives import SharedNegatives, draw_negatives
from gsr.votes.recording import Notes, edges_into, open_notes, samples_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedClicks:
    """Counted clicks that wait to be tested; r recorded ones, of which s are to be ranked.

    Parameters
    ----------
    notes, samples
        Of the recorded clicks.
    masked
        int64 [r, L], rows left out of each ranking.
    tested
        bool [r], which recorded clicks are to be ranked.
    offsets, times, baseline_ranks, user_clicks, item_clicks
        int64 [s], float64 [s], int32 [s, M], int64 [s] and int64 [s], of these: offset, event time,
        ranks by the baselines, clicks in the user's buffer, and earlier clicks on the item.
    """

    notes: Notes
    samples: Samples
    masked: npt.NDArray[np.int64]
    tested: npt.NDArray[np.bool_]
    offsets: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    baseline_ranks: npt.NDArray[np.int32]
    user_clicks: npt.NDArray[np.int64]
    item_clicks: npt.NDArray[np.int64]


def accepted_clicks(
    applied: AppliedClicks,
    rows: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    user_hashes: npt.NDArray[np.uint64],
) -> CountedClicks:
    """Return the accepted clicks as baselines count them.

    Parameters
    ----------
    applied
        With histories.
    rows
        int64 [a], all its accepted rows.
    weights
        float64 [codes], of events.
    user_hashes
        uint64 [n], of the batch's user ids.
    """
    used = int(applied.edge_starts[applied.stop])
    return CountedClicks(
        targets=applied.item_rows[rows],
        times=applied.times[rows],
        weights=weights[applied.events[rows]],
        users=user_hashes[rows],
        histories=applied.history_items[rows],
        lengths=applied.history_lengths[rows],
        history_times=applied.history_times[rows],
        edge_starts=np.append(applied.edge_starts[rows], used),
        edge_sources=applied.edge_sources[:used],
        edge_targets=applied.edge_targets[:used],
        edge_weights=applied.edge_weights[:used],
        edge_times=applied.edge_times[:used],
    )


def uncounted_clicks(
    histories: Histories, targets: npt.NDArray[np.int64], users: npt.NDArray[np.uint64]
) -> CountedClicks:
    """Return n clicks that are to be ranked only: they have no edges and no weight.

    Parameters
    ----------
    histories
        What each user clicked before, and when the click happens.
    targets
        int64 [n], item rows.
    users
        uint64 [n], hashes of the user ids.
    """
    count = len(targets)
    return CountedClicks(
        targets=targets,
        times=histories.now,
        weights=np.zeros(count),
        users=users,
        histories=histories.items,
        lengths=histories.lengths,
        history_times=histories.times,
        edge_starts=np.zeros(count + 1, dtype=np.int64),
        edge_sources=np.zeros(0, dtype=np.int64),
        edge_targets=np.zeros(0, dtype=np.int64),
        edge_weights=np.zeros(0),
        edge_times=np.zeros(0),
    )


class ClickRecorder:
    """Adds clicks to the counters, recording wanted ones with what was known before each.

    Parameters
    ----------
    options
        See `LoopOptions`.
    mirror
        The counters.
    rng
        Draws negatives.
    """

    def __init__(self, options: LoopOptions, mirror: Mirror, rng: np.random.Generator) -> None:
        self._options = options
        self._mirror = mirror
        self._rng = rng

    def record(
        self, applied: AppliedClicks, wanted: npt.NDArray[np.int64], user_ids: IdColumn
    ) -> tuple[Notes, Samples, npt.NDArray[np.int64]]:
        """Add the edges and popularity of `applied` to the counters.

        Parameters
        ----------
        applied
            With histories; its buffers are counted already.
        wanted
            int64 [r], accepted rows to record.
        user_ids
            Of the whole batch.

        Returns
        -------
        Notes and samples of the wanted clicks, and int64 [r, L], the rows that rankings leave out.
        """
        model, own = self._options.model, self._options.learner.neighbour_negatives
        record_of = np.full(applied.stop, -1, dtype=np.int64)
        record_of[wanted] = np.arange(len(wanted))
        accepted = applied.accepted_rows
        targets = np.full(applied.stop, -1, dtype=np.int64)
        targets[accepted] = applied.item_rows[accepted]
        raw = applied.histories(wanted)
        readable = raw.recent(model.history_length, model.event_weights)
        masked = raw.items if self._options.mask_seen else np.full((len(raw), 1), -1)
        graph = self._mirror.graph()
        negatives = self._negatives(graph)
        notes = open_notes(graph, record_of, targets, readable, masked, negatives, own, model)
        notes = self._mirror.add(applied, notes, own)
        hashes = user_ids.hashes[wanted]
        return notes, self._samples(applied, notes, readable, wanted, hashes), masked

    def _samples(
        self,
        applied: AppliedClicks,
        notes: Notes,
        histories: Histories,
        rows: npt.NDArray[np.int64],
        user_hashes: npt.NDArray[np.uint64],
    ) -> Samples:
        width = len(self._options.state.window_weights)
        sources = np.empty((len(rows), width), dtype=np.int64)
        amounts = np.empty((len(rows), width), dtype=np.float32)
        edges_into(
            rows,
            applied.item_rows[rows],
            applied.edge_starts,
            applied.edge_sources,
            applied.edge_targets,
            applied.edge_weights,
            sources,
            amounts,
        )
        return samples_of(notes, histories, sources, amounts, user_hashes)

    def _negatives(self, graph: ItemGraph) -> SharedNegatives:
        """Draw from popularity on every time scale alike."""
        ages = graph.popularity_references - graph.popularity_references.max(axis=0, initial=0)
        popularity = graph.popularity * np.exp2(ages.astype(np.float64))
        totals = popularity.sum(axis=0)
        shares = (popularity / np.where(totals > 0.0, totals, 1.0)).mean(axis=1)
        learner = self._options.learner
        return draw_negatives(
            shares, graph.alive, learner.negatives, learner.uniform_share, self._rng
        )

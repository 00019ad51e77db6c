"""The joint model of a fixed set of clicks on the stream: it is tested there, and never learns.

Clicks are recorded with what the counters said before each (`gsr.votes.recording`), and ranked by
the model's vectors and channels. `take_samples` hands out what was recorded, to learn trust from.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsr.config import RecordingConfig
from gsr.counters.applied_clicks import AppliedClicks
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.learning.samples import Samples
from gsr.loop.mirror import Mirror
from gsr.network.encoded import EncodedItems
from gsr.network.model import JointModel
from gsr.ranker.judge import Verdict
from gsr.ranker.learner import LearnReport
from gsr.ranking.click_ranks import Queries, rank_clicks
from gsr.ranking.frozen_ranks import rank_frozen
from gsr.ranking.retrieval import top_k
from gsr.votes.negatives import SharedNegatives, draw_negatives
from gsr.votes.popularity import popularity_levels
from gsr.votes.record_and_add import DONE, MORE_NOTES, note_and_add
from gsr.votes.recording import Notes, open_notes, samples_of, with_more_room


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedClicks:
    """Counted clicks that wait to be tested; r of them.

    Parameters
    ----------
    notes, samples
        Of the recorded clicks.
    masked
        int64 [r, L], rows left out of each ranking.
    """

    notes: Notes
    samples: Samples
    masked: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.samples)


class JointStream:
    """See `gsr.loop.stream_learner.StreamLearner`.

    Parameters
    ----------
    model
        Ranks.
    recording
        What clicks are compared with.
    mirror
        The live counters.
    mask_seen
        Whether a user's buffer is left out of rankings.

    Attributes
    ----------
    model
        The model that ranks.
    """

    def __init__(
        self, model: JointModel, recording: RecordingConfig, mirror: Mirror, *, mask_seen: bool
    ) -> None:
        self.model = model
        self._recording = recording
        self._mirror = mirror
        self._mask = mask_seen
        self._rng = np.random.default_rng(recording.seed)
        self._encoded: EncodedItems | None = None
        self._samples: list[Samples] = []

    @property
    def waiting(self) -> int:
        """How many samples were not taken yet."""
        return sum(map(len, self._samples))

    def begin_chunk(self) -> None:
        """Encode the items as they are before these clicks' own edges."""
        self.encoded_items()

    def encoded_items(self) -> EncodedItems:
        """Return the item tables as of the newest `let_items_in`."""
        if self._encoded is None:
            self.model.grow(self._mirror.graph())
            self._encoded = self.model.encode_items(self._mirror.graph())
        return self._encoded

    def let_items_in(self) -> None:
        """Give the items that came meanwhile their rows."""
        self._encoded = None

    def serve(self, model: JointModel) -> None:
        """Rank with another model from now on.

        Parameters
        ----------
        model
            With a row for each of the mirror's; its shape may differ from the one before in all
            but time scales and events.
        """
        self.model = model
        self._encoded = None

    def take_samples(self) -> list[Samples]:
        """Return the recorded clicks, and keep them no longer."""
        taken, self._samples = self._samples, []
        return taken

    def record(
        self,
        applied: AppliedClicks,
        rows: npt.NDArray[np.int64],
        users: npt.NDArray[np.uint64],  # noqa: ARG002 - the protocol's
    ) -> RecordedClicks:
        """Add clicks to the counters, recording the wanted ones with what was known before."""
        model, own = self.model.config, self._recording.neighbour_negatives
        record_of = np.full(applied.stop, -1, dtype=np.int64)
        record_of[rows] = np.arange(len(rows))
        accepted = applied.accepted_rows
        targets = np.full(applied.stop, -1, dtype=np.int64)
        targets[accepted] = applied.item_rows[accepted]
        raw = applied.histories(rows)
        readable = raw.recent(model.history_length, model.event_weights)
        masked = raw.items if self._mask else np.full((len(raw), 1), -1)
        graph = self._mirror.graph()
        negatives = self._negatives(graph)
        notes = open_notes(graph, record_of, targets, readable, masked, negatives, own, model)
        notes = self._add(applied, notes, own)
        samples = samples_of(notes, readable)
        return RecordedClicks(notes=notes, samples=samples, masked=masked)

    def test(
        self, recorded: RecordedClicks, tested: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int32]:
        """Rank recorded clicks; their samples wait to be taken."""
        self._samples.append(recorded.samples)
        if not tested.any():
            return np.zeros(0, dtype=np.int32)
        chosen = np.flatnonzero(tested)
        samples, items = recorded.samples, self.encoded_items()
        found = self.model.user_queries(
            samples.histories.rows(chosen),
            self._mirror.graph(),
            items=items,
            context=samples.context[chosen],
        )
        vectors = np.zeros((len(samples), found.vectors.shape[1]), dtype=np.float32)
        weights = np.zeros((len(samples), found.channel_weights.shape[1]), dtype=np.float32)
        vectors[chosen] = found.vectors
        weights[chosen] = found.channel_weights
        queries = Queries(vectors, weights, items.fused[: len(recorded.notes.first_alive)])
        half_lives = self._mirror.graph().half_lives
        ranks = rank_clicks(recorded.notes, queries, half_lives, tested, recorded.masked)
        return ranks[chosen]

    def rank(
        self, histories: Histories, targets: npt.NDArray[np.int64], *, mask_history: bool
    ) -> npt.NDArray[np.int32]:
        """Rank targets by weights and counters as they are, and count none."""
        masked = histories.items if mask_history else np.full((len(targets), 1), -1, np.int64)
        items, graph = self.encoded_items(), self._mirror.graph()
        return rank_frozen(self.model, items, graph, histories, targets, masked)

    def learn(
        self,
        out_of_time: Callable[[], bool],  # noqa: ARG002 - the protocol's
    ) -> tuple[LearnReport, Verdict] | None:
        """Learn nothing: samples are let go."""
        self._samples = []
        return None

    def drop_waiting(self, most: int = 0) -> int:
        """Let the oldest samples go until `most` are left; return how many went."""
        dropped = 0
        while self._samples and self.waiting > most:
            dropped += len(self._samples.pop(0))
        return dropped

    def renew(self, rows: npt.NDArray[np.int64]) -> None:
        """Item `rows` stand for other items, or for none, from now on."""
        self.model.renew(rows, self._mirror.graph())
        self._samples = [_without(samples, rows) for samples in self._samples]
        self._encoded = None

    def counters_changed(self) -> None:
        """Counters are read as they are."""

    def item_vectors(self) -> npt.NDArray[np.float32]:
        """Return the items' vectors, float32 [N, d]."""
        return self.encoded_items().fused

    def lists(
        self, histories: Histories, length: int, *, mask_history: bool
    ) -> npt.NDArray[np.int64]:
        """Return item rows for n users, int64 [n, length], best first, -1 behind the last."""
        graph, items, config = self._mirror.graph(), self.encoded_items(), self.model.config
        levels = np.empty((graph.items, graph.scales))
        popularity_levels(graph, levels)
        found = self.model.user_queries(histories, graph, items=items)
        masked = histories.items if mask_history else histories.items[:, :0]
        return top_k(
            found.vectors,
            found.channel_weights,
            items.fused,
            graph,
            levels,
            histories,
            list(masked),
            length,
            history=config.channel_history,
            decay=config.channel_decay,
        ).rows

    def _add(self, applied: AppliedClicks, notes: Notes, own: int) -> Notes:
        """Add edges and popularity, noting what was known before each click.

        Returns the notes, which may have moved to larger arrays.
        """
        counters = self._mirror.arrays
        click = applied.start
        reason = MORE_NOTES
        while reason != DONE:
            arguments = counters.edge_arguments(applied)
            click, reason = note_and_add(notes, own, *arguments, click, applied.stop)
            if reason == MORE_NOTES:
                notes = with_more_room(notes)
            elif reason != DONE:
                counters.reserve_edges()
        return notes

    def _negatives(self, graph: ItemGraph) -> SharedNegatives:
        """Draw from popularity on every time scale alike."""
        ages = graph.popularity_references - graph.popularity_references.max(axis=0, initial=0)
        popularity = graph.popularity * np.exp2(ages.astype(np.float64))
        totals = popularity.sum(axis=0)
        shares = (popularity / np.where(totals > 0.0, totals, 1.0)).mean(axis=1)
        recording = self._recording
        return draw_negatives(
            shares, graph.alive, recording.negatives, recording.uniform_share, self._rng
        )


def _without(samples: Samples, rows: npt.NDArray[np.int64]) -> Samples:
    """Leave out samples whose clicked item has left."""
    return samples.rows(np.flatnonzero(~np.isin(samples.candidates[:, 0], rows)))

"""The joint ranker on a fixed set of clicks: it learns cases many times, and ranks others.

The same candidates, features, scores and learning as on the stream, with two differences: counters
stand still, and the vectors were learned before, by encoders that go through all clicks many times.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.interactions import Interactions
from gsr.counters.users.histories import Histories
from gsr.quality.protocols import Cases
from gsr.quality.ranking_metrics import MISS
from gsr.ranker.adam import Floats
from gsr.ranker.asked_users import Asked, asked
from gsr.ranker.asking import Asker, Found, final_scores, ranks_by
from gsr.ranker.config import RankerConfig, RankerLearning
from gsr.ranker.learner import RankerLearner
from gsr.ranker.model import RankerModel
from gsr.ranker.network import log_weights_of
from gsr.ranker.ranked_clicks import RankedClicks, join, thin_out
from gsr.ranker.vectors.products import vector_products
from gsr.ranking.case_counters import CaseCounters

CYCLE: Final = 512
"""Cases that are asked about together, and learned before the next ones are."""


MOST_LEARNED: Final = 50_000
"""Cases that are learned, at most: their candidates stay in memory, some 6 kB of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseVectors:
    """Vectors of m cases and of all items.

    Parameters
    ----------
    users
        float32 [m, d], each case's user vector.
    items
        float32 [N, d].
    """

    users: Floats
    items: Floats


class CaseRanker:
    """Learns the ranker from cases, and ranks the targets of others.

    Parameters
    ----------
    config
        Shape of the ranker. Its `vectors` say whether `learn` and `ranks` are given some.
    learning
        How it learns; `holdout` and `replay` are left out, as cases come again by themselves.
    interactions
        All clicks.
    mask_seen
        Whether the items of a case's history are left out of its ranking, but for the target.
    nearest
        Items nearest to the user's vector that are candidates, beside `RankerConfig.kept` others.

    Attributes
    ----------
    model
        The ranker.
    """

    def __init__(
        self,
        config: RankerConfig,
        learning: RankerLearning,
        interactions: Interactions,
        *,
        mask_seen: bool,
        nearest: int,
    ) -> None:
        self.model = RankerModel(config, learning.seed, own_vectors=False)
        self._learner = RankerLearner(self.model, learning)
        self._rng = np.random.default_rng(learning.seed)
        self._interactions = interactions
        self._mask = mask_seen
        self._nearest = nearest if config.vectors else 0

    def learn(
        self, cases: Cases, counted: CaseCounters, vectors: CaseVectors | None, passes: int
    ) -> None:
        """Go through cases, in a new order each time, and learn what was clicked.

        Candidates are looked for twice: first the linear score learns from them how to choose, then
        it chooses those that all further passes learn from.

        Parameters
        ----------
        cases
            Clicks that neither the counters nor the vectors know; of more than `MOST_LEARNED` some
            are drawn.
        counted
            The counters.
        vectors
            Of the cases; None where the ranker has none.
        passes
            How many times those that were chosen are learned.

        Raises
        ------
        TrainingError
            The loss is not finite.
        """
        asker = self._asker(counted)
        drawn = self._rng.permutation(len(cases))[:MOST_LEARNED]
        for rows in _parts(drawn):
            self._learn(self._ranked(asker, cases, counted, vectors, rows))
        chosen = [self._ranked(asker, cases, counted, vectors, rows) for rows in _parts(drawn)]
        if not sum(one.clicks for one in chosen):
            return
        ranked = join(chosen)
        for _ in range(passes):
            for rows in _parts(self._rng.permutation(ranked.clicks)):
                self._learn(ranked.part(rows))

    def ranks(
        self, cases: Cases, counted: CaseCounters, vectors: CaseVectors | None
    ) -> npt.NDArray[np.int32]:
        """Return the rank of each target, int32 [m], from 1; `MISS` for what is no candidate."""
        ranks = np.full(len(cases), MISS, dtype=np.int32)
        asker = self._asker(counted)
        for rows in _parts(np.arange(len(cases))):
            for some, found, features in self._found(asker, cases, counted, vectors, rows):
                ranks[some] = ranks_by(final_scores(self.model, found.kept, features), found.kept)
        return ranks

    def _asker(self, counted: CaseCounters) -> Asker:
        counters = counted.counters
        return Asker(
            self.model,
            counters.graph(),
            row_slots=counters.config.row_slots,
            repeats=not self._mask,
            length=max(self._nearest, 1),
        )

    def _found(
        self,
        asker: Asker,
        cases: Cases,
        counted: CaseCounters,
        vectors: CaseVectors | None,
        rows: npt.NDArray[np.int64],
    ) -> Iterator[tuple[npt.NDArray[np.int64], Found, Floats]]:
        """Yield some of the cases at `rows`, with their candidates and all features of these."""
        row_of = counted.rows
        given, products = None, None
        if vectors is not None:
            given = self._nearest_items(cases[rows], vectors.users[rows], vectors.items, row_of)
            by_row = np.zeros((counted.counters.items.used, vectors.items.shape[1]), np.float32)
            known = row_of >= 0
            by_row[row_of[known]] = vectors.items[known]
        users = self._asked(cases[rows], row_of, counted.counters.watermark, given)
        width = self.model.config.kept + self._nearest
        for found in asker.find(users, 1, width=width, linear=self._learner.linear):
            features = found.kept.values
            some = rows[found.users]
            if vectors is not None:
                products = _products(vectors.users[some], by_row, users, found)
                features = np.concatenate((features, products), axis=2)
            yield some, found, features

    def _learn(self, ranked: RankedClicks) -> None:
        self._learner.add(ranked)
        self._learner.learn()

    def _ranked(
        self,
        asker: Asker,
        cases: Cases,
        counted: CaseCounters,
        vectors: CaseVectors | None,
        rows: npt.NDArray[np.int64],
    ) -> RankedClicks:
        """Return those of the cases at `rows` of whose user something is known, to learn from."""
        return join(
            [
                self._thinned(cases.users[some], found, features)
                for some, found, features in self._found(asker, cases, counted, vectors, rows)
            ]
        )

    def _thinned(
        self, users: npt.NDArray[np.int64], found: Found, features: Floats
    ) -> RankedClicks:
        kept, lookups = found.kept, found.lookups
        scores = self.model.scores(features, kept.context)
        clicks = RankedClicks(
            features,
            kept.context,
            log_weights_of(kept.present),
            kept.targets,
            # No vectors are learned here, so nothing is looked up for them.
            lookups._replace(recent=lookups.recent[:, :0], ages=lookups.ages[:, :0]),
            users.astype(np.uint64),
        )
        known = np.flatnonzero(lookups.recent[:, 0] >= 0)
        return thin_out(clicks.part(known), scores[known], self._learner.learning.candidates)

    def _nearest_items(
        self, cases: Cases, users: Floats, items: Floats, row_of: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Return the rows of the items nearest to each user, int64 [m, M]; -1 for none."""
        scores = users @ items.T
        scores[:, row_of < 0] = -np.inf
        if self._mask:
            owners, seen = cases.histories(self._interactions)
            other = seen != cases.targets(self._interactions)[owners]
            scores[owners[other], seen[other]] = -np.inf
        most = min(self._nearest, scores.shape[1])
        nearest = np.argpartition(-scores, most - 1, axis=1)[:, :most]
        there = np.isfinite(np.take_along_axis(scores, nearest, axis=1))
        return np.where(there, row_of[nearest], -1)

    def _asked(
        self,
        cases: Cases,
        row_of: npt.NDArray[np.int64],
        watermark: float,
        given: npt.NDArray[np.int64] | None,
    ) -> Asked:
        """Return cases as users who are asked about, at the time of the counters or later."""
        clicks, config = self._interactions, self.model.config
        lengths = cases.history_lengths(clicks)
        owners, items = cases.histories(clicks)
        places = np.arange(len(owners)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        at = clicks.starts[cases.users][owners] + places
        shape = len(cases), int(lengths.max(initial=0))
        raw = Histories(
            np.full(shape, -1, dtype=np.int64),
            np.zeros(shape),
            np.zeros(shape, dtype=np.uint8),
            lengths,
            np.maximum(clicks.times[cases.positions - 1], watermark),
        )
        raw.items[owners, places] = row_of[items]
        raw.times[owners, places] = clicks.times[at]
        raw.events[owners, places] = clicks.events[at]
        targets = row_of[cases.targets(clicks)]
        masked: list[npt.NDArray[np.int64]] = [raw.items[:0, 0]] * len(cases)
        if self._mask:
            masked = list(np.where(raw.items == targets[:, None], -1, raw.items))
        readable = raw.recent(config.history_length, config.event_weights)
        return asked(readable, lengths, masked, targets, given)


def _parts(rows: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield rows, `CYCLE` at a time, each time in ascending order."""
    for start in range(0, len(rows), CYCLE):
        yield np.sort(rows[start : start + CYCLE])


def _products(users: Floats, items: Floats, asked_users: Asked, found: Found) -> Floats:
    """Return candidates' products with users' vectors and with those of their newest items.

    float32 [n, K, 2].
    """
    lengths = asked_users.lengths[found.users]
    newest = asked_users.items[found.users, np.maximum(lengths - 1, 0)]
    last = np.where((lengths > 0)[:, None], items[newest], np.float32(0.0))
    candidates = found.kept.candidates
    out = np.empty((*candidates.shape, 2), dtype=np.float32)
    vector_products(items, len(items), candidates, np.stack((users, last), axis=1), out)
    return out

"""The joint ranker on a fixed set of clicks: it learns cases many times, and ranks others.

The same candidates, features, scores and learning as on the stream, with two differences: counters
stand still, and the vectors were learned before, by encoders that go through all clicks many times.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.counters.interactions import Interactions
from gsr.counters.users.histories import Histories
from gsr.errors import RankingError
from gsr.learning.case_counters import CaseCounters
from gsr.quality.protocols import Cases
from gsr.quality.ranking_metrics import MISS
from gsr.ranker.adam import Floats
from gsr.ranker.asked_users import Asked, asked
from gsr.ranker.asking import Asker, Found, final_scores, ranks_by
from gsr.ranker.candidates import NO_ITEMS
from gsr.ranker.config import RankerConfig, RankerLearning
from gsr.ranker.features import CONTEXT
from gsr.ranker.learner import RankerLearner
from gsr.ranker.linear_steps import LinearSteps
from gsr.ranker.model import RankerModel
from gsr.ranker.network import log_weights_of
from gsr.ranker.ranked_clicks import GOLDEN, RankedClicks, join, thin_out
from gsr.ranker.vectors.vector_features import product_features

CYCLE: Final = 512
"""Cases that are asked about together, and learned before the next ones are."""

MOST_LEARNED: Final = 50_000
"""Cases that are learned, at most: their candidates stay in memory, some 2 kB of each."""

SCORES_TOGETHER: Final = 1 << 23
"""Products of users with all items that exist at once: 32 MiB of them."""

READ_BACK: Final = 4096
"""Clicks of a history that are looked through for those to read, the newest."""

HOUR: Final = [CONTEXT.index(name) for name in ("hour_sine", "hour_cosine")]
"""Of the context."""


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

    def rows(self, rows: npt.NDArray[np.int64]) -> "CaseVectors":
        """Return the vectors of some of the cases."""
        return CaseVectors(users=self.users[rows], items=self.items)


class CaseRanker:
    """Learns the ranker from cases, and ranks the targets of others.

    Parameters
    ----------
    config
        Shape of the ranker. Its `vectors` say whether `learn` and `ranks` are given some.
    learning
        How it learns. Give `holdout` and `replay` as 0: cases come again by themselves.
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
            How many times those that were chosen are learned; all are learned once before.

        Raises
        ------
        TrainingError
            The loss is not finite.
        """
        asking = self._asking(counted, vectors)
        if self._mask:
            # On the stream what the user has seen is no candidate: such a target is not learned.
            again = cases.repeats(self._interactions)
            cases = cases[~again]
            vectors = None if vectors is None else vectors.rows(np.flatnonzero(~again))
        drawn = self._rng.permutation(len(cases))[:MOST_LEARNED]
        for rows in _parts(drawn):
            self._learn(self._ranked(asking, cases, vectors, rows))
        chosen = [self._ranked(asking, cases, vectors, rows) for rows in _parts(drawn)]
        if not sum(one.clicks for one in chosen):
            return
        ranked = join(chosen)
        for _ in range(passes):
            for rows in _parts(self._rng.permutation(ranked.clicks)):
                self._learn(ranked.part(rows))

    def ranks(
        self, cases: Cases, counted: CaseCounters, vectors: CaseVectors | None
    ) -> npt.NDArray[np.int32]:
        """Return the rank of each target, int32 [m], from 1; `MISS` for what is no candidate.

        Raises
        ------
        RankingError
            A score is not a number.
        """
        ranks = np.full(len(cases), MISS, dtype=np.int32)
        asking = self._asking(counted, vectors)
        for rows in _parts(np.arange(len(cases))):
            for some, found, features in self._found(asking, cases, vectors, rows):
                scores = final_scores(self.model, found.kept, features)
                if not np.isfinite(scores).all():
                    raise RankingError("a score is not a number: the model is broken")
                ranks[some] = ranks_by(scores, found.kept)
        return ranks

    def _asking(self, counted: CaseCounters, vectors: CaseVectors | None) -> "_Asking":
        counters, row_of = counted.counters, counted.rows
        by_row = None
        if vectors is not None:
            by_row = np.zeros((counters.items.used, vectors.items.shape[1]), np.float32)
            known = row_of >= 0
            by_row[row_of[known]] = vectors.items[known]
        asker = Asker(
            self.model,
            counters.graph(),
            row_slots=counters.config.row_slots,
            repeats=not self._mask,
            length=max(self._nearest, 1),
        )
        return _Asking(asker, row_of, counters.watermark, by_row)

    def _found(
        self,
        asking: "_Asking",
        cases: Cases,
        vectors: CaseVectors | None,
        rows: npt.NDArray[np.int64],
        linear: LinearSteps | None = None,
    ) -> Iterator[tuple[npt.NDArray[np.int64], Found, Floats]]:
        """Yield some of the cases at `rows`, with their candidates and all features of these."""
        given = None
        if vectors is not None:
            given = self._nearest_items(cases[rows], vectors.rows(rows), asking.row_of)
        users = self._asked(cases[rows], asking, given)
        width = self.model.config.kept + self._nearest
        for found in asking.asker.find(users, 1, width=width, linear=linear):
            found.kept.context[:, HOUR] = 0.0  # nobody knows when the target was asked for
            features = found.kept.values
            some = rows[found.users]
            if vectors is not None and asking.by_row is not None:
                products = _products(vectors.users[some], asking.by_row, users, found)
                features = np.concatenate((features, products), axis=2)
            yield some, found, features

    def _learn(self, ranked: RankedClicks) -> None:
        self._learner.add(ranked)
        self._learner.learn()

    def _ranked(
        self,
        asking: "_Asking",
        cases: Cases,
        vectors: CaseVectors | None,
        rows: npt.NDArray[np.int64],
    ) -> RankedClicks:
        """Return those of the cases at `rows` of whose user something is known, to learn from."""
        found = self._found(asking, cases, vectors, rows, self._learner.linear)
        return join([self._thinned(cases.users[some], one, values) for some, one, values in found])

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
            users.astype(np.uint64) * GOLDEN,  # as good as hashes of their ids
        )
        known = np.flatnonzero(lookups.recent[:, 0] >= 0)
        return thin_out(clicks.part(known), scores[known], self._learner.learning.candidates)

    def _nearest_items(
        self, cases: Cases, vectors: CaseVectors, row_of: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Return the rows of the items nearest to each user, int64 [m, M]; -1 for none."""
        most = min(self._nearest, len(row_of))
        nearest = np.full((len(cases), most), -1, dtype=np.int64)
        together = max(1, SCORES_TOGETHER // max(len(row_of), 1))
        for start in range(0, len(cases), together):
            some = slice(start, start + together)
            scores = vectors.users[some] @ vectors.items.T
            scores[:, row_of < 0] = -np.inf
            if self._mask:
                owners, seen = cases[some].histories(self._interactions)
                other = seen != cases[some].targets(self._interactions)[owners]
                scores[owners[other], seen[other]] = -np.inf
            found = np.argpartition(-scores, most - 1, axis=1)[:, :most]
            there = np.isfinite(np.take_along_axis(scores, found, axis=1))
            nearest[some] = np.where(there, row_of[found], -1)
        return nearest

    def _asked(self, cases: Cases, asking: "_Asking", given: npt.NDArray[np.int64] | None) -> Asked:
        """Return cases as users who are asked about, at the time of the counters or later."""
        clicks, config = self._interactions, self.model.config
        lengths = cases.history_lengths(clicks)
        read = np.minimum(lengths, READ_BACK)
        column = np.arange(int(read.max(initial=0)))
        there = column < read[:, None]
        at = np.where(there, (cases.positions - read)[:, None] + column, 0)
        raw = Histories(
            np.where(there, asking.row_of[clicks.items[at]], -1),
            np.where(there, clicks.times[at], 0.0),
            np.where(there, clicks.events[at], 0).astype(np.uint8),
            read,
            np.maximum(clicks.times[cases.positions - 1], asking.watermark),
        )
        targets = asking.row_of[cases.targets(clicks)]
        masked = [NO_ITEMS] * len(cases)
        if self._mask:
            owners, items = cases.histories(clicks)
            rows = asking.row_of[items]
            rows[rows == targets[owners]] = -1
            masked = np.split(rows, np.cumsum(lengths)[:-1])
        readable = raw.recent(config.history_length, config.event_weights)
        return asked(readable, lengths, masked, targets, given)


class _Asking(NamedTuple):
    """What is the same for all cases that are asked about.

    Parameters
    ----------
    asker
        Finds candidates.
    row_of
        int64 [N], each item's row in the counters; -1 for none.
    watermark
        Time of the newest counted click.
    by_row
        float32 [rows, d], the items' vectors by row; None where there are none.
    """

    asker: Asker
    row_of: npt.NDArray[np.int64]
    watermark: float
    by_row: Floats | None


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
    both = np.stack((users, last), axis=1)
    return product_features(items, len(items), found.kept.candidates, both)

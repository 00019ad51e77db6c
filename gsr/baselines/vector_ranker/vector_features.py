"""Two features of a candidate from learned vectors, and how the vectors learn.

The features are u·e and e₁·e: the user's vector, and that of the newest clicked item, with the
candidate's. Vectors learn from two losses at once:

- the ranker's, by the gradient that it hands back: so what counters say already is not learned
  once more;
- a softmax over a sample of the items, by which a user's vector finds the clicked item among all.
  A sampled item's score is corrected by the logarithm of its chance to be sampled, so that the
  sample stands for the whole catalogue [1]_.

References
----------
.. [1] Bengio, Senécal: Adaptive Importance Sampling to Accelerate Training of a Neural
   Probabilistic Language Model. IEEE Transactions on Neural Networks 19, 2008.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.ranker.adam import Floats
from gsr.baselines.ranker.learned_features import Lookups
from gsr.baselines.ranker.network import softmax_gradient
from gsr.baselines.vector_ranker.item_sample import ItemSample
from gsr.baselines.vector_ranker.item_vectors import ItemVectors
from gsr.baselines.vector_ranker.recent_clicks import RecentClicks, newest_first
from gsr.baselines.vector_ranker.user_encoder import Encoded, UserEncoder

FEATURES: Final = ("user_vector", "last_item_vector")


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorOptions:
    """How vectors are learned.

    Parameters
    ----------
    dimension
        Numbers of a vector.
    clicks
        So many of a user's newest clicks are read.
    sampled
        Items that are drawn for one step of the softmax.
    rate
        Learning rate of the items' vectors.
    seed
        Of first vectors and weights, and of the draws.
    """

    dimension: int = 64
    clicks: int = 32
    sampled: int = 512
    rate: float = 0.005
    seed: int = 0


class VectorFeatures:
    """The features, and what learns them (see the module, and `LearnedFeatures`).

    Parameters
    ----------
    options
        How vectors are learned.
    """

    def __init__(self, options: VectorOptions | None = None) -> None:
        self._options = options = options or VectorOptions()
        rng = np.random.default_rng(options.seed)
        self._items = ItemVectors(options.dimension, options.rate, rng)
        self._encoder = UserEncoder(options.dimension, rng)
        self._sample = ItemSample(options.sampled, rng)

    @property
    def count(self) -> int:
        """How many features there are."""
        return len(FEATURES)

    @property
    def releases(self) -> int:
        """How often `release` was called."""
        return self._items.releases

    def reserve(self, rows: int) -> None:
        """Make room for the items of the rows below `rows`."""
        self._items.reserve(rows)
        self._sample.reserve(rows)

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Forget the items of `rows`, which are to be given to other items."""
        self._items.release(rows)
        self._sample.release(rows)

    def lookups(
        self,
        clicks: CountedClicks,
        rows: npt.NDArray[np.int64],
        candidates: npt.NDArray[np.int32],
    ) -> Lookups:
        """Return what the features of candidates, int32 [n, K], of clicks `rows` [n] depend on."""
        recent = newest_first(
            clicks.histories[rows],
            clicks.history_times[rows],
            clicks.lengths[rows],
            clicks.times[rows],
            self._options.clicks,
        )
        clicked = clicks.targets[rows].astype(np.int32)
        return Lookups(recent.items, recent.ages, candidates, clicked)

    def features(self, lookups: Lookups) -> npt.NDArray[np.float32]:
        """Return the features, float32 [n, K, 2]; 0 where there is no candidate."""
        queries = _queries(self._encode(lookups)).transpose(0, 2, 1)
        features: Floats = np.matmul(self._items.of(lookups.candidates), queries)
        return features

    def learn(self, lookups: Lookups, by_features: npt.NDArray[np.float32], since: int) -> None:
        """Take one step (see `LearnedFeatures`)."""
        recent, candidates, clicked = (
            self._items.still_there(rows, since)
            for rows in (lookups.recent, lookups.candidates, lookups.clicked)
        )
        lookups = Lookups(recent, lookups.ages, candidates, clicked)
        encoded = self._encode(lookups)
        queries, vectors = _queries(encoded), self._items.of(candidates)
        by_queries = np.matmul(by_features.transpose(0, 2, 1), vectors)
        by_candidates = np.matmul(by_features, queries)
        sampled, by_sampled, by_users = self._softmax(encoded.vectors, clicked)
        by_users += by_queries[:, 0]
        by_weights, by_clicked = self._encoder.gradients(encoded, by_users)
        by_clicked[:, 0] += by_queries[:, 1]
        dimension = self._options.dimension
        self._encoder.move(by_weights)
        self._items.move(
            np.concatenate((recent.reshape(-1), candidates.reshape(-1), sampled)),
            np.concatenate(
                (
                    by_clicked.reshape(-1, dimension),
                    by_candidates.reshape(-1, dimension),
                    by_sampled,
                )
            ),
        )
        self._sample.add(clicked)

    def _encode(self, lookups: Lookups) -> Encoded:
        recent = RecentClicks(lookups.recent, lookups.ages)
        return self._encoder.encode(recent, self._items.of(lookups.recent))

    def _softmax(
        self, users: Floats, clicked: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.int32], Floats, Floats]:
        """Return sampled items [m] and gradients of their mean cross-entropy.

        Returns
        -------
        sampled
            int32 [m], the clicked items among them.
        by_sampled, by_users
            float32 [m, d] and [n, d].
        """
        asked = np.flatnonzero(clicked >= 0)
        sampled, corrections = self._sample.draw(clicked[asked])
        vectors = self._items.of(sampled)
        by_users = np.zeros_like(users)
        if len(asked) == 0:
            return sampled, np.zeros_like(vectors), by_users
        scores = users[asked] @ vectors.T - corrections
        by_scores = softmax_gradient(scores, np.searchsorted(sampled, clicked[asked]))
        by_users[asked] = by_scores @ vectors
        return sampled, by_scores.T @ users[asked], by_users


def _queries(encoded: Encoded) -> Floats:
    """Return the vectors that candidates' are multiplied with, float32 [n, 2, d]."""
    return np.stack((encoded.vectors, encoded.clicked[:, 0]), axis=1)

"""How vectors learn: by two losses at once.

- The ranker's, by the gradient that it hands back: so what counters say already is not learned
  once more.
- A softmax over a sample of the items, by which a user's vector finds the clicked item among all.
  A sampled item's score is corrected by the logarithm of its chance to be sampled, so that the
  sample stands for the whole catalogue [1]_.

References
----------
.. [1] Bengio, Senécal: Adaptive Importance Sampling to Accelerate Training of a Neural
   Probabilistic Language Model. IEEE Transactions on Neural Networks 19, 2008.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from gsr.ranker.adam import Adam, Floats
from gsr.ranker.config import RankerLearning
from gsr.ranker.lookups import Lookups
from gsr.ranker.network import softmax_gradient
from gsr.ranker.vectors.item_sample import ItemSample
from gsr.ranker.vectors.item_vectors import ItemSteps
from gsr.ranker.vectors.products import add_product_gradients, add_rows, numbered
from gsr.ranker.vectors.vector_features import Vectors, queries


class VectorSteps:
    """The optimiser of vectors.

    Parameters
    ----------
    vectors
        Learned in place.
    learning
        Rates, and the size of a sample.
    rng
        Draws samples and first vectors.
    """

    def __init__(
        self, vectors: Vectors, learning: RankerLearning, rng: np.random.Generator
    ) -> None:
        self._vectors = vectors
        self._rng = rng
        self._adam = Adam(vectors.encoder.weights, learning.encoder_rate)
        self._items = ItemSteps(vectors.items, learning.vector_rate)
        self._sample = ItemSample(learning.sampled, rng)
        self._encoder_before = self._adam.arrays()
        self._numbers = np.zeros(len(vectors.items.room), dtype=np.int32)

    @property
    def touched(self) -> int:
        """Item rows that were moved, summed over the steps."""
        return self._items.touched

    def grow(self, items: int) -> None:
        """Give the items up to row `items` first vectors."""
        self._vectors.items.grow(items, self._rng)
        self._items.grow()
        room = len(self._vectors.items.room)
        self._sample.reserve(room)
        if room > len(self._numbers):
            self._numbers = np.pad(self._numbers, (0, room - len(self._numbers)))

    def renew(self, rows: npt.NDArray[np.int64]) -> None:
        """Let `rows`, which stand for other items from now on, begin anew."""
        rows = rows[rows < len(self._vectors.items)]
        self._vectors.items.renew(rows, self._rng)
        self._items.renew(rows)
        self._sample.release(rows)

    def learn(self, lookups: Lookups, by_features: Floats) -> None:
        """Take one step.

        Parameters
        ----------
        lookups
            Of n clicks.
        by_features
            float32 [n, K, 2], the gradient of the ranker's mean loss by the features.
        """
        room, encoded = self._vectors.items.room, self._vectors.encode(lookups)
        sampled, by_sampled, by_users = self._softmax(encoded.vectors, lookups.clicked)
        parts = [lookups.recent, lookups.candidates, sampled]
        distinct, (recent, candidates, drawn) = numbered(parts, self._numbers)
        sums = np.zeros((len(distinct), room.shape[1]), dtype=np.float32)
        asked = queries(encoded)
        by_queries = np.zeros_like(asked)
        add_product_gradients(
            room, lookups.candidates, candidates, by_features, asked, sums, by_queries
        )
        by_users += by_queries[:, 0]
        by_weights = self._vectors.encoder.gradients(
            encoded, by_users, by_queries[:, 1], room, recent, sums
        )
        add_rows(drawn, by_sampled, sums)
        self._adam.step(by_weights)
        self._items.move(distinct, sums)
        self._sample.add(lookups.clicked)

    def commit(self) -> None:
        """Make the present vectors those that `take_back` goes back to."""
        self._items.commit()
        self._encoder_before = self._adam.arrays()

    def take_back(self) -> None:
        """Undo all steps since the last `commit`."""
        self._items.take_back()
        self._adam.load(self._encoder_before)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all that goes on, vectors and weights apart."""
        encoder = {f"encoder.{i}": array for i, array in enumerate(self._adam.arrays())}
        items = {f"items.{name}": array for name, array in self._items.arrays().items()}
        sample = {f"sample.{name}": array for name, array in self._sample.arrays().items()}
        return encoder | items | sample

    def load(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Go on from what `arrays` returned, with the same vectors."""
        count = sum(name.startswith("encoder.") for name in arrays)
        self._adam.load([arrays[f"encoder.{i}"] for i in range(count)])
        self._items.load({name: arrays[f"items.{name}"] for name in ("first", "second", "steps")})
        names = ("newest", "counts", "known", "clicks")
        self._sample.load({name: arrays[f"sample.{name}"] for name in names})
        self.commit()

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
        vectors = self._vectors.items.room[sampled]
        by_users = np.zeros_like(users)
        if len(asked) == 0:
            return sampled, np.zeros_like(vectors), by_users
        scores = users[asked] @ vectors.T - corrections
        by_scores = softmax_gradient(scores, np.searchsorted(sampled, clicked[asked]))
        by_users[asked] = by_scores @ vectors
        return sampled, by_scores.T @ users[asked], by_users

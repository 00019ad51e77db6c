"""A user's vector, from the vectors of the newest clicks: two weighted means, and a perceptron.

    w_k(l) = softmax_l (A₂ relu(A₁ p(l) + a))_k        for k = 1, 2
    q_k    = Σ_l w_k(l) e(l)
    u      = q_1 + B₂ relu(B₁ [q_1, q_2, e(1)] + b₁) + b₂,

where e(1) … e(L) are the clicked items' vectors, newest first, and p(l) says how far back a click
is: in clicks, in time, and in time before the next one. So the weights do not depend on the items,
as in the short-term memory of STAMP [1]_ with attention by position alone; that costs a twentieth
of a transformer over the same clicks.

References
----------
.. [1] Liu et al.: STAMP: Short-Term Attention/Memory Priority Model for Session-based
   Recommendation. KDD 2018.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.ranker.adam import Floats
from gsr.ranker.network import add_and_rectify
from gsr.ranker.vectors.recent_clicks import RecentClicks
from gsr.ranker.vectors.weighted_means import (
    MEANS,
    add_means,
    add_share_gradients,
    add_weights_gradients,
    shares_of_logits,
    weigh_clicks,
)
from gsr.votes.constants import PAUSE_SECONDS

POSITION: Final = 3
"""Numbers that say how far back a click is."""

POSITION_HIDDEN: Final = 16

_TIME_SCALE: Final = 0.2
"""Logarithms of times are larger than those of numbers of clicks."""


class Encoded(NamedTuple):
    """Users' vectors, and what their gradients need; n users, L clicks.

    Parameters
    ----------
    vectors
        float32 [n, d].
    items
        int32 [n, L], the clicked items, newest first.
    positions, position_hidden, shares
        float32 [n, L, 3], [n, L, H] and [n, L, 2].
    joined, hidden
        float32 [n, 3 d] and [n, 2 d], input and hidden layer of the perceptron; the input ends
        with the newest items' vectors.
    """

    vectors: Floats
    items: npt.NDArray[np.int32]
    positions: Floats
    position_hidden: Floats
    shares: Floats
    joined: Floats
    hidden: Floats

    @property
    def newest(self) -> Floats:
        """The newest items' vectors, float32 [n, d]; 0 where there is none."""
        return self.joined[:, -self.vectors.shape[1] :]


def positions_of(recent: RecentClicks) -> Floats:
    """Return what says how far back each click is, float32 [n, L, 3]."""
    ages = recent.ages
    later = np.concatenate((np.zeros_like(ages[:, :1]), ages[:, :-1]), axis=1)
    back = np.log1p(np.arange(ages.shape[1], dtype=np.float32))
    pauses = np.maximum(ages - later, 0.0) / np.float32(PAUSE_SECONDS)
    columns = (
        np.broadcast_to(back, ages.shape),
        _TIME_SCALE * np.log1p(ages / np.float32(PAUSE_SECONDS)),
        _TIME_SCALE * np.log1p(pauses),
    )
    return np.stack(columns, axis=-1).astype(np.float32)


class UserEncoder:
    """The encoder's weights.

    Parameters
    ----------
    dimension
        Numbers of a vector (d).
    rng
        Draws first weights.

    Attributes
    ----------
    weights
        All of them, which learning changes in place.
    """

    def __init__(self, dimension: int, rng: np.random.Generator) -> None:
        def drawn(rows: int, columns: int) -> Floats:
            bound = 1.0 / math.sqrt(rows)
            return rng.uniform(-bound, bound, (rows, columns)).astype(np.float32)

        self._position = drawn(POSITION, POSITION_HIDDEN)
        self._position_bias: Floats = np.zeros(POSITION_HIDDEN, dtype=np.float32)
        self._attention = drawn(POSITION_HIDDEN, MEANS)
        self._first = drawn(3 * dimension, 2 * dimension)
        self._first_bias: Floats = np.zeros(2 * dimension, dtype=np.float32)
        self._second = drawn(2 * dimension, dimension)
        self._second_bias: Floats = np.zeros(dimension, dtype=np.float32)
        self.weights = (
            self._position,
            self._position_bias,
            self._attention,
            self._first,
            self._first_bias,
            self._second,
            self._second_bias,
        )

    def encode(self, recent: RecentClicks, vectors: Floats, known: int) -> Encoded:
        """Return the vectors of n users.

        Parameters
        ----------
        recent
            Their newest clicks.
        vectors, known
            float32 [room, d], of which the first `known` rows are items; others have none.
        """
        items, d = recent.items, vectors.shape[1]
        positions = positions_of(recent)
        position_hidden = np.zeros((*items.shape, POSITION_HIDDEN), dtype=np.float32)
        shares = np.zeros((*items.shape, MEANS), dtype=np.float32)
        weights = self._position, self._position_bias, self._attention
        weigh_clicks(items, positions, *weights, position_hidden, shares)
        shares_of_logits(items, shares)
        joined = np.zeros((len(items), (MEANS + 1) * d), dtype=np.float32)
        add_means(items, shares, vectors, known, joined)
        hidden: Floats = joined @ self._first
        add_and_rectify(hidden, self._first_bias[None])
        found = joined[:, :d] + hidden @ self._second + self._second_bias
        return Encoded(found, items, positions, position_hidden, shares, joined, hidden)

    def gradients(
        self,
        encoded: Encoded,
        by_vectors: Floats,
        by_newest: Floats,
        vectors: Floats,
        places: npt.NDArray[np.int32],
        sums: Floats,
    ) -> tuple[Floats, ...]:
        """Return a loss's gradients by `weights`, and add those by the clicked items' vectors.

        Parameters
        ----------
        encoded
            What `encode` returned.
        by_vectors, by_newest
            float32 [n, d], the gradients by the users' vectors, and by their newest items'.
        vectors
            What `encode` was given.
        places
            int32 [n, L], which row of `sums` is that of each click's item; -1: it has no vector.
        sums
            float32 [distinct items, d], added to.
        """
        d = by_vectors.shape[1]
        by_hidden: Floats = (by_vectors @ self._second.T) * (encoded.hidden > 0.0)
        by_joined: Floats = by_hidden @ self._first.T
        by_joined[:, :d] += by_vectors
        by_joined[:, MEANS * d :] += by_newest
        items, shares = encoded.items, encoded.shares
        by_logits = np.zeros_like(shares)
        add_share_gradients(items, shares, vectors, places, by_joined, sums, by_logits)
        by_weights = tuple(np.zeros_like(weights) for weights in self.weights[:3])
        positions, position_hidden = encoded.positions, encoded.position_hidden
        add_weights_gradients(
            items, positions, position_hidden, self._attention, by_logits, *by_weights
        )
        return (
            *by_weights,
            encoded.joined.T @ by_hidden,
            by_hidden.sum(axis=0),
            encoded.hidden.T @ by_vectors,
            by_vectors.sum(axis=0),
        )

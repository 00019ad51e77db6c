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

from gsr.ranker.adam import Floats
from gsr.ranker.vectors.recent_clicks import RecentClicks
from gsr.votes.constants import PAUSE_SECONDS

MEANS: Final = 2
"""Weighted means of the clicks."""

POSITION: Final = 3
"""Numbers that say how far back a click is."""

POSITION_HIDDEN: Final = 16

_TIME_SCALE: Final = 0.2
"""Logarithms of times are larger than those of numbers of clicks."""

_NEVER: Final = np.float32(-1e30)


class Encoded(NamedTuple):
    """Users' vectors, and what their gradients need; n users, L clicks.

    Parameters
    ----------
    vectors
        float32 [n, d].
    clicked
        float32 [n, L, d], vectors of the clicked items.
    positions, position_hidden, shares
        float32 [n, L, 3], [n, L, H] and [n, L, 2].
    joined, hidden
        float32 [n, 3 d] and [n, 2 d], input and hidden layer of the perceptron.
    """

    vectors: Floats
    clicked: Floats
    positions: Floats
    position_hidden: Floats
    shares: Floats
    joined: Floats
    hidden: Floats


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

    def encode(self, recent: RecentClicks, clicked: Floats) -> Encoded:
        """Return the vectors of n users.

        Parameters
        ----------
        recent
            Their newest clicks.
        clicked
            float32 [n, L, d], the items' vectors; zeros where there is no click.
        """
        there = recent.items >= 0
        positions = positions_of(recent)
        position_hidden: Floats = positions @ self._position + self._position_bias
        np.maximum(position_hidden, 0.0, out=position_hidden)
        logits = np.where(there[..., None], position_hidden @ self._attention, _NEVER)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True)) * there[..., None]
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1.0)  # the largest is 1
        means = np.matmul(shares.transpose(0, 2, 1), clicked)
        joined = np.concatenate((means[:, 0], means[:, 1], clicked[:, 0]), axis=1)
        hidden: Floats = joined @ self._first + self._first_bias
        np.maximum(hidden, 0.0, out=hidden)
        vectors = means[:, 0] + hidden @ self._second + self._second_bias
        return Encoded(vectors, clicked, positions, position_hidden, shares, joined, hidden)

    def gradients(self, encoded: Encoded, by_vectors: Floats) -> tuple[tuple[Floats, ...], Floats]:
        """Return a loss's gradients by `weights`, and by the clicked items' vectors [n, L, d].

        Parameters
        ----------
        encoded
            What `encode` returned.
        by_vectors
            float32 [n, d], the gradient by the users' vectors.
        """
        n, d = by_vectors.shape
        by_hidden = (by_vectors @ self._second.T) * (encoded.hidden > 0.0)
        by_joined = by_hidden @ self._first.T
        by_means = by_joined[:, : MEANS * d].reshape(n, MEANS, d).copy()
        by_means[:, 0] += by_vectors
        by_shares = np.matmul(encoded.clicked, by_means.transpose(0, 2, 1))
        weighted = encoded.shares * by_shares
        by_logits = weighted - encoded.shares * weighted.sum(axis=1, keepdims=True)
        by_clicked: Floats = np.matmul(encoded.shares, by_means)
        by_clicked[:, 0] += by_joined[:, MEANS * d :]
        by_position = (by_logits @ self._attention.T) * (encoded.position_hidden > 0.0)
        flat_logits = by_logits.reshape(-1, MEANS)
        flat_position = by_position.reshape(-1, POSITION_HIDDEN)
        by_weights = (
            encoded.positions.reshape(-1, POSITION).T @ flat_position,
            flat_position.sum(axis=0),
            encoded.position_hidden.reshape(-1, POSITION_HIDDEN).T @ flat_logits,
            encoded.joined.T @ by_hidden,
            by_hidden.sum(axis=0),
            encoded.hidden.T @ by_vectors,
            by_vectors.sum(axis=0),
        )
        return by_weights, by_clicked

"""The small network that ranks candidates: two hidden layers, and a linear path beside them.

    score = w·x + v·relu(A₂ relu(A x + B c + b) + b₂),

over a candidate's features x and the user's context c. It learns by the cross-entropy of the
clicked item among the candidates, with Adam.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel
from gsr.ranker.adam import Floats

ABSENT: Final = np.float32(-1e30)
"""The logarithm of no candidate: whatever is added to it, its share of a softmax is 0."""


def log_weights_of(present: npt.NDArray[np.bool_]) -> Floats:
    """Return the logarithm of one candidate where there is one, `ABSENT` elsewhere."""
    return np.where(present, np.float32(0.0), ABSENT)


class Examples(NamedTuple):
    """Clicks with their standardised candidates; n rows.

    Parameters
    ----------
    features
        float32 [n, K, F].
    context
        float32 [n, C].
    log_weights
        float32 [n, K], the logarithm of how many candidates each stands for; `ABSENT` where there
        is none.
    targets
        int64 [n], the place of the clicked item.
    """

    features: Floats
    context: Floats
    log_weights: Floats
    targets: npt.NDArray[np.int64]

    def part(self, rows: slice | npt.NDArray[np.intp]) -> "Examples":
        """Return some of the rows."""
        return Examples(
            self.features[rows], self.context[rows], self.log_weights[rows], self.targets[rows]
        )


def score_gradient(scores: Floats, examples: Examples) -> Floats:
    """Return the gradient of the mean cross-entropy by the scores, float32 [n, K]."""
    return softmax_gradient(scores + examples.log_weights, examples.targets)


def softmax_gradient(scores: Floats, targets: npt.NDArray[np.integer]) -> Floats:
    """Return the gradient of the mean cross-entropy of columns `targets` [n] by scores [n, K]."""
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    shares[np.arange(len(shares)), targets] -= 1.0
    gradient: Floats = shares / np.float32(len(shares))
    return gradient


@lean_kernel
def add_and_rectify(values: npt.NDArray[np.float32], added: npt.NDArray[np.float32]) -> None:
    """Add to every row, put 0 in place of what is negative then, in place and in one pass.

    Parameters
    ----------
    values
        float32 [n K, H], changed.
    added
        float32 [n, H], one row for K rows of `values` each.
    """
    each = len(values) // max(len(added), 1)
    zero = np.float32(0.0)
    for i in range(len(added)):
        for row in range(i * each, (i + 1) * each):
            for h in range(values.shape[1]):
                value = values[row, h] + added[i, h]
                values[row, h] = max(value, zero)


@lean_kernel
def gradient_below_scores(
    by_score: npt.NDArray[np.float32],
    last: npt.NDArray[np.float32],
    hidden: npt.NDArray[np.float32],
    by_hidden: npt.NDArray[np.float32],
    by_bias: npt.NDArray[np.float32],
) -> None:
    """Take the gradient by scores on to the rectified layer below.

    Parameters
    ----------
    by_score, last, hidden
        float32 [m], [H] and [m, H]: gradients, the weights of the scores, and the layer.
    by_hidden
        float32 [m, H], filled.
    by_bias
        float32 [H], added to.
    """
    for row in range(len(by_score)):
        for h in range(len(last)):
            gradient = by_score[row] * last[h] if hidden[row, h] > 0.0 else np.float32(0.0)
            by_hidden[row, h] = gradient
            by_bias[h] += gradient


@lean_kernel
def gradient_below_hidden(
    hidden: npt.NDArray[np.float32],
    by_hidden: npt.NDArray[np.float32],
    by_added: npt.NDArray[np.float32],
) -> None:
    """Put 0 where a layer was rectified, and add up what was added to several of its rows.

    Parameters
    ----------
    hidden, by_hidden
        float32 [n K, H], the layer and its gradient, which is changed.
    by_added
        float32 [n, H], added to, one row for K rows of the others each.
    """
    each = len(hidden) // max(len(by_added), 1)
    for i in range(len(by_added)):
        for row in range(i * each, (i + 1) * each):
            for h in range(hidden.shape[1]):
                gradient = by_hidden[row, h] if hidden[row, h] > 0.0 else np.float32(0.0)
                by_hidden[row, h] = gradient
                by_added[i, h] += gradient


class RankingNetwork:
    """The perceptron.

    Parameters
    ----------
    features, context
        How many there are (F and C).
    hidden
        Units of both hidden layers (H).
    rng
        Draws the first weights; those of the last layer are zero, so that all scores are.

    Attributes
    ----------
    weights
        All weights, which learning changes in place.
    """

    def __init__(self, features: int, context: int, hidden: int, rng: np.random.Generator) -> None:
        def drawn(rows: int, fan_in: int) -> Floats:
            values = rng.standard_normal((rows, hidden)) / math.sqrt(fan_in)
            return values.astype(np.float32)

        self._candidates = drawn(features, features + context)
        self._context = drawn(context, features + context)
        self._first_bias: Floats = np.zeros(hidden, dtype=np.float32)
        self._second = drawn(hidden, hidden)
        self._second_bias: Floats = np.zeros(hidden, dtype=np.float32)
        self._last: Floats = np.zeros(hidden, dtype=np.float32)
        self._straight: Floats = np.zeros(features, dtype=np.float32)
        self.weights = (
            self._candidates,
            self._context,
            self._first_bias,
            self._second,
            self._second_bias,
            self._last,
            self._straight,
        )

    def scores(self, features: Floats, context: Floats) -> Floats:
        """Return float32 [n, K], scores of candidates [n, K, F] in front of users [n, C]."""
        return self._forward(features, context)[2]

    def _forward(self, features: Floats, context: Floats) -> tuple[Floats, Floats, Floats]:
        """Return both hidden layers, float32 [n K, H], and the scores."""
        n, k, f = features.shape
        flat = features.reshape(n * k, f)
        first: Floats = flat @ self._candidates
        add_and_rectify(first, context @ self._context + self._first_bias)
        second: Floats = first @ self._second
        add_and_rectify(second, self._second_bias[None])
        scores: Floats = (second @ self._last + flat @ self._straight).reshape(n, k)
        return first, second, scores

    def gradients(
        self, examples: Examples, learned: int = 0
    ) -> tuple[tuple[Floats, ...], Floats, Floats]:
        """Return the gradients of the mean cross-entropy.

        Parameters
        ----------
        examples
            See `Examples`; n of them.
        learned
            How many features, the last ones, are learned as well (Q).

        Returns
        -------
        by_weights
            By `weights`.
        by_features
            float32 [n, K, Q], by the features that are learned.
        scores
            float32 [n, K].
        """
        features, context = examples.features, examples.context
        n, k, f = features.shape
        flat = features.reshape(n * k, f)
        first, second, scores = self._forward(features, context)
        by_score = score_gradient(scores, examples).reshape(-1)
        by_last = by_score @ second
        by_second_bias = np.zeros_like(self._second_bias)
        by_second = np.empty_like(second)
        gradient_below_scores(by_score, self._last, second, by_second, by_second_bias)
        by_first: Floats = by_second @ self._second.T
        by_user = np.zeros((n, first.shape[1]), dtype=np.float32)
        gradient_below_hidden(first, by_first, by_user)
        by_weights = (
            flat.T @ by_first,
            context.T @ by_user,
            by_user.sum(axis=0),
            first.T @ by_second,
            by_second_bias,
            by_last,
            by_score @ flat,
        )
        kept = slice(f - learned, None)
        by_features: Floats = by_first @ self._candidates[kept].T
        by_features += by_score[:, None] * self._straight[kept]
        return by_weights, by_features.reshape(n, k, learned), scores

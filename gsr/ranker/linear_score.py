"""The linear score that chooses candidates, learned from all candidates of a click."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel
from gsr.ranker.adam import Adam

LINEAR_RATE: Final = 0.03

NO_NEW_ITEMS: Final = -1
"""In place of the feature that tells new items."""


@inner_kernel
def _add_row(
    values: npt.NDArray[np.float32],
    row: int,
    factor: np.float32,
    new: int,
    features: int,
    gradient: npt.NDArray[np.float32],
) -> None:
    """Add a candidate's features times `factor` to the gradient."""
    for f in range(features):
        gradient[f] += factor * values[row, f]
    if new >= 0 and values[row, new] > 0.0:
        for f in range(features):
            gradient[features + f] += factor * values[row, f]


@lean_kernel
def add_gradient(
    values: npt.NDArray[np.float32],
    scores: npt.NDArray[np.float32],
    starts: npt.NDArray[np.int64],
    targets: npt.NDArray[np.int64],
    learnable: npt.NDArray[np.bool_],
    new: int,
    gradient: npt.NDArray[np.float32],
) -> None:
    """Add the gradient of the clicked items' cross-entropy by the weights of `values`.

    Parameters
    ----------
    values, scores
        float32 [rows, F] and [rows], of candidates; the scores become shares.
    starts
        int64 [n + 1], click i has the candidates ``starts[i] : starts[i + 1]``.
    targets, learnable
        int64 and bool [n], the row of the clicked item, and which clicks are learned.
    new
        The feature that is above 0 for new items, which have weights of their own; -1: none have.
    gradient
        float32 [F], or [2 F] where new items have own weights, which stand last.
    """
    features = values.shape[1]
    for click in range(len(targets)):
        if not learnable[click]:
            continue
        most = np.float32(-np.inf)
        for row in range(starts[click], starts[click + 1]):
            most = max(most, scores[row])
        total = np.float32(0.0)
        for row in range(starts[click], starts[click + 1]):
            scores[row] = math.exp(scores[row] - most)
            total += scores[row]
        for row in range(starts[click], starts[click + 1]):
            _add_row(values, row, scores[row] / total, new, features, gradient)
        _add_row(values, targets[click], np.float32(-1.0), new, features, gradient)


class LinearScore:
    """One weight a feature, in terms of standardised features.

    Parameters
    ----------
    features
        How many there are (F).
    rate
        Learning rate.
    """

    def __init__(self, features: int, rate: float = LINEAR_RATE) -> None:
        self.weights = np.zeros(features, dtype=np.float32)
        self._adam = Adam([self.weights], rate)
        self._gradient = np.zeros(features, dtype=np.float32)
        self._examples = 0

    def scores(
        self, values: npt.NDArray[np.float32], inverses: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return each candidate's score but for a constant, float32 [rows].

        Parameters
        ----------
        values
            float32 [rows, F], not standardised.
        inverses
            float32 [F], one over the features' deviations.
        """
        scores: npt.NDArray[np.float32] = values @ (self.weights * inverses)
        return scores

    def note(
        self,
        values: npt.NDArray[np.float32],
        scores: npt.NDArray[np.float32],
        starts: npt.NDArray[np.int64],
        targets: npt.NDArray[np.int64],
        learnable: npt.NDArray[np.bool_],
    ) -> None:
        """Note what clicks say of the weights, for the next step (see `add_gradient`)."""
        add_gradient(values, scores, starts, targets, learnable, NO_NEW_ITEMS, self._gradient)
        self._examples += int(learnable.sum())

    def step(self, inverses: npt.NDArray[np.float32]) -> None:
        """Take one step by all that was noted since the last one."""
        if self._examples == 0:
            return
        self._adam.step([self._gradient * inverses / np.float32(self._examples)])
        self._gradient[:] = 0.0
        self._examples = 0

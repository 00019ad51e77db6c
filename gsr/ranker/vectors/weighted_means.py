"""Two means of a user's clicks, weighted by how far back each is, and their gradients."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import relaxed_kernel

MEANS: Final = 2
"""Weighted means of the clicks."""


@relaxed_kernel
def weigh_clicks(
    items: npt.NDArray[np.int32],
    positions: npt.NDArray[np.float32],
    weights: npt.NDArray[np.float32],
    bias: npt.NDArray[np.float32],
    attention: npt.NDArray[np.float32],
    hidden: npt.NDArray[np.float32],
    logits: npt.NDArray[np.float32],
) -> None:
    """Fill the logits of the shares that n users' clicks have in each of their means.

    Parameters
    ----------
    items
        int32 [n, L], negative where there is no click.
    positions
        float32 [n, L, P], what says how far back each click is.
    weights, bias, attention
        float32 [P, H], [H] and [H, 2].
    hidden, logits
        float32 [n, L, H] and [n, L, 2], filled where there are clicks.
    """
    for i in range(items.shape[0]):
        for k in range(items.shape[1]):
            if items[i, k] < 0:
                continue
            for h in range(hidden.shape[2]):
                value = bias[h]
                for p in range(positions.shape[2]):
                    value += positions[i, k, p] * weights[p, h]
                hidden[i, k, h] = max(value, np.float32(0.0))
            for m in range(MEANS):
                logit = np.float32(0.0)
                for h in range(hidden.shape[2]):
                    logit += hidden[i, k, h] * attention[h, m]
                logits[i, k, m] = logit


@relaxed_kernel
def shares_of_logits(items: npt.NDArray[np.int32], shares: npt.NDArray[np.float32]) -> None:
    """Put each click's share of its mean in place of its logit, float32 [n, L, 2]."""
    for i in range(items.shape[0]):
        for m in range(MEANS):
            highest, total = np.float32(-np.inf), np.float32(0.0)
            for k in range(items.shape[1]):
                if items[i, k] >= 0:
                    highest = max(highest, shares[i, k, m])
            for k in range(items.shape[1]):
                if items[i, k] >= 0:
                    shares[i, k, m] = math.exp(shares[i, k, m] - highest)
                    total += shares[i, k, m]
            for k in range(items.shape[1]):
                if items[i, k] >= 0:
                    shares[i, k, m] /= total


@relaxed_kernel
def add_means(
    items: npt.NDArray[np.int32],
    shares: npt.NDArray[np.float32],
    vectors: npt.NDArray[np.float32],
    known: int,
    joined: npt.NDArray[np.float32],
) -> None:
    """Add up clicked items' vectors by their shares, and the newest one's behind.

    Parameters
    ----------
    items, shares
        int32 [n, L], negative where there is no click, and float32 [n, L, 2].
    vectors, known
        float32 [room, d], of which the first `known` rows are items; the others' are 0.
    joined
        float32 [n, 3 d], added to.
    """
    dimension = vectors.shape[1]
    for i in range(items.shape[0]):
        for k in range(items.shape[1]):
            row = items[i, k]
            if row < 0 or row >= known:
                continue
            first, second = shares[i, k, 0], shares[i, k, 1]
            for j in range(dimension):
                joined[i, j] += first * vectors[row, j]
                joined[i, dimension + j] += second * vectors[row, j]
        row = items[i, 0]
        if 0 <= row < known:
            for j in range(dimension):
                joined[i, MEANS * dimension + j] += vectors[row, j]


@relaxed_kernel
def add_share_gradients(
    items: npt.NDArray[np.int32],
    shares: npt.NDArray[np.float32],
    vectors: npt.NDArray[np.float32],
    places: npt.NDArray[np.int32],
    by_joined: npt.NDArray[np.float32],
    sums: npt.NDArray[np.float32],
    by_logits: npt.NDArray[np.float32],
) -> None:
    """Take the gradient by the means on to the clicked items' vectors, and to the logits.

    Parameters
    ----------
    items, shares, vectors
        As for `add_means`.
    places
        int32 [n, L], which row of `sums` is that of each click's item; -1: none, so it has no
        vector.
    by_joined
        float32 [n, 3 d].
    sums
        float32 [distinct items, d], added to.
    by_logits
        float32 [n, L, 2], 0, filled.
    """
    dimension = vectors.shape[1]
    for i in range(items.shape[0]):
        first_total = second_total = np.float32(0.0)
        for k in range(items.shape[1]):
            row, place = items[i, k], places[i, k]
            if place < 0:
                continue
            first, second = shares[i, k, 0], shares[i, k, 1]
            by_first = by_second = np.float32(0.0)
            for j in range(dimension):
                by_first += vectors[row, j] * by_joined[i, j]
                by_second += vectors[row, j] * by_joined[i, dimension + j]
                sums[place, j] += first * by_joined[i, j] + second * by_joined[i, dimension + j]
            by_logits[i, k, 0], by_logits[i, k, 1] = first * by_first, second * by_second
            first_total += by_logits[i, k, 0]
            second_total += by_logits[i, k, 1]
        for k in range(items.shape[1]):
            by_logits[i, k, 0] -= shares[i, k, 0] * first_total
            by_logits[i, k, 1] -= shares[i, k, 1] * second_total
        place = places[i, 0]
        if place >= 0:
            for j in range(dimension):
                sums[place, j] += by_joined[i, MEANS * dimension + j]


@relaxed_kernel
def add_weights_gradients(
    items: npt.NDArray[np.int32],
    positions: npt.NDArray[np.float32],
    hidden: npt.NDArray[np.float32],
    attention: npt.NDArray[np.float32],
    by_logits: npt.NDArray[np.float32],
    by_weights: npt.NDArray[np.float32],
    by_bias: npt.NDArray[np.float32],
    by_attention: npt.NDArray[np.float32],
) -> None:
    """Take the gradient by logits, float32 [n, L, 2], on to the weights.

    Parameters
    ----------
    items, positions, hidden, attention
        As for `weigh_clicks`.
    by_logits
        float32 [n, L, 2].
    by_weights, by_bias, by_attention
        float32 [P, H], [H] and [H, 2], added to.
    """
    for i in range(items.shape[0]):
        for k in range(items.shape[1]):
            if items[i, k] < 0:
                continue
            by_first, by_second = by_logits[i, k, 0], by_logits[i, k, 1]
            for h in range(hidden.shape[2]):
                value = hidden[i, k, h]
                by_attention[h, 0] += value * by_first
                by_attention[h, 1] += value * by_second
                if value > 0.0:
                    by_value = by_first * attention[h, 0] + by_second * attention[h, 1]
                    by_bias[h] += by_value
                    for p in range(positions.shape[2]):
                        by_weights[p, h] += positions[i, k, p] * by_value

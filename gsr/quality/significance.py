"""A paired bootstrap test of whether a model is better than another, not lucky with its users."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

INTERVAL: Final = 0.95
BLOCK_DRAWS: Final = 2**21
"""Drawn users that are held at once: 16 MiB of places and 16 MiB of values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """The outcome of a paired bootstrap of b against a.

    Parameters
    ----------
    users
        How many.
    mean_a, mean_b
        Means over users.
    difference
        ``mean_b - mean_a``.
    relative_gain
        ``difference / mean_a``; None where `mean_a` is 0.
    low, high
        The middle 95 % of the resampled differences.
    p_value
        Two-sided: how often chance alone would make the means differ so much, were both models
        equally good. Never below 1 / (samples + 1).
    p_normal
        The same by the paired z-test (Student's, for so many users), which resolves what so few
        samples cannot; 1 where all differences are equal to 0.
    samples
        How often users were drawn.
    """

    users: int
    mean_a: float
    mean_b: float
    difference: float
    relative_gain: float | None
    low: float
    high: float
    p_value: float
    p_normal: float
    samples: int


def paired_bootstrap(
    a: npt.NDArray[np.float64],
    b: npt.NDArray[np.float64],
    *,
    samples: int,
    rng: np.random.Generator,
) -> PairedDifference:
    """Compare two models on the same users by drawing users anew, with replacement.

    Users are what varies: a user's values under several seeds are averaged before. The interval
    holds the percentiles of the drawn mean differences; the p-value counts how many of them lie
    as far from the observed difference as that lies from 0 (Efron and Tibshirani, "An
    Introduction to the Bootstrap", chapters 13 and 16).

    Parameters
    ----------
    a, b
        float64 [U], each user's value of a metric under either model.
    samples
        How often to draw U users.
    rng
        Draws them.

    Raises
    ------
    ValueError
        There is nothing to compare, or the numbers of users differ.
    """
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise ValueError(f"cannot pair values of shapes {a.shape} and {b.shape}")
    if samples < 1:
        raise ValueError(f"samples is {samples}: draw at least once")
    differences = b - a
    observed = float(differences.mean())
    drawn = _drawn_means(differences, samples, rng)
    tail = (1.0 - INTERVAL) / 2.0
    low, high = np.quantile(drawn, (tail, 1.0 - tail)).tolist()
    # Equal distances that only rounding tells apart count as equal.
    slack = 1e-12 * max(abs(observed), float(np.abs(differences).max()))
    as_far = int((np.abs(drawn - observed) >= abs(observed) - slack).sum())
    mean_a = float(a.mean())
    return PairedDifference(
        users=len(a),
        mean_a=mean_a,
        mean_b=float(b.mean()),
        difference=observed,
        relative_gain=observed / mean_a if mean_a else None,
        low=low,
        high=high,
        p_value=(1 + as_far) / (samples + 1),
        p_normal=_p_normal(differences),
        samples=samples,
    )


def _drawn_means(
    differences: npt.NDArray[np.float64], samples: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return float64 [samples], in blocks of bounded memory."""
    users = len(differences)
    means = np.empty(samples)
    block = max(BLOCK_DRAWS // users, 1)
    for start in range(0, samples, block):
        rows = min(block, samples - start)
        places = rng.integers(0, users, size=(rows, users))
        means[start : start + rows] = differences[places].mean(axis=1)
    return means


def _p_normal(differences: npt.NDArray[np.float64]) -> float:
    if len(differences) == 1:
        return 1.0
    error = float(differences.std(ddof=1)) / math.sqrt(len(differences))
    mean = abs(float(differences.mean()))
    if error == 0.0:
        return 1.0 if mean == 0.0 else 0.0
    return math.erfc(mean / error / math.sqrt(2.0))

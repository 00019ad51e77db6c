"""Bootstrap tests of whether a model is better than another, and not lucky.

`paired_bootstrap` is for one value a user. `users_interval` and `windows_interval` are for clicks
scored in a stream, where users have many and neighbours in time are alike.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
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


FEWEST_UNITS: Final = 10
"""With fewer users or windows, their spread says too little to give an interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnInterval:
    """Where a mean difference per click may lie.

    Parameters
    ----------
    units
        How many users, or windows, were drawn from.
    low, high
        The middle 95 % of the resampled means.
    p_value
        Two-sided, as in `PairedDifference`.
    samples
        How often they were drawn.
    """

    units: int
    low: float
    high: float
    p_value: float
    samples: int


def users_interval(
    sums: npt.NDArray[np.float64],
    counts: npt.NDArray[np.float64],
    *,
    samples: int,
    rng: np.random.Generator,
) -> list[DrawnInterval] | None:
    """Draw users anew, with all their clicks, for whether it is better for users like these.

    The mean per click is a ratio of two sums over users, so both are drawn together (a cluster
    bootstrap; Davison and Hinkley, "Bootstrap Methods and their Application", chapter 3.8).

    Parameters
    ----------
    sums
        float64 [U, D], each user's sum of D differences, one a click.
    counts
        float64 [U], each user's clicks; users without any are left out.
    samples
        How often to draw.
    rng
        Draws.

    Returns
    -------
    One for each of the D differences; None with fewer than `FEWEST_UNITS` users.
    """
    return _intervals(sums, counts, samples, lambda rows, n: rng.integers(0, n, size=(rows, n)), 1)


def windows_interval(
    sums: npt.NDArray[np.float64],
    counts: npt.NDArray[np.float64],
    *,
    samples: int,
    rng: np.random.Generator,
    block: int | None = None,
) -> list[DrawnInterval] | None:
    """Draw stretches of time anew, for whether it would be better at other times too.

    Neighbouring windows are alike, so runs of them are drawn, of one length and round the end:
    the moving blocks of Künsch (1989, Annals of Statistics 17), in a circle (Politis and Romano
    1992, in "Exploring the Limits of Bootstrap").

    Parameters
    ----------
    sums, counts
        As in `users_interval`, of n windows in order of time.
    samples, rng
        As there.
    block
        Windows of a run; None: 1.5 times the cube root of their number, rounded up. The root is
        the rate that is best for a variance (Hall, Horowitz and Jing 1995, Biometrika 82).
    """
    known = int((counts > 0.0).sum())
    length = block or math.ceil(1.5 * known ** (1.0 / 3.0))

    def places(rows: int, n: int) -> npt.NDArray[np.int64]:
        firsts = rng.integers(0, n, size=(rows, -(-n // length), 1))
        return ((firsts + np.arange(length)) % n).reshape(rows, -1)[:, :n]

    return _intervals(sums, counts, samples, places, length)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for how many there are (Holm 1979), so that none is small by their number.

    Examples
    --------
    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    p = np.array(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    factors = np.arange(len(p), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return [float(value) for value in corrected]


def _intervals(
    sums: npt.NDArray[np.float64],
    counts: npt.NDArray[np.float64],
    samples: int,
    places: Callable[[int, int], npt.NDArray[np.int64]],
    length: int,
) -> list[DrawnInterval] | None:
    """Return an interval for each column of `sums`.

    `places` draws int64 [rows, n] units, in runs of `length`.
    """
    known = counts > 0.0
    sums, counts = sums[known], counts[known]
    if len(counts) < FEWEST_UNITS:
        return None
    drawn = np.concatenate(
        [
            (weights @ sums) / (weights @ counts)[:, None]
            for weights in _drawn_weights(len(counts), samples, places)
        ]
    )
    observed = sums.sum(axis=0) / counts.sum()
    drawn = observed + _widening(len(counts), length) * (drawn - observed)
    tail = (1.0 - INTERVAL) / 2.0
    low, high = np.quantile(drawn, (tail, 1.0 - tail), axis=0)
    # Equal distances that only rounding tells apart count as equal.
    slack = 1e-12 * np.maximum(np.abs(observed), np.abs(drawn).max(axis=0))
    as_far = (np.abs(drawn - observed) >= np.abs(observed) - slack).sum(axis=0)
    return [
        DrawnInterval(
            units=len(counts),
            low=float(low[column]),
            high=float(high[column]),
            p_value=float((1 + as_far[column]) / (samples + 1)),
            samples=samples,
        )
        for column in range(sums.shape[1])
    ]


def _widening(units: int, length: int) -> float:
    """Return by how much resampled means spread too little, with so few runs.

    They spread around their own mean, which takes length / units of the variance away; and the
    spread itself is uncertain, with as many degrees of freedom as Bartlett's window of that length
    (Priestley, "Spectral Analysis and Time Series", chapter 6.2), so that Student's quantile takes
    the normal one's place (its first term, Abramowitz and Stegun 26.7.5).
    """
    freedom = units - 1.0 if length == 1 else 1.5 * units / length
    normal = NormalDist().inv_cdf((1.0 + INTERVAL) / 2.0)
    student = normal + (normal**3 + normal) / (4.0 * freedom)
    return student / normal / math.sqrt(1.0 - length / units)


def _drawn_weights(
    units: int, samples: int, places: Callable[[int, int], npt.NDArray[np.int64]]
) -> Iterator[npt.NDArray[np.float64]]:
    """Yield float64 [rows, units], how often each was drawn, in blocks of bounded memory."""
    block = max(BLOCK_DRAWS // units, 1)
    for start in range(0, samples, block):
        rows = min(block, samples - start)
        cells = places(rows, units) + units * np.arange(rows)[:, None]
        drawn = np.bincount(cells.ravel(), minlength=rows * units)
        yield drawn.reshape(rows, units).astype(np.float64)

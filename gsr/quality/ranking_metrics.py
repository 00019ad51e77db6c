"""Ranking metrics of one relevant item: HR, NDCG and MRR at several cutoffs."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

MISS: Final = np.iinfo(np.int32).max
"""The rank of an item that could not be ranked, because the model does not know it."""

CUTOFFS: Final = (5, 10, 20)
METRICS: Final = tuple(f"{name}@{k}" for name in ("hr", "ndcg", "mrr") for k in CUTOFFS)

USER_SLICES: Final = {"0": 0, "1": 1, "2": 2, "3-9": 3, "10+": 10}
"""Slices by how many clicks of the user were known before: name to fewest clicks, ascending."""

ITEM_SLICES: Final = {"0": 0, "1-4": 1, "5-9": 5, "10+": 10}
"""Slices by how many clicks the item had before, of anybody: name to fewest clicks, ascending."""


def metric_values(ranks: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Return the value of every metric of `METRICS` for each rank.

    With one relevant item, found at rank r within the first k: HR@k = 1, NDCG@k = 1 / log2(r + 1),
    MRR@k = 1 / r; otherwise all are 0.

    Parameters
    ----------
    ranks
        int32, of any shape, from 1; `MISS` and whatever is below 1 count as not found.

    Returns
    -------
    float64 [*shape, len(METRICS)]

    Examples
    --------
    >>> values = metric_values(np.array([1, 7, MISS, 0], dtype=np.int32))
    >>> values[:, METRICS.index("mrr@10")].round(3).tolist()
    [1.0, 0.143, 0.0, 0.0]
    """
    exact = np.where(ranks > 0, ranks, MISS).astype(np.float64)
    kinds = (np.ones_like(exact), 1.0 / np.log2(exact + 1.0), 1.0 / exact)
    values = np.empty((*exact.shape, len(METRICS)))
    for place, cutoff in enumerate(CUTOFFS):
        found = exact <= cutoff
        for kind, each in enumerate(kinds):
            values[..., kind * len(CUTOFFS) + place] = np.where(found, each, 0.0)
    return values


def rank_sums(ranks: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Add up every metric of `METRICS` over clicks.

    Parameters
    ----------
    ranks
        int32 [n, M], the rank, from 1, that each of M models gave each clicked item.

    Returns
    -------
    float64 [M, len(METRICS)]; divide by n for the means.

    Examples
    --------
    >>> sums = rank_sums(np.array([[1], [7], [MISS]], dtype=np.int32))
    >>> {name: round(float(total), 3) for name, total in zip(METRICS, sums[0])}["hr@10"]
    2.0
    """
    sums: npt.NDArray[np.float64] = metric_values(ranks).sum(axis=0)
    return sums


def metric_means(ranks: npt.NDArray[np.int32]) -> dict[str, float]:
    """Return every metric's mean over m cases, of their `ranks`, int32 [m].

    Raises
    ------
    ValueError
        There are no cases, so there is no mean.
    """
    if not len(ranks):
        raise ValueError("there are no ranks to average")
    return dict(zip(METRICS, metric_values(ranks).mean(axis=0).tolist(), strict=True))


def slice_means(
    ranks: npt.NDArray[np.int32], slices: Mapping[str, npt.NDArray[np.bool_]]
) -> dict[str, dict[str, float]]:
    """Return each slice's number of cases and, where there are any, its means.

    Parameters
    ----------
    ranks
        int32 [m].
    slices
        Name to bool [m], which cases belong to it.
    """
    return {
        name: {"cases": int(chosen.sum())} | (metric_means(ranks[chosen]) if chosen.any() else {})
        for name, chosen in slices.items()
    }


def slice_numbers(
    clicks: npt.NDArray[np.int64] | npt.NDArray[np.int32], slices: Mapping[str, int]
) -> npt.NDArray[np.int8]:
    """Return the number of the slice that each count of clicks falls into, int8 [n].

    Parameters
    ----------
    clicks
        Integers [n], from 0.
    slices
        `USER_SLICES` or `ITEM_SLICES`.

    Examples
    --------
    >>> names = list(ITEM_SLICES)
    >>> [names[n] for n in slice_numbers(np.array([0, 4, 5, 1000]), ITEM_SLICES)]
    ['0', '1-4', '5-9', '10+']
    """
    starts = np.fromiter(slices.values(), dtype=np.int64)
    return (np.searchsorted(starts, clicks, side="right") - 1).astype(np.int8)


def mean_over_runs(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return each value's mean over runs; all runs have the same names."""
    return {name: float(np.mean([run[name] for run in runs])) for name in runs[0]}


def deviation_over_runs(runs: Sequence[Mapping[str, float]]) -> dict[str, float | None]:
    """Return each value's sample standard deviation over runs; None where there is one run."""
    if len(runs) == 1:
        return dict.fromkeys(runs[0])
    return {name: float(np.std([run[name] for run in runs], ddof=1)) for name in runs[0]}

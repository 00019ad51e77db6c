"""What the rank of one relevant item is worth: HR, NDCG and MRR at several cutoffs."""

from typing import Final

import numpy as np
import numpy.typing as npt

MISS: Final = np.iinfo(np.int32).max
"""The rank of an item that could not be ranked, because the model does not know it."""

CUTOFFS: Final = (5, 10, 20)
METRICS: Final = tuple(f"{name}@{k}" for name in ("hr", "ndcg", "mrr") for k in CUTOFFS)


def metric_values(ranks: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Return what each rank is worth by every metric of `METRICS`.

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
    worth = (np.ones_like(exact), 1.0 / np.log2(exact + 1.0), 1.0 / exact)
    values = np.empty((*exact.shape, len(METRICS)))
    for place, cutoff in enumerate(CUTOFFS):
        found = exact <= cutoff
        for kind, each in enumerate(worth):
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

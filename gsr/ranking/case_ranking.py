"""Exact ranks of the targets of cases among all items, by dense scores."""

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.counters.interactions import Interactions
from gsr.errors import RankingError
from gsr.quality.protocols import Cases


def rank_cases(
    scores: npt.NDArray[np.float32],
    interactions: Interactions,
    cases: Cases,
    *,
    mask_seen: bool = True,
) -> npt.NDArray[np.int32]:
    """Rank the target of every case among all N items.

    An item with the target's score counts as ranked above it, so that a model gains nothing from
    scoring items alike. The target itself is always ranked, also where its user clicked it before.

    Parameters
    ----------
    scores
        float32 [b, N], in C order; not changed.
    interactions
        Hold the histories.
    cases
        b of them.
    mask_seen
        Whether the items of a case's history are left out of its ranking.

    Returns
    -------
    int32 [b], ranks from 1.

    Raises
    ------
    RankingError
        A score is not a number.
    ValueError
        The shape of the scores does not fit.
    """
    shape = (len(cases), interactions.item_count)
    if scores.shape != shape:
        raise ValueError(f"scores have the shape {scores.shape}: {shape} is needed")
    ranks = np.empty(len(cases), dtype=np.int32)
    firsts = interactions.starts[cases.users]
    failed = _rank(
        np.ascontiguousarray(scores),
        cases.targets(interactions),
        interactions.items,
        firsts,
        cases.positions if mask_seen else firsts,
        ranks,
    )
    if failed >= 0:
        raise RankingError(
            f"a score of user {cases.users[failed]} is not a number: the model is broken"
        )
    return ranks


@kernel
def _rank(
    scores: npt.NDArray[np.float32],
    targets: npt.NDArray[np.int64],
    items: npt.NDArray[np.int64],
    firsts: npt.NDArray[np.int64],
    lasts: npt.NDArray[np.int64],
    ranks: npt.NDArray[np.int32],
) -> int:
    """Fill `ranks` without the items ``items[firsts : lasts]``; return a row with a NaN, or -1."""
    left_out = np.full(scores.shape[1], -1, np.int64)
    for row in range(len(targets)):
        values, target = scores[row], targets[row]
        own = values[target]
        above, numbers = 0, 0
        for item in range(len(values)):
            # Only what is not a number differs from itself.
            above += values[item] >= own
            numbers += values[item] == values[item]
        if numbers < len(values):
            return row
        for place in range(firsts[row], lasts[row]):
            item = items[place]
            if item != target and left_out[item] != row:
                left_out[item] = row
                above -= values[item] >= own
        ranks[row] = above
    return -1

"""Votes of a user's clicks for the items that followed them, and what becomes of these votes.

The kernels here are generic in their arrays' types: live channels are float32, baselines float64.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel
from gsr.counters.items.item_graph import ItemGraph
from gsr.votes.constants import (
    FLOOR,
    LARGEST_DECAY_LOG2,
    NEW_LOG2,
    RECENT_CLICKS,
    RECENT_DECAY,
    SQUASH,
)


@lean_kernel
def decay_factor(graph: ItemGraph, row: int, scale: int, now: float) -> float:
    """Return what turns the stored weights of a graph row into weights at `now`."""
    exponent = graph.row_references[row, scale] - now / graph.half_lives[scale]
    factor: float = 2.0 ** max(min(exponent, LARGEST_DECAY_LOG2), -LARGEST_DECAY_LOG2)
    return factor


@lean_kernel
def recent_share(back: int) -> float:
    """Return how much the click so many steps before the newest counts among the recent ones."""
    share: float = RECENT_DECAY**back if back < RECENT_CLICKS else 0.0
    return share


@lean_kernel
def add_votes(
    graph: ItemGraph,
    source: int,
    factors: npt.NDArray[np.float64],
    shares: tuple[float, ...],
    votes: npt.NDArray[np.floating[Any]],
    touched: npt.NDArray[np.int64],
    count: int,
) -> int:
    """Add the votes of one click, on item `source`; return how many items have any by now.

    Parameters
    ----------
    graph
        Edges on S time scales.
    source
        Item row, with a row in the graph.
    factors
        float64 [S], what turns the stored weights of the row into weights at the time in question.
    shares
        K numbers: how much the click counts in each kind of vote.
    votes
        [N, at least K * S + 1], kind by kind. The last column is 1 for items that have votes; all
        is zero before a user's first click votes.
    touched, count
        int64 [N], items that have votes, of which the first `count` are known.
    """
    scales = len(factors)
    mark = votes.shape[1] - 1
    start = graph.row_starts[source]
    for slot in range(start, start + graph.row_lengths[source]):
        item = graph.neighbours[slot]
        most = 0.0
        for s in range(scales):
            weight = graph.weights[slot, s] * factors[s]
            for kind, share in enumerate(shares):
                votes[item, kind * scales + s] += share * weight
                most = max(most, votes[item, kind * scales + s])
        # An edge can have decayed to nothing: what is listed has a vote above zero.
        if votes[item, mark] == 0.0 and most > 0.0:
            votes[item, mark] = 1.0
            touched[count] = item
            count += 1
    return count


@lean_kernel
def fill_channels(
    votes: npt.NDArray[np.float32],
    item: int,
    popularity: npt.NDArray[np.float64],
    clicks_log2: float,
    out: npt.NDArray[np.float32],
    row: int,
) -> None:
    """Fill ``out[row]`` with the graph channels of an item (see `gsr.votes.channels`).

    Parameters
    ----------
    votes
        float32 [N, 3S + 1], recent votes and those of the history; may be `out`.
    item
        Row of the votes.
    popularity
        float64 [S], the item's popularity channels.
    clicks_log2
        The log2 of the item's clicks.
    """
    scales = len(popularity)
    for c in range(2 * scales):
        out[row, c] = math.log1p(SQUASH * max(votes[item, c], 0.0))
    for s in range(scales):
        out[row, 2 * scales + s] = popularity[s] - FLOOR
    out[row, 3 * scales] = 1.0 if clicks_log2 < NEW_LOG2 else 0.0

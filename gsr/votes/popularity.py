"""The popularity channel of items, from levels that only a click of the item moves.

An item's *level* is the log2 of its popularity at the epoch; at time t its popularity has the log2
``level - t / half_life``. The channel is the natural logarithm of popularity, from a floor up.
"""

import math

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel
from gsr.counters.items.item_graph import ItemGraph
from gsr.votes.constants import FLOOR_LOG2, LN2, NEVER


@lean_kernel
def log2_of(clicks: float) -> float:
    """Return the log2 of a number of clicks, `NEVER` where there are none."""
    if clicks <= 0.0:
        return NEVER
    return math.log2(clicks)


@lean_kernel
def channel_of(log2: float) -> float:
    """Return the popularity channel of an item whose popularity has this log2."""
    return max(log2, FLOOR_LOG2) * LN2


def popularity_at(graph: ItemGraph, scale: int, now: float) -> npt.NDArray[np.float64]:
    """Return every item's popularity on one time scale, float64 [N]."""
    exponent = graph.popularity_references[:, scale] - now / graph.half_lives[scale]
    found: npt.NDArray[np.float64] = graph.popularity[:, scale] * np.exp2(
        np.clip(exponent, -1000.0, 100.0)
    )
    return found


@lean_kernel
def level(graph: ItemGraph, item: int, scale: int) -> float:
    """Return one item's level on one time scale."""
    stored = graph.popularity[item, scale]
    if stored <= 0.0:
        return NEVER
    log2: float = log2_of(stored) + graph.popularity_references[item, scale]
    return log2


@lean_kernel
def update_level(graph: ItemGraph, item: int, levels: npt.NDArray[np.float64]) -> None:
    """Set ``levels[item]`` (see `popularity_levels`) after the item's popularity changed."""
    for s in range(len(graph.half_lives)):
        levels[item, s] = level(graph, item, s)


@lean_kernel
def popularity_levels(graph: ItemGraph, levels: npt.NDArray[np.float64]) -> None:
    """Fill `levels` [N, S]. Keep them current with `update_level` after each click."""
    for item in range(len(graph.alive)):
        update_level(graph, item, levels)


@lean_kernel
def popularity_channel(log2: float, half_life: float, now: float) -> float:
    """Return one item's popularity channel at `now` from its level."""
    return channel_of(log2 - now / half_life)

"""The item graph of a set of clicks, counted at once and without decay. Imports no torch.

Where clicks are learned as a whole there is no "now" for weights to decay to. The places of the
time scales are then taken by *relations*: what followed a click, and what went before it.
Everything that reads an `ItemGraph` works on them alike: half-lives are infinite.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.interactions import Interactions
from gsr.counters.items.item_graph import ItemGraph
from gsr.quality.protocols import clicks_before

FORWARD: Final = 0
BACKWARD: Final = 1
RELATIONS: Final = ("forward", "backward")
"""An item's neighbours are those clicked after it, and those clicked before it."""

UNDYING: Final = (float("inf"),) * len(RELATIONS)
"""The half-lives of a model that reads such a graph."""


def count_clicks(
    interactions: Interactions,
    ends: npt.NDArray[np.int64],
    window_weights: tuple[float, ...],
) -> ItemGraph:
    """Count edges and popularity of the clicks ``starts[u] : ends[u]`` of every user u.

    Edges by relation; popularity in clicks, the same in every relation. An item is no neighbour of
    itself.

    Parameters
    ----------
    interactions
        All clicks.
    ends
        int64 [U].
    window_weights
        Weight of the edge between a click and the next, the one after, and so on.
    """
    n, items = interactions.item_count, interactions.items
    counted = clicks_before(interactions, ends)
    rows, neighbours, weights = _edges(interactions, counted, window_weights)
    starts = np.searchsorted(rows, np.arange(n + 1))
    popularity = np.bincount(items[counted], minlength=n).astype(np.float32)
    newest = np.full(n, -np.inf)
    np.maximum.at(newest, items[counted], interactions.times[counted])
    scales = len(RELATIONS)
    return ItemGraph(
        half_lives=np.array(UNDYING),
        row_starts=starts[:-1].astype(np.int64),
        row_lengths=np.diff(starts).astype(np.int32),
        row_references=np.zeros((n, scales), np.int64),
        neighbours=neighbours.astype(np.uint32),
        weights=weights,
        popularity=np.repeat(popularity[:, None], scales, axis=1),
        popularity_references=np.zeros((n, scales), np.int64),
        last_clicks=newest,
        alive=np.ones(n, np.bool_),
        close_half_lives=np.zeros(0),
    )


def _edges(
    interactions: Interactions,
    counted: npt.NDArray[np.bool_],
    window_weights: tuple[float, ...],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return rows and neighbours, int64 [E], ordered, and weights float32 [E, relations]."""
    n, items, users = interactions.item_count, interactions.items, interactions.users
    keys, amounts, sides = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0, np.int64)]
    for distance, weight in enumerate(window_weights, start=1):
        first, later = slice(None, -distance or None), slice(distance, None)
        pairs = (users[first] == users[later]) & counted[later] & (items[first] != items[later])
        before, after = items[first][pairs], items[later][pairs]
        keys += [before * n + after, after * n + before]
        amounts += [np.full(len(before), weight)] * 2
        sides += [np.full(len(before), FORWARD), np.full(len(before), BACKWARD)]
    edges, edge_of = np.unique(np.concatenate(keys), return_inverse=True)
    weights = np.zeros((len(edges), len(RELATIONS)))
    np.add.at(weights, (edge_of, np.concatenate(sides)), np.concatenate(amounts))
    return edges // n, edges % n, weights.astype(np.float32)

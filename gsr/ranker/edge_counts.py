"""How often people went on from one item to others, as the item graph has counted it."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.counters.items.item_graph import ItemGraph

Counts = npt.NDArray[np.float64]


class EdgeCounts(NamedTuple):
    """Decayed counts between two items.

    Parameters
    ----------
    followed
        float64 [S], how often the second item was clicked after the first, on each time scale.
    together
        float64 [C], how often one user clicked both close by, before or after.
    """

    followed: Counts
    together: Counts


def edge_counts(
    graph: ItemGraph,
    sources: npt.NDArray[np.int64],
    targets: npt.NDArray[np.int64],
    now: float,
) -> list[EdgeCounts]:
    """Return what the graph has counted from n items to n others, as of `now`; 0 for no edge.

    Parameters
    ----------
    graph
        The counters.
    sources, targets
        int64 [n], item rows.
    now
        Seconds since the epoch.
    """
    half_lives = np.concatenate((graph.half_lives, graph.close_half_lives))
    found = []
    for source, target in zip(sources.tolist(), targets.tolist(), strict=True):
        start = int(graph.row_starts[source])
        slots = slice(start, start + int(graph.row_lengths[source]))
        weights = graph.weights[slots][graph.neighbours[slots] == target].sum(axis=0)
        counts = weights * np.exp2(graph.row_references[source] - now / half_lives)
        found.append(EdgeCounts(counts[: graph.scales], counts[graph.scales :]))
    return found


def popularity_counts(graph: ItemGraph, items: npt.NDArray[np.int64], now: float) -> Counts:
    """Return decayed clicks on items, float64 [n, S], as of `now`."""
    decay = np.exp2(graph.popularity_references[items] - now / graph.half_lives)
    return np.asarray(graph.popularity[items] * decay, dtype=np.float64)

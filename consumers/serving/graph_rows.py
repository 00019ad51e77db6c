"""What the item graph says of one item, as of a moment."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.counters.items.item_graph import ItemGraph
from gsr.ranker.edge_counts import popularity_counts


class Neighbours(NamedTuple):
    """Neighbours of an item; n of them.

    Parameters
    ----------
    rows
        int64 [n], their rows.
    weights
        float64 [n, S], by time scale.
    """

    rows: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]

    def strongest(self, count: int) -> "Neighbours":
        """Return those of the largest weight on any time scale, that one first."""
        best = np.argsort(-self.weights.max(axis=1, initial=0.0), kind="stable")[:count]
        return Neighbours(self.rows[best], self.weights[best])


def popularity_at(graph: ItemGraph, row: int, now: float) -> npt.NDArray[np.float64]:
    """Return an item's popularity, float64 [S], at `now` (seconds since the epoch)."""
    found: npt.NDArray[np.float64] = popularity_counts(graph, np.array([row]), now)[0]
    return found


def followers_at(graph: ItemGraph, row: int, now: float) -> Neighbours:
    """Return the items that are clicked after the one in `row`; those only close are left out."""
    return _neighbours(graph, row, now, slice(0, graph.scales), graph.half_lives)


def close_at(graph: ItemGraph, row: int, now: float) -> Neighbours:
    """Return the items that are clicked close to the one in `row`, whichever came first."""
    columns = slice(graph.scales, graph.scales + len(graph.close_half_lives))
    return _neighbours(graph, row, now, columns, graph.close_half_lives)


def _neighbours(
    graph: ItemGraph,
    row: int,
    now: float,
    columns: slice,
    half_lives: npt.NDArray[np.float64],
) -> Neighbours:
    start = int(graph.row_starts[row])
    slots = slice(start, start + int(graph.row_lengths[row]))
    stored = graph.weights[slots, columns]
    there = stored.any(axis=1)
    factor = np.exp2(graph.row_references[row, columns] - now / half_lives)
    rows = graph.neighbours[slots][there].astype(np.int64)
    return Neighbours(rows, np.asarray(stored[there] * factor, dtype=np.float64))

"""Graph neighbourhoods of item rows. Imports no torch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.counters.items.item_graph import ItemGraph
from gsr.votes.constants import MASS_PRIOR
from gsr.votes.graph_votes import decay_factor


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Neighbours of R rows, as a bipartite graph.

    Parameters
    ----------
    rows
        int64 [U], distinct item rows; the first R are those that were asked for.
    sources
        int64 [E], places in `rows` whose vectors are sent.
    targets
        int64 [E], places below R that receive; ascending.
    shares
        float32 [E, S], per time scale, the neighbour's share of the receiving row's weight.
    """

    rows: npt.NDArray[np.int64]
    sources: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float32]


@kernel
def _weigh(
    graph: ItemGraph,
    row: int,
    now: float,
    shares: npt.NDArray[np.float64],
) -> None:
    """Fill `shares` [row length, S] with a row's shares at `now`."""
    start = graph.row_starts[row]
    length, scales = shares.shape
    for s in range(scales):
        factor = decay_factor(graph, row, s, now)
        for i in range(length):
            shares[i, s] = graph.weights[start + i, s] * factor
    for s in range(scales):
        mass = MASS_PRIOR
        for i in range(length):
            mass += shares[i, s]
        for i in range(length):
            shares[i, s] /= mass


@kernel
def _choose(
    graph: ItemGraph,
    rows: npt.NDArray[np.int64],
    now: float,
    fanout: int,
    limit: int,
    counts: npt.NDArray[np.int64],
    chosen: npt.NDArray[np.int64],
    shares: npt.NDArray[np.float32],
) -> None:
    """Fill, per row, its best `fanout` neighbours by summed share."""
    best = np.empty(fanout, np.float64)
    for r in range(len(rows)):
        counts[r] = 0
        row = rows[r]
        if not 0 <= row < len(graph.row_starts):
            continue
        start = graph.row_starts[row]
        weighed = np.empty((graph.row_lengths[row], len(graph.half_lives)), np.float64)
        _weigh(graph, row, now, weighed)
        for i in range(len(weighed)):
            neighbour = graph.neighbours[start + i]
            score = weighed[i].sum()
            if score <= 0.0 or neighbour >= limit or not graph.alive[neighbour]:
                continue
            place = counts[r]
            if place == fanout:
                if score <= best[fanout - 1]:
                    continue
                place = fanout - 1
            else:
                counts[r] += 1
            while place > 0 and best[place - 1] < score:
                best[place] = best[place - 1]
                chosen[r, place] = chosen[r, place - 1]
                shares[r, place] = shares[r, place - 1]
                place -= 1
            best[place] = score
            chosen[r, place] = neighbour
            shares[r, place] = weighed[i]


@kernel
def _number(
    rows: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    chosen: npt.NDArray[np.int64],
    shares: npt.NDArray[np.float32],
    places: npt.NDArray[np.int64],
    block_rows: npt.NDArray[np.int64],
    sources: npt.NDArray[np.int64],
    targets: npt.NDArray[np.int64],
    flat: npt.NDArray[np.float32],
) -> int:
    """Give every row a place, asked ones first; `places` is all -1 before and after."""
    used = 0
    for r in range(len(rows)):
        block_rows[used] = rows[r]
        places[rows[r]] = used
        used += 1
    edge = 0
    for r in range(len(rows)):
        for i in range(counts[r]):
            row = chosen[r, i]
            if places[row] < 0:
                places[row] = used
                block_rows[used] = row
                used += 1
            sources[edge] = places[row]
            targets[edge] = r
            flat[edge] = shares[r, i]
            edge += 1
    for u in range(used):
        places[block_rows[u]] = -1
    return used


class NeighbourSampler:
    """Cuts neighbourhoods out of a graph; keeps its scratch memory between calls.

    Parameters
    ----------
    fanout
        At most so many neighbours per row, the heaviest by their share summed over the scales.
    """

    def __init__(self, fanout: int) -> None:
        self.fanout = fanout
        self._places = np.full(0, -1, np.int64)

    def sample(
        self,
        graph: ItemGraph,
        rows: npt.NDArray[np.int64],
        now: float,
        limit: int,
    ) -> Neighbourhood:
        """Return the neighbours of distinct `rows` at time `now`.

        Neighbours that are dead, or have no row below `limit`, are left out.
        """
        n = len(rows)
        if len(self._places) < max(len(graph.alive), int(rows.max(initial=-1)) + 1):
            size = max(len(graph.alive), int(rows.max(initial=-1)) + 1)
            self._places = np.full(size * 5 // 4, -1, np.int64)
        counts = np.empty(n, np.int64)
        chosen = np.empty((n, self.fanout), np.int64)
        shares = np.empty((n, self.fanout, len(graph.half_lives)), np.float32)
        _choose(graph, rows, now, self.fanout, limit, counts, chosen, shares)
        edges = int(counts.sum())
        block_rows = np.empty(n + edges, np.int64)
        sources = np.empty(edges, np.int64)
        targets = np.empty(edges, np.int64)
        flat = np.empty((edges, len(graph.half_lives)), np.float32)
        used = _number(
            rows, counts, chosen, shares, self._places, block_rows, sources, targets, flat
        )
        return Neighbourhood(block_rows[:used].copy(), sources, targets, flat)

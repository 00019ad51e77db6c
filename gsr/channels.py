"""Direct channels: what the live counters say about the next click. Imports no torch.

A channel is one number per user and item. With S time scales there are C = 2S of them:

- channels 0 … S-1, *popularity*: ``ln(max(popularity at now, FLOOR))`` of the item;
- channels S … 2S-1, *graph*: ``ln(1 + SQUASH * p)``, where ``p`` is the decayed share of the
  item among what followed the user's last m clicks; zero for an item that followed none of them.

The joint score is ``vectors[u] · item_vectors[j] + Σ_c weights[u, c] * channel_c(u, j, now)``.
The floor is taken at *now*, so that popularity above it moves by the same constant for every item
as time goes by, and its logarithm (`popularity_levels`) changes only when the item is clicked.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.item_graph import ItemGraph

FLOOR_LOG2: Final = -7.0
SQUASH: Final = 100.0
MASS_PRIOR: Final = 0.5
NEVER: Final = -1e18
LN2: Final = math.log(2.0)

BASE_CONTEXT: Final = 4


class GraphArrays(NamedTuple):
    """The arrays of an `ItemGraph`, in the form that kernels take; same names, same meaning."""

    half_lives: npt.NDArray[np.float64]
    row_starts: npt.NDArray[np.int64]
    row_lengths: npt.NDArray[np.int32]
    row_references: npt.NDArray[np.int64]
    neighbours: npt.NDArray[np.uint32]
    weights: npt.NDArray[np.float32]
    popularity: npt.NDArray[np.float32]
    popularity_references: npt.NDArray[np.int64]
    last_clicks: npt.NDArray[np.float64]
    alive: npt.NDArray[np.bool_]


def graph_arrays(graph: ItemGraph) -> GraphArrays:
    """Return `graph`'s own arrays (no copies) as a tuple that kernels accept."""
    return GraphArrays(
        graph.half_lives,
        graph.row_starts,
        graph.row_lengths,
        graph.row_references,
        graph.neighbours,
        graph.weights,
        graph.popularity,
        graph.popularity_references,
        graph.last_clicks,
        graph.alive,
    )


def channel_count(scales: int) -> int:
    """Return C, the number of channels with `scales` time scales."""
    return 2 * scales


def channel_names(scales: int) -> tuple[str, ...]:
    """Return the names of the channels, in order.

    >>> channel_names(2)
    ('popularity_0', 'popularity_1', 'graph_0', 'graph_1')
    """
    return tuple(f"{kind}_{s}" for kind in ("popularity", "graph") for s in range(scales))


def context_count(scales: int) -> int:
    """Return F, the number of context features with `scales` time scales."""
    return BASE_CONTEXT + 3 * scales


@kernel
def level(graph: GraphArrays, item: int, scale: int) -> float:  # pragma: no cover
    """Return log2 of an item's popularity at the epoch, `NEVER` where it has none."""
    stored = graph.popularity[item, scale]
    if stored <= 0.0:
        return NEVER
    log2: float = math.log2(stored) + graph.popularity_references[item, scale]
    return log2


@kernel
def update_level(
    graph: GraphArrays, item: int, levels: npt.NDArray[np.float64]
) -> None:  # pragma: no cover
    """Set ``levels[item]`` (see `popularity_levels`) after the item's popularity changed."""
    for s in range(len(graph.half_lives)):
        levels[item, s] = level(graph, item, s)


@kernel
def popularity_levels(
    graph: GraphArrays, levels: npt.NDArray[np.float64]
) -> None:  # pragma: no cover
    """Fill `levels` [N, S]: log2 of popularity at time t is ``levels[j, s] - t / half_lives[s]``.

    `NEVER` where there is no popularity. Keep it current with `update_level` after each click.
    """
    for item in range(len(graph.alive)):
        update_level(graph, item, levels)


@kernel
def popularity_channel(log2: float, half_life: float, now: float) -> float:  # pragma: no cover
    """Return one item's popularity channel at `now` from its level."""
    return max(log2 - now / half_life, FLOOR_LOG2) * LN2


@kernel
def popularity_channels(
    levels: npt.NDArray[np.float64],
    half_lives: npt.NDArray[np.float64],
    now: float,
    out: npt.NDArray[np.float32],
) -> None:  # pragma: no cover
    """Fill `out` [N, S] with every item's popularity channels at `now`."""
    for s in range(len(half_lives)):
        shift = now / half_lives[s]
        for item in range(len(levels)):
            out[item, s] = max(levels[item, s] - shift, FLOOR_LOG2) * LN2


@kernel
def graph_channels(
    graph: GraphArrays,
    items: npt.NDArray[np.int64],
    length: int,
    now: float,
    history: int,
    decay: float,
    dense: npt.NDArray[np.float32],
    touched: npt.NDArray[np.int64],
) -> int:  # pragma: no cover
    """Fill the graph channels of one user at `now`; return how many items have any.

    Parameters
    ----------
    items, length
        int64 [L], the user's readable clicks (see `Histories.recent`), oldest first.
    history, decay
        How many of the newest clicks vote, and by how much less with each step back.
    dense
        float32 [N, S], zero on entry; channels of every touched item on return. Give it back with
        `clear_channels`.
    touched
        int64 [at least N], rows of `dense` that were filled, in order of first touch.
    """
    scales = len(graph.half_lives)
    count = 0
    votes = min(length, history)
    if votes == 0:
        return 0
    total = 0.0
    share = 1.0
    for _ in range(votes):
        total += share
        share *= decay
    share = 1.0 / total
    factors = np.empty(scales, np.float64)
    masses = np.empty(scales, np.float64)
    for back in range(votes):
        source = items[length - 1 - back]
        if 0 <= source < len(graph.row_starts):
            start = graph.row_starts[source]
            stop = start + graph.row_lengths[source]
            for s in range(scales):
                masses[s] = 0.0
            for slot in range(start, stop):
                for s in range(scales):
                    masses[s] += graph.weights[slot, s]
            for s in range(scales):
                exponent = graph.row_references[source, s] - now / graph.half_lives[s]
                factor = 2.0 ** max(min(exponent, 100.0), -100.0)
                factors[s] = share * factor / (masses[s] * factor + MASS_PRIOR)
            for slot in range(start, stop):
                target = graph.neighbours[slot]
                before, after = np.float32(0.0), np.float32(0.0)
                for s in range(scales):
                    before += dense[target, s]
                    dense[target, s] += graph.weights[slot, s] * factors[s]
                    after += dense[target, s]
                # An edge can have decayed to nothing: what is listed has a channel above zero.
                if before == 0.0 and after > 0.0:
                    touched[count] = target
                    count += 1
        share *= decay
    for i in range(count):
        target = touched[i]
        for s in range(scales):
            dense[target, s] = math.log1p(SQUASH * dense[target, s])
    return count


@kernel
def clear_channels(
    dense: npt.NDArray[np.float32], touched: npt.NDArray[np.int64], count: int
) -> None:  # pragma: no cover
    """Zero the rows of `dense` that `graph_channels` filled."""
    for i in range(count):
        for s in range(dense.shape[1]):
            dense[touched[i], s] = 0.0


@kernel
def candidate_features(
    levels: npt.NDArray[np.float64],
    half_lives: npt.NDArray[np.float64],
    now: float,
    dense: npt.NDArray[np.float32],
    candidates: npt.NDArray[np.int64],
    out: npt.NDArray[np.float32],
) -> None:  # pragma: no cover
    """Fill `out` [M, C] with one user's channels of `candidates` [M]; zero where that is -1.

    `dense` comes from `graph_channels` of the same user and time.
    """
    scales = len(half_lives)
    for m in range(len(candidates)):
        item = candidates[m]
        for s in range(scales):
            if item < 0:
                out[m, s] = 0.0
                out[m, scales + s] = 0.0
            else:
                out[m, s] = popularity_channel(levels[item, s], half_lives[s], now)
                out[m, scales + s] = dense[item, s]


@kernel
def context_features(
    graph: GraphArrays,
    items: npt.NDArray[np.int64],
    times: npt.NDArray[np.float64],
    length: int,
    now: float,
    out: npt.NDArray[np.float32],
) -> None:  # pragma: no cover
    """Fill `out` [F] with what decides how far each channel is to be trusted for one user.

    In order: whether there is a history; its log length; log pauses since the last click and
    before it; then, per scale, the last item's log popularity, the log mass of its graph row, and
    the share of its heaviest edge.
    """
    scales = len(graph.half_lives)
    for f in range(len(out)):
        out[f] = 0.0
    if length == 0:
        return
    out[0] = 1.0
    out[1] = math.log1p(length)
    out[2] = 0.3 * math.log1p(max(now - times[length - 1], 0.0) / 10.0)
    if length > 1:
        out[3] = 0.3 * math.log1p(max(times[length - 1] - times[length - 2], 0.0) / 10.0)
    last = items[length - 1]
    if not 0 <= last < len(graph.row_starts):
        return
    start = graph.row_starts[last]
    stop = start + graph.row_lengths[last]
    for s in range(scales):
        mass = 0.0
        heaviest = 0.0
        for slot in range(start, stop):
            weight = graph.weights[slot, s]
            mass += weight
            heaviest = max(heaviest, weight)
        exponent = graph.row_references[last, s] - now / graph.half_lives[s]
        factor = 2.0 ** max(min(exponent, 100.0), -100.0)
        at = BASE_CONTEXT + 3 * s
        out[at] = 0.3 * popularity_channel(level(graph, last, s), graph.half_lives[s], now)
        out[at + 1] = 0.5 * math.log1p(mass * factor)
        out[at + 2] = heaviest * factor / (mass * factor + MASS_PRIOR)


@kernel
def context_of(
    graph: GraphArrays,
    items: npt.NDArray[np.int64],
    times: npt.NDArray[np.float64],
    lengths: npt.NDArray[np.int64],
    now: npt.NDArray[np.float64],
    out: npt.NDArray[np.float32],
) -> None:  # pragma: no cover
    """Fill `out` [B, F] with the context of B users; columns as in `Histories`."""
    for b in range(len(lengths)):
        context_features(graph, items[b], times[b], lengths[b], now[b], out[b])

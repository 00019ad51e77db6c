"""Direct channels: what the live counters say about the next click. Imports no torch.

A channel is one number per user and item. With S time scales there are C = 4S + 1 of them:

- channels 0 … S-1, *popularity*: ``ln(max(popularity at now, FLOOR))`` of the item;
- channels S … 2S-1, *recent*, and 2S … 3S-1, *history*: ``ln(1 + SQUASH * Σ_k decay^k * w_k)``
  for the decayed weight ``w_k`` with which the item followed the user's k-th newest click, by
  everybody: *recent* over a few clicks that fade quickly, *history* over many that fade slowly.
  Weights are not divided by what their row weighs in all: how much is known counts;
- channels 3S … 4S-1, *follower*: how far the item's popularity channel lies above its floor, where
  the item followed any of the user's last clicks, by anybody. A weight below zero takes back what
  popularity gave, so that among followers the edge alone may decide, which new items live on;
- channel 4S, *new*: 1 for an item that followed one of those clicks and has had fewer than
  `NEW_ITEM_CLICKS` clicks itself, counted on the slowest scale.

The last four kinds are the *graph channels*: zero for an item that followed none of the user's
last clicks, so they are kept sparse. The joint score of an item is
``vectors[u] · item_vectors[j] + Σ_c weights[u, c] * channel_c(u, j, now)``.

The floor is taken at *now*, so that popularity above it moves by the same constant for every item
as time goes by, and its logarithm (`popularity_levels`) changes only when the item is clicked.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.counters.item_graph import ItemGraph

FLOOR_LOG2: Final = -7.0
SQUASH: Final = 10.0
RECENT_CLICKS: Final = 5
RECENT_DECAY: Final = 0.5
MASS_PRIOR: Final = 0.05
NEVER: Final = -1e18
LN2: Final = math.log(2.0)

NEW_ITEM_CLICKS: Final = 10
"""An item is new while it has had fewer clicks than this, of anybody."""

NEW_LOG2: Final = math.log2(NEW_ITEM_CLICKS)

BASE_CONTEXT: Final = 4


def channel_count(scales: int) -> int:
    """Return C, the number of channels with `scales` time scales."""
    return scales + graph_channel_count(scales)


def graph_channel_count(scales: int) -> int:
    """Return how many of the channels, the last ones, are graph channels."""
    return 3 * scales + 1


def channel_names(scales: int) -> tuple[str, ...]:
    """Return the names of the channels, in order.

    >>> channel_names(2)
    ('popularity_0', 'popularity_1', 'recent_0', 'recent_1', 'history_0', 'history_1',
     'follower_0', 'follower_1', 'new')
    """
    kinds = ("popularity", "recent", "history", "follower")
    return (*(f"{kind}_{s}" for kind in kinds for s in range(scales)), "new")


def context_count(scales: int) -> int:
    """Return F, the number of context features with `scales` time scales."""
    return BASE_CONTEXT + 3 * scales


@kernel
def level(graph: ItemGraph, item: int, scale: int) -> float:  # pragma: no cover
    """Return log2 of an item's popularity at the epoch, `NEVER` where it has none."""
    stored = graph.popularity[item, scale]
    if stored <= 0.0:
        return NEVER
    log2: float = math.log2(stored) + graph.popularity_references[item, scale]
    return log2


@kernel
def update_level(
    graph: ItemGraph, item: int, levels: npt.NDArray[np.float64]
) -> None:  # pragma: no cover
    """Set ``levels[item]`` (see `popularity_levels`) after the item's popularity changed."""
    for s in range(len(graph.half_lives)):
        levels[item, s] = level(graph, item, s)


@kernel
def popularity_levels(
    graph: ItemGraph, levels: npt.NDArray[np.float64]
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
def decay_factor(graph: ItemGraph, row: int, scale: int, now: float) -> float:  # pragma: no cover
    """Return what turns the stored weights of a graph row into weights at `now`."""
    exponent = graph.row_references[row, scale] - now / graph.half_lives[scale]
    factor: float = 2.0 ** max(min(exponent, 100.0), -100.0)
    return factor


@kernel
def _vote(
    graph: ItemGraph,
    source: int,
    factors: npt.NDArray[np.float64],
    recent: float,
    history: float,
    dense: npt.NDArray[np.float32],
    touched: npt.NDArray[np.int64],
    count: int,
) -> int:  # pragma: no cover
    """Add one click's votes, weighted by `recent` and `history`; return the new count."""
    scales = len(factors)
    start = graph.row_starts[source]
    for slot in range(start, start + graph.row_lengths[source]):
        target = graph.neighbours[slot]
        before = after = np.float32(0.0)
        for s in range(scales):
            weight = graph.weights[slot, s] * factors[s]
            before += dense[target, scales + s]
            if recent > 0.0:
                dense[target, s] += recent * weight
            dense[target, scales + s] += history * weight
            after += dense[target, scales + s]
        # An edge can have decayed to nothing: what is listed has a channel above zero.
        if before == 0.0 and after > 0.0:
            touched[count] = target
            count += 1
    return count


@kernel
def graph_channels(
    graph: ItemGraph,
    levels: npt.NDArray[np.float64],
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
    levels
        float64 [N, S], see `popularity_levels`.
    items, length
        int64 [L], the user's readable clicks (see `Histories.recent`), oldest first.
    history, decay
        How many of the newest clicks vote, and by how much less with each step back.
    dense
        float32 [N, 3S + 1], zero on entry; channels of every touched item on return. Give it back
        with `clear_channels`.
    touched
        int64 [at least N], rows of `dense` that were filled, in order of first touch.
    """
    scales = len(graph.half_lives)
    factors = np.empty(scales, np.float64)
    count = 0
    for back in range(min(length, history)):
        source = items[length - 1 - back]
        if 0 <= source < len(graph.row_starts):
            for s in range(scales):
                factors[s] = decay_factor(graph, source, s, now)
            recent = RECENT_DECAY**back if back < RECENT_CLICKS else 0.0
            count = _vote(graph, source, factors, recent, decay**back, dense, touched, count)
    for i in range(count):
        item = touched[i]
        for c in range(2 * scales):
            dense[item, c] = math.log1p(SQUASH * dense[item, c])
        for s in range(scales):
            channel = popularity_channel(levels[item, s], graph.half_lives[s], now)
            dense[item, 2 * scales + s] = channel - FLOOR_LOG2 * LN2
        slowest = np.argmax(graph.half_lives)
        clicks = levels[item, slowest] - now / graph.half_lives[slowest]
        dense[item, 3 * scales] = 1.0 if clicks < NEW_LOG2 else 0.0
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
            else:
                out[m, s] = popularity_channel(levels[item, s], half_lives[s], now)
        for c in range(dense.shape[1]):
            out[m, scales + c] = dense[item, c] if item >= 0 else 0.0


@kernel
def context_features(
    graph: ItemGraph,
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
        factor = decay_factor(graph, last, s, now)
        at = BASE_CONTEXT + 3 * s
        out[at] = 0.3 * popularity_channel(level(graph, last, s), graph.half_lives[s], now)
        out[at + 1] = 0.5 * math.log1p(mass * factor)
        out[at + 2] = heaviest * factor / (mass * factor + MASS_PRIOR)


@kernel
def context_of(
    graph: ItemGraph,
    items: npt.NDArray[np.int64],
    times: npt.NDArray[np.float64],
    lengths: npt.NDArray[np.int64],
    now: npt.NDArray[np.float64],
    out: npt.NDArray[np.float32],
) -> None:  # pragma: no cover
    """Fill `out` [B, F] with the context of B users; columns as in `Histories`."""
    for b in range(len(lengths)):
        context_features(graph, items[b], times[b], lengths[b], now[b], out[b])

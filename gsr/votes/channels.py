"""Direct channels: what the live counters say about the next click. Imports no torch.

A channel is one number per user and item. With S time scales there are C = 4S + 1 of them:

- channels 0 … S-1, *popularity*: the logarithm of the item's popularity at now, from a floor up;
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
last clicks, so they are kept sparse. Before there is a model, `consumers.serving.scorers` adds
channels up with fixed weights; `gsr.ranking.retrieval` adds a product of vectors, where there are
some: ``vectors[u] · item_vectors[j] + Σ_c weights[u, c] * channel_c(u, j, now)``.

The floor is taken at *now*, so that popularity above it moves by the same constant for every item
as time goes by, and its level (`gsr.votes.popularity`) changes only when the item is clicked.
"""

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.counters.items.item_graph import ItemGraph
from gsr.votes.graph_votes import (
    add_votes,
    decay_factor,
    fill_channels,
    recent_share,
)
from gsr.votes.popularity import popularity_channel


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
) -> int:
    """Fill the graph channels of one user at `now`; return how many items have any.

    Parameters
    ----------
    levels
        float64 [N, S], see `gsr.votes.popularity.popularity_levels`.
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
    factors, popularity = np.empty(scales, np.float64), np.empty(scales, np.float64)
    count = 0
    for back in range(min(length, history)):
        source = items[length - 1 - back]
        if 0 <= source < len(graph.row_starts):
            for s in range(scales):
                factors[s] = decay_factor(graph, source, s, now)
            shares = (recent_share(back), decay**back)
            count = add_votes(graph, source, factors, shares, dense, touched, count)
    if count == 0:
        return 0
    slowest = np.argmax(graph.half_lives)
    for i in range(count):
        item = touched[i]
        for s in range(scales):
            popularity[s] = popularity_channel(levels[item, s], graph.half_lives[s], now)
        clicks = levels[item, slowest] - now / graph.half_lives[slowest]
        fill_channels(dense, item, popularity, clicks, dense, item)
    return count


@kernel
def clear_channels(
    dense: npt.NDArray[np.float32], touched: npt.NDArray[np.int64], count: int
) -> None:
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
) -> None:
    """Fill `out` [M, C] with one user's channels of `candidates` [M]; zero where that is -1.

    `dense` comes from `graph_channels` of the same user and time.
    """
    scales = len(half_lives)
    for m in range(len(candidates)):
        item = candidates[m]
        if item < 0:
            out[m] = 0.0
            continue
        for s in range(scales):
            out[m, s] = popularity_channel(levels[item, s], half_lives[s], now)
        for c in range(dense.shape[1]):
            out[m, scales + c] = dense[item, c]

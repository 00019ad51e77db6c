"""Exact top-k retrieval with masks, in blocks of bounded memory. Imports no torch.

Scores of all items, even of a single user, are too many for the cache: they would pass through
memory twice. So the scores of some users and a tile of items are computed, completed and compared
while they are in the cache, and every item vector is read once for all of these users.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.votes.channels import clear_channels, graph_channel_count, graph_channels
from gsr.votes.popularity import channel_of

USERS_TOGETHER: Final = 256
"""Users for whom the items are gone through at once."""
TILE_BYTES: Final = 2 * 1024 * 1024
"""Their scores of some items, which stay in the processor's cache until they are compared."""
COMPARED_TOGETHER: Final = 64
"""Scores that are compared at once with the worst that is still listed."""
NOTHING: Final = np.empty(0, np.float32)


@dataclass(frozen=True, slots=True)
class TopItems:
    """The best items of B users, best first.

    Parameters
    ----------
    rows
        int64 [B, k], item rows; -1 past a user's last recommendable item.
    scores
        float32 [B, k]; -inf where there is no item.
    """

    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]


@kernel
def _most_additions(
    graph: ItemGraph,
    items: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    history: int,
) -> int:
    """Return how many items the graph can speak of at most, over all users."""
    total = 0
    for b in range(len(lengths)):
        for place in range(max(lengths[b] - history, 0), lengths[b]):
            source = items[b, place]
            if 0 <= source < len(graph.row_starts):
                total += graph.row_lengths[source]
    return total


@kernel
def _list_additions(
    graph: ItemGraph,
    levels: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float32],
    items: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    now: npt.NDArray[np.float64],
    history: int,
    decay: float,
    masked: npt.NDArray[np.int64],
    masked_ends: npt.NDArray[np.int64],
    dense: npt.NDArray[np.float32],
    touched: npt.NDArray[np.int64],
    amount: npt.NDArray[np.float32],
    width: int,
    places: npt.NDArray[np.int64],
    amounts: npt.NDArray[np.float32],
    ends: npt.NDArray[np.int64],
) -> None:
    """Fill what is added to some scores, each user's tile by tile; -inf for masked items.

    Those of user b and tile t end at ``ends[b, t]``, where the next tile's begin.
    """
    scales = len(graph.half_lives)
    used, start = 0, 0
    for b in range(len(lengths)):
        listed = graph_channels(
            graph, levels, items[b], lengths[b], now[b], history, decay, dense, touched
        )
        mine = ends[b]
        mine[:] = 0
        for i in range(listed):
            amount[i] = 0.0
            for c in range(dense.shape[1]):
                amount[i] += weights[b, scales + c] * dense[touched[i], c]
            mine[touched[i] // width] += 1
        clear_channels(dense, touched, listed)
        for i in range(start, masked_ends[b]):
            if 0 <= masked[i] < len(dense):
                mine[masked[i] // width] += 1
        for t in range(len(mine)):
            count = mine[t]
            mine[t] = used
            used += count
        for i in range(listed):
            at = mine[touched[i] // width]
            places[at], amounts[at] = touched[i], amount[i]
            mine[touched[i] // width] += 1
        for i in range(start, masked_ends[b]):
            if 0 <= masked[i] < len(dense):
                at = mine[masked[i] // width]
                places[at], amounts[at] = masked[i], -np.inf
                mine[masked[i] // width] += 1
        start = masked_ends[b]


@kernel
def _finish_tile(
    scores: npt.NDArray[np.float32],
    first: int,
    weights: npt.NDArray[np.float32],
    levels: npt.NDArray[np.float64],
    half_lives: npt.NDArray[np.float64],
    now: npt.NDArray[np.float64],
    hidden: npt.NDArray[np.float32],
    places: npt.NDArray[np.int64],
    amounts: npt.NDArray[np.float32],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
) -> None:
    """Complete the neural scores [B, T] of the items from `first` on; keep the best.

    `levels` is [S, T], `hidden` [T] is -inf for an item that nobody may get, else 0. Additions
    ``starts : ends`` [B] are of these items; afterwards `starts` are the next tile's.
    """
    width = scores.shape[1]
    for b in range(len(scores)):
        mine = scores[b]
        at = starts[b]
        while at < ends[b]:
            mine[places[at] - first] += amounts[at]
            at += 1
        starts[b] = at
        for s in range(len(half_lives)):
            weight, shift, level = weights[b, s], now[b] / half_lives[s], levels[s]
            for i in range(width):
                mine[i] += weight * np.float32(channel_of(level[i] - shift))
        for i in range(len(hidden)):
            mine[i] += hidden[i]
        _keep_best(mine, first, rows[b], values[b])


@kernel
def _keep_best(
    scores: npt.NDArray[np.float32],
    first: int,
    rows: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
) -> None:
    """Enter those of `scores` [T] that are better than the worst into the best so far [k]."""
    k = len(rows)
    for start in range(0, len(scores), COMPARED_TOGETHER):
        stop = start + COMPARED_TOGETHER
        if stop <= len(scores):
            worst, some = values[k - 1], scores[start:stop]
            better = np.int32(0)
            # So many at a time, without a branch: this is what the compiler makes vectors of.
            for i in range(COMPARED_TOGETHER):
                better |= np.int32(some[i] > worst)
            if better == 0:
                continue
        for i in range(start, min(stop, len(scores))):
            # Rows come in ascending order, so an equal score never moves an earlier row down.
            value = scores[i]
            if not value > values[k - 1]:
                continue
            place = k - 1
            while place > 0 and values[place - 1] < value:
                rows[place] = rows[place - 1]
                values[place] = values[place - 1]
                place -= 1
            rows[place] = first + i
            values[place] = value


def top_k(
    vectors: npt.NDArray[np.float32],
    channel_weights: npt.NDArray[np.float32],
    item_vectors: npt.NDArray[np.float32],
    graph: ItemGraph,
    levels: npt.NDArray[np.float64],
    histories: Histories,
    masked: list[npt.NDArray[np.int64]],
    k: int,
    *,
    history: int,
    decay: float,
    blocked: npt.NDArray[np.bool_] | None = None,
    together: int = USERS_TOGETHER,
    tile_bytes: int = TILE_BYTES,
) -> TopItems:
    """Return each user's `k` items of highest score; equal scores by ascending row.

    Parameters
    ----------
    vectors, channel_weights
        float32 [B, d] and [B, C], of the users.
    item_vectors
        float32 [N', d] with N' ≤ N; an item without a vector scores by its channels alone.
    graph, levels
        The counters, and `popularity_levels` of them; `levels` is float64 [N, S].
    histories
        Readable clicks (`Histories.recent`); `histories.now` is each user's own time.
    masked
        Per user, rows that must not be returned (seen items); any order, -1 ignored.
    k
        How many.
    history, decay
        How many of the newest clicks vote, and how much each step back still counts.
    blocked
        bool [N], rows that nobody may get (taken down); dead rows never are returned anyway.
    together, tile_bytes
        How many users go through the items at once, and how much memory their scores take. They
        change the time that it takes, and nothing else.
    """
    count = len(graph.alive)
    users = len(histories)
    rows = np.full((users, k), -1, np.int64)
    values = np.full((users, k), -np.inf, np.float32)
    if users == 0 or count == 0 or k == 0:
        return TopItems(rows, values)
    gone = ~graph.alive if blocked is None else ~graph.alive | blocked
    hidden = np.where(gone, np.float32(-np.inf), np.float32(0.0)) if gone.any() else None
    dense = np.zeros((count, graph_channel_count(len(graph.half_lives))), np.float32)
    touched, amount = np.empty(count, np.int64), np.empty(count, np.float32)
    for start in range(0, users, together):
        part = slice(start, min(start + together, users))
        lists = masked[part]
        flat = np.concatenate(lists)
        most = _most_additions(graph, histories.items[part], histories.lengths[part], history)
        places = np.empty(most + len(flat), np.int64)
        amounts = np.empty(len(places), np.float32)
        width = max(1, min(count, tile_bytes // (4 * len(lists))))
        ends = np.empty((len(lists), -(-count // width)), np.int64)
        _list_additions(
            graph,
            levels,
            channel_weights[part],
            histories.items[part],
            histories.lengths[part],
            histories.now[part],
            history,
            decay,
            flat,
            np.cumsum([len(row) for row in lists], dtype=np.int64),
            dense,
            touched,
            amount,
            width,
            places,
            amounts,
            ends,
        )
        starts = np.concatenate(([0], ends[:-1, -1]))
        tiles = _neural_scores(vectors[part], item_vectors, count, width)
        for number, (first, scores) in enumerate(tiles):
            tile = slice(first, first + scores.shape[1])
            _finish_tile(
                scores,
                first,
                channel_weights[part],
                np.ascontiguousarray(levels[tile].T),
                graph.half_lives,
                histories.now[part],
                NOTHING if hidden is None else hidden[tile],
                places,
                amounts,
                starts,
                ends[:, number],
                rows[part],
                values[part],
            )
    return TopItems(rows, values)


def _neural_scores(
    vectors: npt.NDArray[np.float32],
    item_vectors: npt.NDArray[np.float32],
    count: int,
    width: int,
) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Yield a first item and the scores [B, T] of `width` items, and so on; in the same memory."""
    memory = np.empty(len(vectors) * width, np.float32)
    known = min(len(item_vectors), count)
    for first in range(0, count, width):
        here = min(width, count - first)
        scores = memory[: len(vectors) * here].reshape(len(vectors), here)
        with_vector = max(0, min(known - first, here))
        scores[:, with_vector:] = 0.0
        if with_vector:
            items = item_vectors[first : first + with_vector]
            np.matmul(vectors, items.T, out=scores[:, :with_vector])
        yield first, scores

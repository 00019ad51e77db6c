"""Exact top-k retrieval with masks, in blocks of bounded memory. Imports no torch."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.channels import (
    FLOOR_LOG2,
    LN2,
    GraphArrays,
    clear_channels,
    graph_channel_count,
    graph_channels,
)
from gsr.compiled import kernel
from gsr.histories import Histories

BLOCK_USERS: Final = 64
CACHED_BYTES: Final = 8 * 1024 * 1024


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
def _best(
    scores: npt.NDArray[np.float32],
    weights: npt.NDArray[np.float32],
    levels: npt.NDArray[np.float64],
    shifts: npt.NDArray[np.float64],
    hidden: npt.NDArray[np.bool_],
    rows: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
) -> None:  # pragma: no cover
    """Fill the best `rows` and `values` [k]; `scores` [N] lacks only the popularity channels."""
    k = len(rows)
    rows[:] = -1
    values[:] = -np.inf
    for item in range(len(scores)):
        value = scores[item]
        if hidden[item] or value == -np.inf:
            continue
        for s in range(len(shifts)):
            value += weights[s] * np.float32(max(levels[item, s] - shifts[s], FLOOR_LOG2) * LN2)
        # Rows come in ascending order, so an equal score never moves an earlier row down.
        if rows[k - 1] >= 0 and value <= values[k - 1]:
            continue
        place = k - 1
        while place > 0 and (rows[place - 1] < 0 or values[place - 1] < value):
            rows[place] = rows[place - 1]
            values[place] = values[place - 1]
            place -= 1
        rows[place] = item
        values[place] = value


@kernel
def _retrieve(
    graph: GraphArrays,
    levels: npt.NDArray[np.float64],
    scores: npt.NDArray[np.float32],
    weights: npt.NDArray[np.float32],
    items: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    now: npt.NDArray[np.float64],
    history: int,
    decay: float,
    masked: npt.NDArray[np.int64],
    masked_ends: npt.NDArray[np.int64],
    hidden: npt.NDArray[np.bool_],
    dense: npt.NDArray[np.float32],
    touched: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
) -> None:  # pragma: no cover
    """Turn each user's neural scores [B, N] into their top k; `scores` is used up."""
    scales = len(graph.half_lives)
    count = scores.shape[1]
    start = 0
    for b in range(len(lengths)):
        listed = graph_channels(
            graph, levels, items[b], lengths[b], now[b], history, decay, dense, touched
        )
        for i in range(listed):
            for c in range(dense.shape[1]):
                scores[b, touched[i]] += weights[b, scales + c] * dense[touched[i], c]
        clear_channels(dense, touched, listed)
        for i in range(start, masked_ends[b]):
            if 0 <= masked[i] < count:
                scores[b, masked[i]] = -np.inf
        start = masked_ends[b]
        shifts = now[b] / graph.half_lives
        _best(scores[b], weights[b], levels, shifts, hidden, rows[b], values[b])


def top_k(
    vectors: npt.NDArray[np.float32],
    channel_weights: npt.NDArray[np.float32],
    item_vectors: npt.NDArray[np.float32],
    graph: GraphArrays,
    levels: npt.NDArray[np.float64],
    histories: Histories,
    masked: list[npt.NDArray[np.int64]],
    k: int,
    *,
    history: int,
    decay: float,
    blocked: npt.NDArray[np.bool_] | None = None,
    block_bytes: int = 64 * 1024 * 1024,
) -> TopItems:
    """Return each user's `k` items of highest joint score; equal scores by ascending row.

    Parameters
    ----------
    vectors, channel_weights
        float32 [B, d] and [B, C], from `JointModel.user_queries`.
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
        `channel_history` and `channel_decay` of the model's configuration.
    blocked
        bool [N], rows that nobody may get (taken down); dead rows never are returned anyway.
    block_bytes
        Most memory for one block of dense scores.
    """
    count = len(graph.alive)
    users = len(histories)
    rows = np.full((users, k), -1, np.int64)
    values = np.full((users, k), -np.inf, np.float32)
    if users == 0 or count == 0 or k == 0:
        return TopItems(rows, values)
    hidden = ~graph.alive if blocked is None else ~graph.alive | blocked
    known = min(len(item_vectors), count)
    transposed = item_vectors[:known].T
    # Blocks that stay in the processor's cache, but enough users for each look at an item.
    row_bytes = 4 * count
    size = max(1, min(block_bytes // row_bytes, max(BLOCK_USERS, CACHED_BYTES // row_bytes)))
    scores = np.empty((min(size, users), count), np.float32)
    dense = np.zeros((count, graph_channel_count(len(graph.half_lives))), np.float32)
    touched = np.empty(count, np.int64)
    for start in range(0, users, size):
        stop = min(start + size, users)
        block = scores[: stop - start]
        block[:, known:] = 0.0
        np.matmul(vectors[start:stop], transposed, out=block[:, :known])
        lists = masked[start:stop]
        _retrieve(
            graph,
            levels,
            block,
            channel_weights[start:stop],
            histories.items[start:stop],
            histories.lengths[start:stop],
            histories.now[start:stop],
            history,
            decay,
            np.concatenate(lists) if lists else np.empty(0, np.int64),
            np.cumsum([len(row) for row in lists], dtype=np.int64),
            hidden,
            dense,
            touched,
            rows[start:stop],
            values[start:stop],
        )
    return TopItems(rows, values)

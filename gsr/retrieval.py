"""Exact top-k retrieval with masks, in blocks of bounded memory. Imports no torch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsr.channels import GraphArrays
from gsr.histories import Histories


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
        Memory for one block of dense scores.
    """
    raise NotImplementedError

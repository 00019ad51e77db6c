"""Live counters as arrays: what gsr reads as an item graph, without knowing gsr."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class GraphArrays:
    """Weighted next-item edges and popularity over N item rows on S time scales.

    A stored weight ``w`` with reference ``r`` is worth ``w * 2 ** (r - t / half_life)`` at time
    ``t`` (forward decay): references count whole half-lives since the epoch.

    The arrays may be views of memory that is still added to, and that moves when it grows: ask
    for them anew after every change.

    Parameters
    ----------
    half_lives
        float64 [S], seconds.
    row_starts, row_lengths
        int64 [N] and int32 [N]: row n's neighbours are the slots
        ``row_starts[n] : row_starts[n] + row_lengths[n]``.
    row_references
        int64 [N, S], reference of each row's weights, in whole half-lives.
    neighbours
        uint32 [slots], item rows.
    weights
        float32 [slots, S], stored weights.
    popularity
        float32 [N, S], stored sums of event weights.
    popularity_references
        int64 [N, S], in whole half-lives.
    last_clicks
        float64 [N], time of the newest click; -inf where there was none.
    alive
        bool [N], rows that are items; False where a row is free or its first click is pending.
    """

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


@dataclass(frozen=True, slots=True)
class ItemTable:
    """Items of one partition with their counters; row n of everything is one item.

    Parameters
    ----------
    ids
        N item ids, in the order of their indexes.
    indexes
        int64 [N], ascending: the partition's number of each item, never used twice.
    created_at
        float64 [N], time of the click that made the item known.
    graph
        Their counters; `neighbours` are rows of this table.
    """

    ids: list[str]
    indexes: npt.NDArray[np.int64]
    created_at: npt.NDArray[np.float64]
    graph: GraphArrays

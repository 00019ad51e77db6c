"""Clicks as baselines take them: each with what was known just before it."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class CountedClicks(NamedTuple):
    """Clicks in order, each with what was known just before it; n rows.

    Parameters
    ----------
    targets, times, weights
        int64, float64 and float64 [n]: item row, event time, weight; a weight of 0 or less adds
        no popularity.
    users
        uint64 [n], hashes of the user ids (XXH3): whose click it is, also after the user has left
        memory.
    histories, lengths
        int64 [n, L] and [n]: the user's item rows before the click, oldest first, -1 where there
        is none.
    history_times
        float64 [n, L], event times of the history; 0 where there is none.
    edge_starts
        int64 [n + 1]: click i adds the edges ``edge_starts[i] : edge_starts[i + 1]``.
    edge_sources, edge_targets, edge_weights, edge_times
        int64, int64, float64 and float64: the edges.
    """

    targets: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    users: npt.NDArray[np.uint64]
    histories: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    history_times: npt.NDArray[np.float64]
    edge_starts: npt.NDArray[np.int64]
    edge_sources: npt.NDArray[np.int64]
    edge_targets: npt.NDArray[np.int64]
    edge_weights: npt.NDArray[np.float64]
    edge_times: npt.NDArray[np.float64]

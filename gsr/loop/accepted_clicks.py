"""Clicks of the stream as baselines take them."""

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks
from gsr.counters.applied_clicks import AppliedClicks
from gsr.counters.users.histories import Histories


def accepted_clicks(
    applied: AppliedClicks,
    rows: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    user_hashes: npt.NDArray[np.uint64],
) -> CountedClicks:
    """Return the accepted clicks as baselines count them.

    Parameters
    ----------
    applied
        With histories.
    rows
        int64 [a], all its accepted rows.
    weights
        float64 [codes], of events.
    user_hashes
        uint64 [n], of the batch's user ids.
    """
    used = int(applied.edge_starts[applied.stop])
    return CountedClicks(
        targets=applied.item_rows[rows],
        times=applied.times[rows],
        weights=weights[applied.events[rows]],
        users=user_hashes[rows],
        histories=applied.history_items[rows],
        lengths=applied.history_lengths[rows],
        history_times=applied.history_times[rows],
        edge_starts=np.append(applied.edge_starts[rows], used),
        edge_sources=applied.edge_sources[:used],
        edge_targets=applied.edge_targets[:used],
        edge_weights=applied.edge_weights[:used],
        edge_times=applied.edge_times[:used],
    )


def uncounted_clicks(
    histories: Histories, targets: npt.NDArray[np.int64], users: npt.NDArray[np.uint64]
) -> CountedClicks:
    """Return n clicks that are to be ranked only: they have no edges and no weight.

    Parameters
    ----------
    histories
        What each user clicked before, and when the click happens.
    targets
        int64 [n], item rows.
    users
        uint64 [n], hashes of the user ids.
    """
    count = len(targets)
    return CountedClicks(
        targets=targets,
        times=histories.now,
        weights=np.zeros(count),
        users=users,
        histories=histories.items,
        lengths=histories.lengths,
        history_times=histories.times,
        edge_starts=np.zeros(count + 1, dtype=np.int64),
        edge_sources=np.zeros(0, dtype=np.int64),
        edge_targets=np.zeros(0, dtype=np.int64),
        edge_weights=np.zeros(0),
        edge_times=np.zeros(0),
    )

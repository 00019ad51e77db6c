"""A user's newest clicks, newest first, as the user encoder reads them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

NOBODY = -1
"""In place of an item."""


class RecentClicks(NamedTuple):
    """The newest L clicks of n users, newest first.

    Parameters
    ----------
    items
        int32 [n, L], item rows, `NOBODY` where there is none.
    ages
        float32 [n, L], seconds since each click; 0 where there is none.
    """

    items: npt.NDArray[np.int32]
    ages: npt.NDArray[np.float32]


def newest_first(
    histories: npt.NDArray[np.int64],
    history_times: npt.NDArray[np.float64],
    lengths: npt.NDArray[np.int64],
    times: npt.NDArray[np.float64],
    clicks: int,
) -> RecentClicks:
    """Return the newest `clicks` of histories that stand oldest first.

    Parameters
    ----------
    histories, history_times
        int64 and float64 [n, W], item rows and event times.
    lengths
        int64 [n], how many of them each history has.
    times
        float64 [n], when each user is looked at.
    clicks
        L.
    """
    places = lengths[:, None] - 1 - np.arange(clicks)
    there = places >= 0
    places = np.maximum(places, 0)
    items = np.where(there, np.take_along_axis(histories, places, axis=1), NOBODY)
    ages = np.where(there, times[:, None] - np.take_along_axis(history_times, places, axis=1), 0.0)
    return RecentClicks(items.astype(np.int32), np.maximum(ages, 0.0).astype(np.float32))

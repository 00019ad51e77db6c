"""How far the counters are in event time, and how much of them is not written yet."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class StreamProgress(NamedTuple):
    """What kernels carry on from call to call.

    Parameters
    ----------
    watermark
        float64 [1], newest event time; -inf before the first click.
    dirty_bytes
        int64 [1], roughly what a flush would write of users and items.
    """

    watermark: npt.NDArray[np.float64]
    dirty_bytes: npt.NDArray[np.int64]


def new_progress() -> StreamProgress:
    """Return the progress of a stream that has not begun."""
    return StreamProgress(watermark=np.full(1, -np.inf), dirty_bytes=np.zeros(1, dtype=np.int64))

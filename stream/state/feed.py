"""The accepted feed: what changed the state, in the order in which it did."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

CHUNK_ROWS: Final = 1024
"""Rows per chunk; chunk starts are multiples of it."""


@dataclass(frozen=True, slots=True)
class FeedChunk:
    """Consecutive rows of a partition's accepted feed; n of them.

    Parameters
    ----------
    start
        Sequence number of the first row; row i has ``start + i``.
    user_ids
        n strings.
    items
        int64 [n], item indexes (see `Checkpoint.vocabulary`); -1 in a forget row.
    times
        float64 [n], event times in seconds since the epoch; 0 in a forget row.
    events
        uint8 [n], event codes; `FORGET_EVENT` in a forget row.
    append_times
        float64 [n], when the log took the click.
    offsets
        int64 [n], offset of the click's record.
    """

    start: int
    user_ids: list[str]
    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]
    append_times: npt.NDArray[np.float64]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.user_ids)

    @property
    def stop(self) -> int:
        """Sequence number after the last row."""
        return self.start + len(self)

"""One user's recent clicks and seen filter, copied out of the counters or of a checkpoint."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class UserBuffer:
    """A user's recent clicks, oldest first by event time; n ≤ L of them.

    Parameters
    ----------
    items
        int64 [n]: item rows where it comes from or goes into `Counters`, item indexes where
        it comes from a `Checkpoint`; -1 where the item has left the state since.
    fingerprints
        uint32 [n], of the item ids (see `gsr.counters.ids.fingerprint`); known also where the item
        has left.
    times
        float64 [n], event times in seconds since the epoch.
    events
        uint8 [n], event codes.
    hashes
        uint64 [n], event hashes.
    seen
        uint32 [m], fingerprints of items that left the buffer, the oldest first, no two alike.
    source_offset
        Offset of the user's newest accepted click (in log order).
    accepted_at
        Append time of that click, in seconds since the epoch.
    """

    items: npt.NDArray[np.int64]
    fingerprints: npt.NDArray[np.uint32]
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]
    hashes: npt.NDArray[np.uint64]
    seen: npt.NDArray[np.uint32]
    source_offset: int
    accepted_at: float

    def __len__(self) -> int:
        return len(self.items)

    @property
    def last_click_at(self) -> float:
        """Event time of the newest click."""
        return float(self.times[-1])

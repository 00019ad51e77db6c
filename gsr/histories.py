"""What the model knows of users: their recent clicks, nothing else."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Histories:
    """Recent clicks of B users, oldest first, left-aligned and padded.

    Parameters
    ----------
    items
        int64 [B, L], item rows; -1 where there is none.
    times
        float64 [B, L], event times in seconds since the epoch; 0 where there is none.
    events
        uint8 [B, L], event codes; 0 where there is none.
    lengths
        int64 [B], how many of each row count; the newest click stands at `lengths - 1`.
    now
        float64 [B], the time at which the next item is asked for.
    """

    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]
    lengths: npt.NDArray[np.int64]
    now: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.lengths)

    def rows(self, index: npt.NDArray[np.int64]) -> "Histories":
        """Return the users at `index`, in that order."""
        return Histories(
            self.items[index],
            self.times[index],
            self.events[index],
            self.lengths[index],
            self.now[index],
        )

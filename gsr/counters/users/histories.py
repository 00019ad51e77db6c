"""Recent clicks of many users, padded to one length: all that the model knows of users."""

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

    def recent(self, length: int, event_weights: tuple[float, ...]) -> "Histories":
        """Return each user's newest `length` clicks whose event has a positive weight.

        This is what the encoders and the graph channels read; clicks of other events only mark
        an item as seen.
        """
        codes = np.asarray(event_weights)
        known = np.minimum(self.events, len(codes) - 1)
        position = np.arange(self.items.shape[1])
        readable = (position < self.lengths[:, None]) & (self.items >= 0)
        readable &= (codes[known] > 0.0) & (self.events < len(codes))
        from_end = readable[:, ::-1].cumsum(axis=1)[:, ::-1]  # 1 = the newest readable click
        readable &= from_end <= length
        lengths = readable.sum(axis=1)
        rows, columns = np.nonzero(readable)
        places = np.arange(len(rows)) - np.repeat(lengths.cumsum() - lengths, lengths)
        items = np.full((len(self), length), -1, np.int64)
        times = np.zeros((len(self), length), np.float64)
        events = np.zeros((len(self), length), np.uint8)
        items[rows, places] = self.items[rows, columns]
        times[rows, places] = self.times[rows, columns]
        events[rows, places] = self.events[rows, columns]
        return Histories(items, times, events, lengths.astype(np.int64), self.now)

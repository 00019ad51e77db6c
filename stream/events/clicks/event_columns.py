"""Events of a file or of the simulator, column by column, before they are clicks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class EventColumns:
    """Events of a file or of the simulator, column by column; n rows.

    Parameters
    ----------
    user_ids, item_ids
        n strings each, 1 to 256 bytes as UTF-8.
    times
        float64 [n], seconds since the epoch.
    events
        n event names; None: the default event.
    event_ids
        n ids of the events themselves; None where there is none.
    """

    user_ids: list[str]
    item_ids: list[str]
    times: npt.NDArray[np.float64]
    events: list[str | None]
    event_ids: list[str | None]

    def __len__(self) -> int:
        return len(self.user_ids)

    def part(self, start: int, stop: int) -> "EventColumns":
        """Return the events ``start : stop``."""
        rows = slice(start, stop)
        return EventColumns(
            self.user_ids[rows],
            self.item_ids[rows],
            self.times[rows],
            self.events[rows],
            self.event_ids[rows],
        )

    def rows(self, rows: Sequence[int]) -> "EventColumns":
        """Return some events, in the order of `rows`."""
        return EventColumns(
            [self.user_ids[row] for row in rows],
            [self.item_ids[row] for row in rows],
            self.times[list(rows)],
            [self.events[row] for row in rows],
            [self.event_ids[row] for row in rows],
        )

"""Counters of a fixed set of clicks, as the stream would have counted them."""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.click_batch import ClickBatch
from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from gsr.counters.ids.id_column import IdColumn
from gsr.counters.interactions import Interactions
from gsr.quality.protocols import clicks_before

TOGETHER: Final = 65_536
"""Clicks that are counted together: bounds the memory of their edges."""


class CaseCounters:
    """Counts the clicks of a fixed set by time, up to an end of each user that may move on.

    Each `count` goes by time through what it adds. A click that is older than some that were
    counted before comes late, as on a stream.

    Parameters
    ----------
    interactions
        All clicks.
    config
        What is counted of them.
    event_weights
        Of each event code.

    Attributes
    ----------
    counters
        Their items have rows of their own, see `rows`.
    """

    def __init__(
        self, interactions: Interactions, config: CounterConfig, event_weights: tuple[float, ...]
    ) -> None:
        users = interactions.user_count
        self.counters = Counters(config, np.array(event_weights), users=max(users, 1))
        self._interactions = interactions
        self._users = IdColumn.of([str(number) for number in range(users)])
        self._items = IdColumn.of([str(number) for number in range(interactions.item_count)])
        self._user_of = interactions.users
        self._counted = np.zeros(len(interactions), dtype=np.bool_)
        self._applied = 0

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """int64 [N], each item's row in the counters; -1 where no click on it was counted."""
        return self.counters.item_rows(self._items)

    def count(self, ends: npt.NDArray[np.int64]) -> None:
        """Count the clicks before each user's end, int64 [U], that are not counted yet."""
        clicks = self._interactions
        new = np.flatnonzero(clicks_before(clicks, ends) & ~self._counted)
        self._counted[new] = True
        new = new[np.argsort(clicks.times[new], kind="stable")]
        for start in range(0, len(new), TOGETHER):
            self._apply(new[start : start + TOGETHER])

    def _apply(self, new: npt.NDArray[np.int64]) -> None:
        clicks, times = self._interactions, self._interactions.times[new]
        self.counters.apply(
            ClickBatch(
                user_ids=self._users.rows(self._user_of[new]),
                item_ids=self._items.rows(clicks.items[new]),
                times=times,
                events=clicks.events[new],
                # Each click is an event of its own, also where all else is equal.
                hashes=(new + 1).astype(np.uint64),
                forget=np.zeros(len(new), dtype=np.bool_),
                offsets=np.arange(self._applied, self._applied + len(new)),
                append_times=times,
            )
        )
        self._applied += len(new)

"""Outcomes of a batch of clicks, and the edges that they bring."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.counters.users.histories import Histories

ACCEPTED: Final = 1
"""Entered its user's buffer."""
DUPLICATE: Final = 2
"""The buffer holds its event hash already; changed nothing."""
TOO_OLD: Final = 3
"""Older than a full buffer's oldest click; changed nothing."""
FORGOTTEN: Final = 4
"""A forget row: whatever was known of the user is gone."""

FORGET_EVENT: Final = 255
"""The event code of a forget row in the accepted feed."""


class AppliedColumns(NamedTuple):
    """The columns of `AppliedClicks` that kernels write and read."""

    outcomes: npt.NDArray[np.uint8]
    item_rows: npt.NDArray[np.int64]
    item_indexes: npt.NDArray[np.int64]
    edge_starts: npt.NDArray[np.int64]
    edge_sources: npt.NDArray[np.int64]
    edge_targets: npt.NDArray[np.int64]
    edge_weights: npt.NDArray[np.float64]
    edge_times: npt.NDArray[np.float64]
    pair_starts: npt.NDArray[np.int64]
    pair_items: npt.NDArray[np.int64]
    pair_weights: npt.NDArray[np.float64]
    pair_times: npt.NDArray[np.float64]
    pair_edges: npt.NDArray[np.int64]
    history_items: npt.NDArray[np.int64]
    history_times: npt.NDArray[np.float64]
    history_events: npt.NDArray[np.uint8]
    history_lengths: npt.NDArray[np.int64]


@dataclass(slots=True)
class AppliedClicks:
    """The outcome of rows ``start : stop`` of a batch of n clicks; other rows mean nothing.

    Edges of row i are the entries ``edge_starts[i] : edge_starts[i + 1]`` of the edge columns.
    Where close clicks are counted, the pairs of a click with those around it are likewise entries
    of the pair columns; every edge is then of one of these pairs.

    Parameters
    ----------
    start, stop
        The rows that were processed. ``stop < n`` where items had to leave before row `stop`.
    outcomes
        uint8 [n]: `ACCEPTED`, `DUPLICATE`, `TOO_OLD`, `FORGOTTEN`.
    user_slots
        int64 [n], valid until users are evicted.
    item_rows
        int64 [n], row of an accepted click's item, else -1; valid until items are removed.
    item_indexes
        int64 [n], its index, never used twice, else -1.
    times, events
        float64 [n] and uint8 [n], as in the batch.
    edge_starts
        int64 [n + 1].
    edge_sources, edge_targets
        int64 [edges], item rows.
    edge_weights
        float64 [edges], window weight times event weight.
    edge_times
        float64 [edges], the later click's time.
    pair_starts
        int64 [n + 1].
    pair_items
        int64 [pairs], row of the item of the other click.
    pair_weights
        float64 [pairs], the later click's event weight; 0 where the two are not close, but the
        window reaches so far.
    pair_times
        float64 [pairs], the later click's time.
    pair_edges
        int64 [pairs], the edge between the two clicks; -1 where the window does not reach so far.
    history_items, history_times, history_events, history_lengths
        int64 [n, L] item rows (-1: none, or the item has left), float64 [n, L], uint8 [n, L] and
        int64 [n]: an accepted click's user before it, oldest first, left-aligned. Only filled,
        and only sized n, with ``record_histories``.
    """

    start: int
    stop: int
    outcomes: npt.NDArray[np.uint8]
    user_slots: npt.NDArray[np.int64]
    item_rows: npt.NDArray[np.int64]
    item_indexes: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]
    edge_starts: npt.NDArray[np.int64]
    edge_sources: npt.NDArray[np.int64]
    edge_targets: npt.NDArray[np.int64]
    edge_weights: npt.NDArray[np.float64]
    edge_times: npt.NDArray[np.float64]
    pair_starts: npt.NDArray[np.int64]
    pair_items: npt.NDArray[np.int64]
    pair_weights: npt.NDArray[np.float64]
    pair_times: npt.NDArray[np.float64]
    pair_edges: npt.NDArray[np.int64]
    history_items: npt.NDArray[np.int64]
    history_times: npt.NDArray[np.float64]
    history_events: npt.NDArray[np.uint8]
    history_lengths: npt.NDArray[np.int64]

    @property
    def accepted(self) -> npt.NDArray[np.bool_]:
        """Which rows entered a buffer, bool [n]."""
        accepted: npt.NDArray[np.bool_] = self.outcomes == ACCEPTED
        return accepted

    @property
    def accepted_rows(self) -> npt.NDArray[np.int64]:
        """Processed rows that entered a buffer, int64 [a], ascending."""
        return np.flatnonzero(self.accepted[self.start : self.stop]) + self.start

    def histories(self, rows: npt.NDArray[np.int64]) -> Histories:
        """Return the users of accepted `rows` as they were before them; needs recorded ones."""
        return Histories(
            self.history_items[rows],
            self.history_times[rows],
            self.history_events[rows],
            self.history_lengths[rows],
            self.times[rows],
        )

    def count(self, outcome: int) -> int:
        """Return how many of the processed rows had `outcome`."""
        return int(np.count_nonzero(self.outcomes[self.start : self.stop] == outcome))

    def columns(self) -> AppliedColumns:
        """Return the columns that kernels write and read."""
        return AppliedColumns(*(getattr(self, name) for name in AppliedColumns._fields))

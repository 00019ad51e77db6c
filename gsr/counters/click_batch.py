"""A batch of clicks of one partition, column by column."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.counters.ids.id_column import IdColumn


@dataclass(frozen=True, slots=True)
class ClickBatch:
    """Clicks of one partition in log order, column by column; n rows.

    Parameters
    ----------
    user_ids, item_ids
        n strings each, 1 to 256 bytes as UTF-8; a forget row has the item id "". Kernels want
        an `IdColumn`, which the codec makes; anything else is turned into one where it is used.
    times
        float64 [n], event time in seconds since the epoch; 0 in a forget row.
    events
        uint8 [n], the event's code, which stands for its weight; 0 in a forget row.
    hashes
        uint64 [n], identifies the event within its user: xxh3 of `event_id`, else of item,
        timestamp and event name; 0 in a forget row.
    forget
        bool [n], the row asks to forget its user.
    offsets
        int64 [n], the record's offset.
    append_times
        float64 [n], seconds since the epoch at which the log took the record.
    """

    user_ids: Sequence[str]
    item_ids: Sequence[str]
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]
    hashes: npt.NDArray[np.uint64]
    forget: npt.NDArray[np.bool_]
    offsets: npt.NDArray[np.int64]
    append_times: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.user_ids)

    def rows(self, rows: npt.NDArray[np.intp]) -> "ClickBatch":
        """Return some rows, intp [k]."""
        return ClickBatch(
            user_ids=IdColumn.of(self.user_ids).rows(rows),
            item_ids=IdColumn.of(self.item_ids).rows(rows),
            times=self.times[rows],
            events=self.events[rows],
            hashes=self.hashes[rows],
            forget=self.forget[rows],
            offsets=self.offsets[rows],
            append_times=self.append_times[rows],
        )

    def slice(self, start: int, stop: int) -> "ClickBatch":
        """Return rows ``start : stop``."""
        rows = slice(start, stop)
        return ClickBatch(*(getattr(self, column.name)[rows] for column in fields(self)))

    def split(self, row: int) -> list["ClickBatch"]:
        """Return the batch in two at `row`, or whole where that is not inside of it."""
        if not 0 < row < len(self):
            return [self]
        return [self.slice(0, row), self.slice(row, len(self))]


NO_CLICKS: Final = ClickBatch(
    user_ids=(),
    item_ids=(),
    times=np.empty(0),
    events=np.empty(0, np.uint8),
    hashes=np.empty(0, np.uint64),
    forget=np.empty(0, np.bool_),
    offsets=np.empty(0, np.int64),
    append_times=np.empty(0),
)
"""A batch of nothing, with which a state can be moved on."""


class ClickColumns(NamedTuple):
    """The first n clicks of a batch as kernels read them, users and items looked up.

    Parameters
    ----------
    slots
        int64 [n], the users' slots.
    items
        int64 [n], item rows, or ``-1 - k`` for entry k of the unknown items.
    times, events, hashes, forget, offsets, append_times
        As in `ClickBatch`.
    unknown_rows
        int64 [unknown], -1 until an accepted click makes the item known, then its row.
    unknown_fingerprints
        uint32 [unknown].
    """

    slots: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]
    hashes: npt.NDArray[np.uint64]
    forget: npt.NDArray[np.bool_]
    offsets: npt.NDArray[np.int64]
    append_times: npt.NDArray[np.float64]
    unknown_rows: npt.NDArray[np.int64]
    unknown_fingerprints: npt.NDArray[np.uint32]

"""The publisher's table of users: where the sequence of each is, and which list each has.

All of it can be rebuilt from the topics. It is kept in arrays, about 260 bytes per user with
lists of 20, plus the user's id and its place in a dictionary.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Final, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from consumers.serving.made_lists import list_hashes
from gsr.counters.ids.fingerprint import fingerprint
from stream.events.records.list_id import NO_LIST
from stream.events.records.recommendation import Reason, ScoredItem

NOWHERE: Final = -(2**62)
"""Below every offset: those of history that was bootstrapped are negative too."""
_FIRST_CAPACITY: Final = 1024
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
"""The order in which the table numbers them."""

FIRST, REPLACED, RESTORED, UNSURE = range(4)
"""What was before the list that a user has: none; one that this process knew; what is not known,
since the list was read from the topic; what is not known, since the user had left the table."""


class ListColumns(NamedTuple):
    """What the table keeps of n lists.

    Parameters
    ----------
    hashes
        uint64 [n], see `list_hashes`.
    marks
        uint32 [n, K], fingerprints of the items; 0 past the end.
    lengths
        int64 [n], how many items each list has.
    """

    hashes: npt.NDArray[np.uint64]
    marks: npt.NDArray[np.uint32]
    lengths: npt.NDArray[np.int64]


class ListOrigins(NamedTuple):
    """Where n lists come from.

    Parameters
    ----------
    click_offsets
        int64 [n], of the newest click that each list knows of; `NOWHERE`: of none.
    versions
        int64 [n], of the models that made them.
    made_at
        float64 [n], `generated_at` of each, seconds since the epoch.
    reasons
        uint8 [n], places in `REASONS`.
    numbers
        uint64 [n], of the list ids; `NO_LIST` where a record has none.
    """

    click_offsets: npt.NDArray[np.int64]
    versions: npt.NDArray[np.int64]
    made_at: npt.NDArray[np.float64]
    reasons: npt.NDArray[np.uint8]
    numbers: npt.NDArray[np.uint64]


def list_columns(lists: Sequence[Sequence[ScoredItem]]) -> ListColumns:
    """Return what the table keeps of `lists`."""
    lengths = np.array([len(items) for items in lists], dtype=np.int64)
    marks = np.zeros((len(lists), lengths.max(initial=0)), dtype=np.uint32)
    known: dict[str, int] = {}  # lists hold the same few items
    found = []
    for item in chain.from_iterable(lists):
        mark = known.get(item.item_id)
        if mark is None:
            mark = known[item.item_id] = fingerprint(item.item_id)
        found.append(mark)
    marks[np.arange(marks.shape[1]) < lengths[:, None]] = found
    return ListColumns(list_hashes(marks, lengths), marks, lengths)


class UserTable:
    """Users in rows of arrays, found by id.

    The arrays have room for more rows than there are: only rows that `rows` names count.

    Attributes
    ----------
    partitions
        int32, the partition that the user belongs to.
    sequence_offsets
        int64, offset of the newest sequence record in its topic; `NOWHERE` without one.
    click_offsets
        int64, offset in `clicks` of the newest accepted click, by that record.
    click_times, accepted_times
        float64, its event time and its append time, seconds since the epoch.
    listed_click_offsets
        int64, `source_offset` of the list that the user has; `NOWHERE` without a list.
    listed_versions
        int64, its model version; `NOWHERE` without a list.
    listed_at
        float64, when it was made, seconds since the epoch.
    list_reasons
        uint8, the place in `REASONS` of what made it due.
    list_numbers
        uint64, see `list_number`; `NO_LIST` where there is none.
    histories
        uint8, what was before it: `FIRST`, `REPLACED`, `RESTORED` or `UNSURE`.
    checked_versions
        int64, the newest version whose list was computed, sent or found unchanged.
    list_hashes
        uint64, of the list's items in order.
    list_items
        uint32 [., list length], fingerprints of the list's items; 0 past the end.
    list_lengths
        int32, how many items the list has.
    checked_arrivals
        int64, `Recommender.arrivals` when the list was last computed; 0 where that is not known.
    complete
        Whether everybody who has a list is here: nobody had to leave for want of room.

    Examples
    --------
    >>> table = UserTable(list_length=2)
    >>> row = table.add("u1", partition=0)
    >>> table.row_of("u1") == row, table.row_of("u2")
    (True, -1)
    """

    def __init__(self, list_length: int) -> None:
        self._rows: dict[str, int] = {}
        self._ids: list[str | None] = []
        self._free: list[int] = []
        self._held: set[int] = set()
        self.complete = True
        self._allocate(_FIRST_CAPACITY, list_length)

    def _allocate(self, capacity: int, width: int) -> None:
        self.partitions = np.zeros(capacity, dtype=np.int32)
        self.sequence_offsets = np.full(capacity, NOWHERE, dtype=np.int64)
        self.click_offsets = np.full(capacity, NOWHERE, dtype=np.int64)
        self.click_times = np.zeros(capacity, dtype=np.float64)
        self.accepted_times = np.zeros(capacity, dtype=np.float64)
        self.listed_click_offsets = np.full(capacity, NOWHERE, dtype=np.int64)
        self.listed_versions = np.full(capacity, NOWHERE, dtype=np.int64)
        self.listed_at = np.zeros(capacity, dtype=np.float64)
        self.list_reasons = np.zeros(capacity, dtype=np.uint8)
        self.list_numbers = np.full(capacity, NO_LIST, dtype=np.uint64)
        self.histories = np.full(capacity, FIRST, dtype=np.uint8)
        self.checked_versions = np.full(capacity, NOWHERE, dtype=np.int64)
        self.list_hashes = np.zeros(capacity, dtype=np.uint64)
        self.list_items = np.zeros((capacity, width), dtype=np.uint32)
        self.list_lengths = np.zeros(capacity, dtype=np.int32)
        self.checked_arrivals = np.zeros(capacity, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def extent(self) -> int:
        """Rows are below this number; those of users who left are empty."""
        return len(self._ids)

    def row_of(self, user_id: str) -> int:
        """Return the user's row, -1 for an unknown user."""
        return self._rows.get(user_id, -1)

    def name_of(self, row: int) -> str:
        """Return the user in `row`, which must not be empty."""
        user_id = self._ids[row]
        if user_id is None:
            raise LookupError(f"row {row} of the table of users is empty")
        return user_id

    def add(self, user_id: str, partition: int) -> int:
        """Return the user's row, a new one where there was none."""
        row = self._rows.get(user_id)
        if row is not None:
            return row
        if self._free:
            row = self._free.pop()
            self._ids[row] = user_id
        else:
            row = len(self._ids)
            self._ids.append(user_id)
            if row >= len(self.partitions):
                self._grow()
        self._rows[user_id] = row
        self.partitions[row] = partition
        return row

    def remove(self, user_id: str) -> None:
        """Forget a user, who need not be known."""
        row = self._rows.pop(user_id, None)
        if row is None:
            return
        self._ids[row] = None
        self._free.append(row)
        self.clear_list(row)
        self.sequence_offsets[row] = self.click_offsets[row] = NOWHERE
        self.click_times[row] = self.accepted_times[row] = 0.0

    def hold(self, partition: int) -> None:
        """Leave the users of `partition` out of every answer: it is not known in full yet."""
        self._held.add(partition)

    def release(self, partition: int) -> None:
        """Undo `hold`."""
        self._held.discard(partition)

    def remove_partition(self, partition: int) -> list[int]:
        """Forget the users of `partition`; return the rows that they had."""
        rows = np.flatnonzero(self.partitions[: self.extent] == partition).tolist()
        taken = [(row, name) for row in rows if (name := self._ids[row]) is not None]
        for _, name in taken:
            self.remove(name)
        return [row for row, _ in taken]

    def set_lists(
        self,
        rows: npt.NDArray[np.int64],
        origins: ListOrigins,
        lists: ListColumns,
        *,
        restored: bool = False,
    ) -> None:
        """Note the lists that users have got.

        Parameters
        ----------
        rows
            int64 [n], the users, each of them once.
        origins
            Where the lists come from.
        lists
            What they hold.
        restored
            They were read from the topic.
        """
        before = np.where(self.listed_versions[rows] != NOWHERE, REPLACED, self._without_list())
        self.histories[rows] = RESTORED if restored else before
        versions = origins.versions
        self.listed_click_offsets[rows] = origins.click_offsets
        self.listed_versions[rows] = versions
        self.listed_at[rows] = origins.made_at
        self.list_reasons[rows] = origins.reasons
        self.list_numbers[rows] = origins.numbers
        self.checked_versions[rows] = np.maximum(self.checked_versions[rows], versions)
        self.list_hashes[rows] = lists.hashes
        width = lists.marks.shape[1]
        if width > self.list_items.shape[1]:
            self._widen(width)
        self.list_items[rows, :width] = lists.marks
        self.list_items[rows, width:] = 0
        self.list_lengths[rows] = lists.lengths

    def _without_list(self) -> int:
        """Return the history of a list whose user had none here."""
        return FIRST if self.complete else UNSURE

    def clear_list(self, row: int) -> None:
        """Note that the user's list was withdrawn."""
        self.listed_click_offsets[row] = NOWHERE
        self.listed_versions[row] = NOWHERE
        self.checked_versions[row] = NOWHERE
        self.list_hashes[row] = self.list_reasons[row] = self.listed_at[row] = 0
        self.list_numbers[row] = NO_LIST
        self.histories[row] = FIRST
        self.list_items[row] = 0
        self.list_lengths[row] = self.checked_arrivals[row] = 0

    def due_by_click(self) -> npt.NDArray[np.int64]:
        """Return the rows whose newest click is newer than their list, in log order."""
        n = self.extent
        due = self.click_offsets[:n] > self.listed_click_offsets[:n]
        return self._in_log_order(np.flatnonzero(due & self.followed()))

    def due_by_version(self, versions_at_click: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the rows of users whose list is older than the model that served at their click.

        `versions_at_click` is int64 [extent]: the version at each row's `accepted_times`.
        """
        due = self.listed_versions[: self.extent] < versions_at_click
        return self._in_log_order(np.flatnonzero(due & self.followed()))

    def due_by_arrivals(self, arrivals: int, length: int) -> npt.NDArray[np.int64]:
        """Return the rows whose list is shorter than `length` and was made before the last arrival.

        `arrivals` is the recommender's.
        """
        n = self.extent
        short = (self.listed_versions[:n] != NOWHERE) & (self.list_lengths[:n] < length)
        due = short & (self.checked_arrivals[:n] < arrivals)
        return self._in_log_order(np.flatnonzero(due & self.followed()))

    def holding(self, fingerprints: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
        """Return the rows whose list holds an item with one of `fingerprints` (none of them 0)."""
        n = self.extent
        held = np.isin(self.list_items[:n], fingerprints).any(axis=1)
        return np.flatnonzero(held & self.followed())

    def listed_without_sequence(self, partition: int) -> list[str]:
        """Return the users of `partition` who have a list but no sequence: they were forgotten."""
        n = self.extent
        rows = (self.sequence_offsets[:n] == NOWHERE) & (self.listed_versions[:n] != NOWHERE)
        rows &= self.partitions[:n] == partition
        ids = (self._ids[row] for row in np.flatnonzero(rows))
        return [user for user in ids if user is not None]

    def oldest(self, count: int) -> list[str]:
        """Return the `count` users whose newest click is oldest."""
        rows = np.fromiter(self._rows.values(), np.int64, len(self._rows))
        if count < len(rows):
            rows = rows[np.argpartition(self.click_times[rows], count)[:count]]
        return [user for user in (self._ids[row] for row in rows) if user is not None]

    def followed(self) -> npt.NDArray[np.bool_]:
        """Return, per row below `extent`, whether it has a user whose sequence is known."""
        return self.are_followed(slice(self.extent))

    def are_followed(self, rows: slice | npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which of `rows` have a user whose sequence is known."""
        followed: npt.NDArray[np.bool_] = self.sequence_offsets[rows] != NOWHERE
        if self._held:
            followed &= ~np.isin(self.partitions[rows], list(self._held))
        return followed

    def _in_log_order(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return rows[np.argsort(self.sequence_offsets[rows], kind="stable")]

    def _grow(self) -> None:
        old, size = dict(vars(self)), len(self.partitions)
        self._allocate(2 * size, self.list_items.shape[1])
        for name, array in old.items():
            if isinstance(array, np.ndarray):
                getattr(self, name)[:size] = array

    def _widen(self, width: int) -> None:
        old = self.list_items
        self.list_items = np.zeros((len(old), width), dtype=np.uint32)
        self.list_items[:, : old.shape[1]] = old

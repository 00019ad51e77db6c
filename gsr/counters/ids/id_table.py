"""A hash table from ids to numbers that kernels can use."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.arena import SMALLEST_BLOCK, Arena, allocate, block_size, new_arena, release
from gsr.counters.ids.id_column import IdColumn
from gsr.machine_words import prefetch

MISSING: Final = -1
"""In place of a number: the table does not hold the id."""

_AHEAD: Final = 12
"""Ids whose memory is asked for before it is their turn."""

_SLOTS_PER_ID: Final = 2
_WORD_BYTES: Final = 4
_TAG: Final = np.uint64(0xFFFF_FFFF_0000_0000)
_NUMBER: Final = np.uint64(0xFFFF_FFFF)
_FREE: Final = np.uint64(0)


class IdEntries(NamedTuple):
    """An open-addressing table (linear probing) and the ids that its numbers stand for.

    Parameters
    ----------
    slots
        uint64 [a power of two], 0 where free, else the upper half of the id's hash beside its
        number plus one.
    hashes
        uint64 [numbers], each id's XXH3-64.
    starts, lengths
        int64 and int32 [numbers], where the id's bytes stand in `letters`; a length of -1 where
        the number belongs to no id.
    text, letters
        Blocks for the ids' bytes, and the same memory as uint8.
    """

    slots: npt.NDArray[np.uint64]
    hashes: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int32]
    text: Arena
    letters: npt.NDArray[np.uint8]


_HEADER: Final = np.dtype([("hash", np.uint64), ("start", np.int64), ("length", np.int32)])
"""What there is once per number: together, so that a comparison waits for one cache line."""


class Ids(NamedTuple):
    """An `IdColumn` as kernels take it."""

    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint64]


class IdTable:
    """Ids and the numbers that the caller gives them: small, and no two alike.

    Parameters
    ----------
    capacity
        Numbers for which there is room from the start.

    Examples
    --------
    >>> table = IdTable(4)
    >>> table.add(IdColumn.of(["a", "b"]), np.array([7, 3]))
    >>> table.find(IdColumn.of(["b", "c", "a"])).tolist(), table.id_of(7), len(table)
    ([3, -1, 7], 'a', 2)
    """

    def __init__(self, capacity: int) -> None:
        self._count = 0
        self._headers = _new_headers(max(1, capacity))
        self.entries = _entries(np.zeros(16, dtype=np.uint64), self._headers, new_arena(1024))

    def __len__(self) -> int:
        return self._count

    def find(self, ids: IdColumn) -> npt.NDArray[np.int64]:
        """Return the number of each id, int64 [n]; `MISSING` for those that are not held."""
        numbers = np.empty(len(ids), dtype=np.int64)
        _find(self.entries, kernel_ids(ids), numbers)
        return numbers

    def find_one(self, text: str) -> int:
        """Return the number of one id, `MISSING` where it is not held."""
        return int(self.find(IdColumn.of([text]))[0])

    def add(self, ids: IdColumn, numbers: npt.NDArray[np.int64]) -> None:
        """Give ids that are not held, no two alike, numbers, int64 [n], that belong to none."""
        self.reserve(len(ids), int(numbers.max(initial=-1)) + 1, int(ids.lengths.max(initial=0)))
        _add(self.entries, kernel_ids(ids), numbers)
        self._count += len(ids)

    def add_missing(
        self,
        ids: IdColumn,
        numbers: npt.NDArray[np.int64],
        fresh: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.int64]:
        """Give ids numbers where they have none yet, repeated ones the same.

        Parameters
        ----------
        ids
            n ids.
        numbers
            int64 [n], what `find` said; filled.
        fresh
            int64 [m], numbers that belong to no id, as many as ids may be missing.

        Returns
        -------
        int64 [k], the rows at which the first k of `fresh` were given away.
        """
        missing = int(np.count_nonzero(numbers < 0))
        self.reserve(missing, int(fresh.max(initial=-1)) + 1, int(ids.lengths.max(initial=0)))
        rows = np.empty(missing, dtype=np.int64)
        given = _add_missing(self.entries, kernel_ids(ids), numbers, fresh, rows)
        self._count += given
        return rows[:given]

    def remove(self, numbers: npt.NDArray[np.int64]) -> None:
        """Drop the ids of some numbers, int64 [n]; numbers without one are passed over."""
        self._count -= _remove(self.entries, numbers)

    def id_of(self, number: int) -> str | None:
        """Return a number's id, None where it belongs to none."""
        length = int(self.entries.lengths[number])
        if length < 0:
            return None
        start = int(self.entries.starts[number])
        return self.entries.letters[start : start + length].tobytes().decode()

    def ids_of(self, numbers: npt.NDArray[np.int64]) -> IdColumn:
        """Return the ids of numbers, int64 [n], that belong to some; a view, for a short while."""
        entries = self.entries
        return IdColumn(
            entries.letters,
            entries.starts[numbers],
            entries.lengths[numbers].astype(np.int64),
            entries.hashes[numbers],
        )

    def held(self, below: int) -> npt.NDArray[np.bool_]:
        """Tell which of the numbers below `below` belong to an id, bool [below]."""
        return np.asarray(self.entries.lengths[:below] != MISSING)

    def reserve(self, ids: int, numbers: int, longest: int) -> None:
        """Make room for more ids of at most `longest` bytes, and for numbers below `numbers`."""
        headers, slots, text = self._headers, self.entries.slots, self.entries.text
        if numbers > len(headers):
            headers = _new_headers(max(numbers, len(headers) * 3 // 2))
            headers[: len(self._headers)] = self._headers
        words = int(text.top[0]) + ids * block_size(-(-longest // _WORD_BYTES))
        if words > len(text.slots):
            letters = np.zeros(max(words, len(text.slots) * 3 // 2), dtype=np.uint32)
            letters[: len(text.slots)] = text.slots
            text = text._replace(slots=letters)
        wanted = len(slots)
        while wanted < (self._count + ids) * _SLOTS_PER_ID:
            wanted *= 2
        if wanted > len(slots):
            slots = np.zeros(wanted, dtype=np.uint64)
        self._headers, before = headers, self.entries.slots
        self.entries = _entries(slots, headers, text)
        if slots is not before:
            _fill_slots(self.entries)


def _new_headers(numbers: int) -> npt.NDArray[np.void]:
    headers = np.zeros(numbers, dtype=_HEADER)
    headers["length"] = MISSING
    return headers


def kernel_ids(ids: IdColumn) -> Ids:
    """Return a column as kernels take it."""
    return Ids(ids.data, ids.starts, ids.lengths, ids.hashes)


def _entries(
    slots: npt.NDArray[np.uint64], headers: npt.NDArray[np.void], text: Arena
) -> IdEntries:
    return IdEntries(
        slots=slots,
        hashes=headers["hash"],
        starts=headers["start"],
        lengths=headers["length"],
        text=text,
        letters=text.slots.view(np.uint8),
    )


@inner_kernel
def _slot_of(entries: IdEntries, ids: Ids, row: int) -> int:
    """Return the slot that holds an id, or the free one at which its search ends."""
    mask = len(entries.slots) - 1
    hashed = ids.hashes[row]
    at = int(np.int64(hashed & np.uint64(mask)))
    while entries.slots[at] != _FREE:
        if (entries.slots[at] ^ hashed) & _TAG == _FREE:
            number = int(np.int64(entries.slots[at] & _NUMBER)) - 1
            if _same_id(entries, number, ids, row):
                return at
        at = (at + 1) & mask
    return at


@inner_kernel
def _same_id(entries: IdEntries, number: int, ids: Ids, row: int) -> bool:
    """Tell whether a number's id is that of a row."""
    length = ids.lengths[row]
    if entries.hashes[number] != ids.hashes[row] or entries.lengths[number] != length:
        return False
    mine, theirs = entries.starts[number], ids.starts[row]
    i = 0
    while i < length and entries.letters[mine + i] == ids.data[theirs + i]:
        i += 1
    return bool(i == length)


@inner_kernel
def _number_in(entries: IdEntries, slot: int) -> int:
    """Return the number in a slot, -1 in a free one."""
    return int(np.int64(entries.slots[slot] & _NUMBER)) - 1


@inner_kernel
def _prefetch_ahead(entries: IdEntries, ids: Ids, row: int) -> None:
    """Ask for the memory that rows soon to come will need: each one's slot, and what it names."""
    mask = np.uint64(len(entries.slots) - 1)
    if row + 2 * _AHEAD < len(ids.hashes):
        prefetch(entries.slots, int(np.int64(ids.hashes[row + 2 * _AHEAD] & mask)))
    if row + _AHEAD < len(ids.hashes):
        number = _number_in(entries, int(np.int64(ids.hashes[row + _AHEAD] & mask)))
        if number >= 0:
            prefetch(entries.hashes, number)


@lean_kernel
def _find(entries: IdEntries, ids: Ids, numbers: npt.NDArray[np.int64]) -> None:
    """Look ids up."""
    for row in range(len(numbers)):
        _prefetch_ahead(entries, ids, row)
        numbers[row] = _number_in(entries, _slot_of(entries, ids, row))


@inner_kernel
def _put(entries: IdEntries, ids: Ids, row: int, slot: int, number: int) -> None:
    """Enter an id into a free slot."""
    length = ids.lengths[row]
    words = SMALLEST_BLOCK
    while _WORD_BYTES * words < length:
        words *= 2
    start = _WORD_BYTES * allocate(entries.text, words)
    for i in range(length):
        entries.letters[start + i] = ids.data[ids.starts[row] + i]
    entries.starts[number] = start
    entries.lengths[number] = length
    entries.hashes[number] = ids.hashes[row]
    entries.slots[slot] = (ids.hashes[row] & _TAG) | np.uint64(number + 1)


@lean_kernel
def _add(entries: IdEntries, ids: Ids, numbers: npt.NDArray[np.int64]) -> None:
    """Enter ids that are not there."""
    for row in range(len(numbers)):
        _put(entries, ids, row, _slot_of(entries, ids, row), numbers[row])


@lean_kernel
def _add_missing(
    entries: IdEntries,
    ids: Ids,
    numbers: npt.NDArray[np.int64],
    fresh: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
) -> int:
    """Enter ids that are not there, each once; return how many, and note their rows."""
    given = 0
    for row in range(len(numbers)):
        if numbers[row] >= 0:
            continue
        slot = _slot_of(entries, ids, row)
        numbers[row] = _number_in(entries, slot)
        if numbers[row] < 0:
            numbers[row] = fresh[given]
            rows[given] = row
            given += 1
            _put(entries, ids, row, slot, numbers[row])
    return given


@lean_kernel
def _fill_slots(entries: IdEntries) -> None:
    """Enter every number that belongs to an id into empty slots."""
    mask = len(entries.slots) - 1
    for number in range(len(entries.lengths)):
        if entries.lengths[number] >= 0:
            hashed = entries.hashes[number]
            at = int(np.int64(hashed & np.uint64(mask)))
            while entries.slots[at] != _FREE:
                at = (at + 1) & mask
            entries.slots[at] = (hashed & _TAG) | np.uint64(number + 1)


@inner_kernel
def _close_gap(entries: IdEntries, gap: int) -> None:
    """Free a slot; what was put behind it, for want of room, moves up."""
    mask = len(entries.slots) - 1
    at = gap
    while True:
        at = (at + 1) & mask
        if entries.slots[at] == _FREE:
            break
        number = _number_in(entries, at)
        home = int(np.int64(entries.hashes[number] & np.uint64(mask)))
        # It may move into the gap where its search passes there: home, gap, at, in this order.
        if ((at - home) & mask) >= ((at - gap) & mask):
            entries.slots[gap] = entries.slots[at]
            gap = at
    entries.slots[gap] = _FREE


@lean_kernel
def _remove(entries: IdEntries, numbers: npt.NDArray[np.int64]) -> int:
    """Drop ids; return how many."""
    mask = len(entries.slots) - 1
    removed = 0
    for number in numbers:
        if entries.lengths[number] < 0:
            continue
        at = int(np.int64(entries.hashes[number] & np.uint64(mask)))
        while _number_in(entries, at) != number:
            at = (at + 1) & mask
        _close_gap(entries, at)
        words = SMALLEST_BLOCK
        while _WORD_BYTES * words < entries.lengths[number]:
            words *= 2
        release(entries.text, entries.starts[number] // _WORD_BYTES, words)
        entries.lengths[number] = MISSING
        removed += 1
    return removed

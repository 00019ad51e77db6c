"""Users in memory by slot: buffers and seen filters, with room for more users."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsr.counters.arena import Arena, allocate, block_places, block_size, new_arena
from gsr.counters.cache_lines import copy_columns
from gsr.counters.ids.id_column import IdColumn
from gsr.counters.ids.id_table import IdTable
from gsr.counters.items.item_columns import NEXT_INDEX, NO_INDEX, ItemColumns
from gsr.counters.users.buffer_arena import BYTES_PER_SLOT, full_capacity, grown, new_buffer_arena
from gsr.counters.users.user_buffer import UserBuffer
from gsr.counters.users.user_columns import (
    UserColumns,
    clear_user,
    clear_users,
    give_room,
    new_user_columns,
)

UserSource = Callable[[IdColumn, npt.NDArray[np.int64]], None]
"""Fills empty slots with users who are not in memory: (user ids, slots)."""

_FIRST_SEEN_SPACE: Final = 4096
_USER_BYTES: Final = 128
"""Of memory for a user's header and id, without clicks."""
_MARK_BYTES: Final = 4
STORED_OF_USERS: Final = ("lengths", "seen_lengths", "source_offsets", "accepted_at", "touched")
"""Columns that `UserSlots.arrays` tells of each user."""

STORED_OF_CLICKS: Final = ("items", "fingerprints", "times", "events", "hashes")
"""Columns that it tells of each click."""

_LOADED_AT_ONCE: Final = 4096
_FIRST_CLICKS: Final = 16
"""Clicks per expected user for which there is address space from the start."""


class UserSlots:
    """The users in memory; the others come from a source as they are asked for.

    Parameters
    ----------
    buffer_length
        Clicks per user.
    capacity
        Users for whom there is address space from the start; memory is used as they come.
    """

    def __init__(self, buffer_length: int, capacity: int) -> None:
        self.buffer_length = buffer_length
        self.columns = new_user_columns(capacity, new_buffer_arena(_FIRST_CLICKS * capacity))
        self.seen = new_arena(_FIRST_SEEN_SPACE)
        self.table = IdTable(capacity)
        self.source: UserSource | None = None
        self._used = 0
        self._free = np.zeros(0, dtype=np.int64)
        self._tick = 0

    def __len__(self) -> int:
        return len(self.table)

    def find(self, user_id: str) -> int:
        """Return the slot of a user in memory, -1 for others."""
        return self.table.find_one(user_id)

    def slot(self, user_id: str) -> int:
        """Return a user's slot, from the source or empty where they are not in memory."""
        return int(self.slots(IdColumn.of([user_id]))[0])

    def slots(self, user_ids: IdColumn) -> npt.NDArray[np.int64]:
        """Return the slot of each user, int64 [n]; those not in memory come in."""
        found = self.table.find(user_ids)
        if np.any(found < 0):
            self._bring_in(user_ids, found)
        self._tick += 1
        self.columns.touched[found] = self._tick
        return found

    def _bring_in(self, user_ids: IdColumn, found: npt.NDArray[np.int64]) -> None:
        """Give users without a slot one, and let the source fill it."""
        missing = int(np.count_nonzero(found < 0))
        reused = min(missing, len(self._free))
        new = np.arange(self._used, self._used + missing - reused, dtype=np.int64)
        fresh = np.concatenate([self._free[::-1][:reused], new])
        rows = self.table.add_missing(user_ids, found, fresh)
        self._free = self._free[: len(self._free) - min(reused, len(rows))]
        self._used += max(0, len(rows) - reused)
        self._reserve(self._used)
        if self.source is not None:
            self.source(user_ids.rows(rows), fresh[: len(rows)])

    def _reserve(self, slots: int) -> None:
        """Make room for this many slots."""
        old = self.columns
        if slots > len(old.lengths):
            self.columns = new_user_columns(max(slots, 2 * len(old.lengths)), old.buffers)
            copy_columns(old[:-1], self.columns[:-1])

    def reserve_clicks(self, space: int) -> None:
        """Make room for `space` more slots in the arena of buffers."""
        buffers = self.columns.buffers
        needed, room = int(buffers.top[0]) + space, len(buffers.hashes)
        if needed > room:
            larger = grown(buffers, max(needed, 2 * room))
            self.columns = self.columns._replace(buffers=larger)

    def give_room(self, slots: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> None:
        """Give empty slots, int64 [n], blocks for so many clicks each, int64 [n]."""
        self.reserve_clicks(len(slots) * full_capacity(self.buffer_length))
        for slot, length in zip(slots.tolist(), lengths.tolist(), strict=True):
            give_room(self.columns, slot, length, self.buffer_length)

    def reserve_seen(self, space: int) -> None:
        """Make room for `space` more slots in the arena of seen filters."""
        needed = int(self.seen.top[0]) + space
        if needed > len(self.seen.slots):
            slots = np.zeros(max(needed, 2 * len(self.seen.slots)), dtype=np.uint32)
            slots[: len(self.seen.slots)] = self.seen.slots
            self.seen = self.seen._replace(slots=slots)

    def put_seen(self, slot: int, marks: npt.NDArray[np.uint32]) -> None:
        """Give a slot without a seen filter this one."""
        capacity = block_size(len(marks))
        self.reserve_seen(capacity)
        start = allocate(self.seen, capacity)
        self.seen.slots[start : start + len(marks)] = marks
        self.columns.seen_starts[slot] = start
        self.columns.seen_capacities[slot] = capacity
        self.columns.seen_lengths[slot] = len(marks)

    def read(self, slot: int, items: ItemColumns, horizon: float) -> UserBuffer | None:
        """Return a copy of what a slot holds, its items as rows of `items`.

        None for a slot of -1, an empty one, or one without clicks since `horizon`.
        """
        columns, buffers = self.columns, self.columns.buffers
        length = int(columns.lengths[slot]) if slot >= 0 else 0
        start = int(columns.blocks[slot]) + int(columns.firsts[slot])
        clicks = slice(start, start + length)
        if length == 0 or buffers.times[clicks.stop - 1] < horizon:
            return None
        indexes = buffers.items[clicks].astype(np.int64)
        known = indexes < items.counts[NEXT_INDEX]
        rows = np.full(length, -1, dtype=np.int64)
        rows[known] = items.rows[indexes[known]]
        return UserBuffer(
            items=rows,
            fingerprints=buffers.fingerprints[clicks].copy(),
            times=buffers.times[clicks].copy(),
            events=buffers.events[clicks].copy(),
            hashes=buffers.hashes[clicks].copy(),
            seen=seen_of(columns, self.seen, slot),
            source_offset=int(columns.source_offsets[slot]),
            accepted_at=float(columns.accepted_at[slot]),
        )

    def write(self, slot: int, buffer: UserBuffer, items: ItemColumns, seen_items: int) -> None:
        """Let a slot hold a user whose items are rows of `items`, as far as there is room."""
        kept = slice(max(0, len(buffer) - self.buffer_length), None)
        rows = buffer.items[kept]
        clear_user(self.columns, self.seen, slot)
        self.give_room(np.array([slot]), np.array([len(rows)]))
        columns, buffers = self.columns, self.columns.buffers
        start = int(columns.blocks[slot])
        clicks = slice(start, start + len(rows))
        buffers.items[clicks] = np.where(rows >= 0, items.indexes[rows], NO_INDEX)
        buffers.fingerprints[clicks] = buffer.fingerprints[kept]
        buffers.times[clicks] = buffer.times[kept]
        buffers.events[clicks] = buffer.events[kept]
        buffers.hashes[clicks] = buffer.hashes[kept]
        columns.source_offsets[slot] = buffer.source_offset
        columns.accepted_at[slot] = buffer.accepted_at
        marks = buffer.seen[max(0, len(buffer.seen) - seen_items) :]
        if len(marks) > 0:
            self.put_seen(slot, marks)
        columns.dirty[slot] = 1
        columns.seen_dirty[slot] = 1

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all that goes on, clicks and seen filters without gaps."""
        columns, buffers = self.columns, self.columns.buffers
        slots = np.flatnonzero(self.table.held(self._used))
        names = self.table.ids_of(slots).compact()
        first = columns.blocks[slots] + columns.firsts[slots]
        clicks = block_places(first, columns.lengths[slots])
        marks = block_places(columns.seen_starts[slots], columns.seen_lengths[slots])
        return {
            "id_bytes": names.data,
            "id_lengths": names.lengths,
            "slots": slots,
            "free": self._free.copy(),
            "counts": np.array([self._used, self._tick]),
            "marks": self.seen.slots[marks],
            **{name: getattr(columns, name)[slots] for name in STORED_OF_USERS},
            **{name: getattr(buffers, name)[clicks] for name in STORED_OF_CLICKS},
        }

    def load(self, user_ids: IdColumn, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what `arrays` returned; there must be no users yet.

        Parameters
        ----------
        user_ids
            The ids of the arrays' users.
        arrays
            Of users of the same buffer length.
        """
        slots = arrays["slots"]
        self._used, self._tick = map(int, arrays["counts"])
        self._free = arrays["free"].copy()
        self._reserve(self._used)
        self.table.add(user_ids, slots)
        for first in range(0, len(slots), _LOADED_AT_ONCE):
            some = slice(first, first + _LOADED_AT_ONCE)
            there = arrays["lengths"][some] > 0
            self.give_room(slots[some][there], arrays["lengths"][some][there])
        columns, lengths = self.columns, arrays["seen_lengths"]
        clicks = block_places(columns.blocks[slots], arrays["lengths"])
        for name in STORED_OF_CLICKS:
            getattr(columns.buffers, name)[clicks] = arrays[name]
        for name in STORED_OF_USERS:
            getattr(columns, name)[slots] = arrays[name]
        starts = lengths.cumsum() - lengths
        for place in np.flatnonzero(lengths).tolist():
            start = starts[place]
            self.put_seen(slots[place], arrays["marks"][start : start + lengths[place]])

    def mark_clean(self) -> None:
        """Note that everything has been written."""
        self.columns.dirty[:] = 0
        self.columns.seen_dirty[:] = 0

    def dirty(self) -> npt.NDArray[np.int64]:
        """Return the slots whose buffer or filter has changed."""
        return np.flatnonzero(self._changed())

    def _changed(self) -> npt.NDArray[np.uint8]:
        used = self._used
        return self.columns.dirty[:used] | self.columns.seen_dirty[:used]

    @property
    def nbytes(self) -> int:
        """Roughly the memory of the users who are here."""
        clicks, marks = int(self.columns.buffers.held[0]), int(self.seen.held[0])
        return len(self) * _USER_BYTES + clicks * BYTES_PER_SLOT + marks * _MARK_BYTES

    def evict(self, keep: int, keep_bytes: float = math.inf) -> int:
        """Let go of clean users, those touched longest ago first.

        Parameters
        ----------
        keep, keep_bytes
            Until so many remain, who take no more memory than this.
        """
        many, much = len(self) - keep, self.nbytes - keep_bytes
        if many <= 0 and much <= 0:
            return 0
        clean = np.flatnonzero(self.table.held(self._used) & (self._changed() == 0))
        clean = clean[np.argsort(self.columns.touched[clean], kind="stable")]
        freed = np.cumsum(
            _USER_BYTES
            + BYTES_PER_SLOT * self.columns.capacities[clean].astype(np.int64)
            + _MARK_BYTES * self.columns.seen_capacities[clean].astype(np.int64)
        )
        enough = int(np.searchsorted(freed, much)) + 1 if much > 0 else 0
        leaving = clean[: max(many, enough)]
        self._drop(leaving)
        return len(leaving)

    def drop(self, slot: int) -> None:
        """Let go of the user in a slot, changed or not."""
        self._drop(np.array([slot], dtype=np.int64))

    def taken(self) -> list[tuple[str, int]]:
        """Return (user id, slot) of every user in memory."""
        slots = np.flatnonzero(self.table.held(self._used))
        return list(zip(self.table.ids_of(slots), slots.tolist(), strict=True))

    def _drop(self, slots: npt.NDArray[np.int64]) -> None:
        """Let go of the users in slots."""
        clear_users(self.columns, self.seen, slots)
        self.table.remove(slots)
        self._free = np.concatenate([self._free, slots])


def seen_of(columns: UserColumns, seen: Arena, slot: int) -> npt.NDArray[np.uint32]:
    """Return a copy of the seen filter in a slot, oldest first."""
    start = columns.seen_starts[slot]
    return seen.slots[start : start + columns.seen_lengths[slot]].copy()

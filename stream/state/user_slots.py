"""Which user stands in which slot, and slots for more of them."""

from collections.abc import Callable, Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt

from stream.state.arena import Arena, allocate, block_size, new_arena
from stream.state.columns import copy_columns
from stream.state.user_columns import UserColumns, clear_users, new_user_columns

UserSource = Callable[[list[str], npt.NDArray[np.int64]], None]
"""Fills empty slots with users who are not in memory: (user ids, slots)."""

_FIRST_SEEN_SPACE = 4096


class UserSlots:
    """Users in memory.

    Parameters
    ----------
    buffer_length
        Clicks per user.
    capacity
        Users for whom there is address space from the start; memory is used as they come.
    """

    def __init__(self, buffer_length: int, capacity: int) -> None:
        self.columns = new_user_columns(capacity, buffer_length)
        self.seen = new_arena(_FIRST_SEEN_SPACE)
        self.ids: list[str] = []
        self.source: UserSource | None = None
        self._slots: dict[str, int] = {}
        self._free: list[int] = []
        self._tick = 0

    def __len__(self) -> int:
        return len(self._slots)

    def find(self, user_id: str) -> int:
        """Return the slot of a user in memory, -1 for others."""
        return self._slots.get(user_id, -1)

    def slot(self, user_id: str) -> int:
        """Return a user's slot, from the source or empty where they are not in memory."""
        return int(self.slots([user_id])[0])

    def slots(self, user_ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the slot of each user, int64 [n]; those not in memory come in."""
        find = self._slots.get
        found = np.fromiter(map(find, user_ids, repeat(-1)), dtype=np.int64, count=len(user_ids))
        missing = np.flatnonzero(found < 0).tolist()
        if missing:
            self._bring_in(list(dict.fromkeys(user_ids[i] for i in missing)))
            found[missing] = [self._slots[user_ids[i]] for i in missing]
        self._tick += 1
        self.columns.touched[found] = self._tick
        return found

    def _bring_in(self, user_ids: list[str]) -> None:
        """Give each of `user_ids` a slot and let the source fill it."""
        reused = min(len(user_ids), len(self._free))
        slots = self._free[len(self._free) - reused :]
        del self._free[len(self._free) - reused :]
        first = len(self.ids)
        slots.extend(range(first, first + len(user_ids) - reused))
        self.ids.extend([""] * (len(user_ids) - reused))
        self._reserve(len(self.ids))
        for user_id, slot in zip(user_ids, slots, strict=True):
            self.ids[slot] = user_id
        self._slots.update(zip(user_ids, slots, strict=True))
        if self.source is not None:
            self.source(user_ids, np.array(slots, dtype=np.int64))

    def _reserve(self, slots: int) -> None:
        """Make room for this many slots."""
        old = self.columns
        if slots > len(old.lengths):
            self.columns = new_user_columns(max(slots, 2 * len(old.lengths)), old.items.shape[1])
            copy_columns(old, self.columns)

    def reserve_seen(self, space: int) -> None:
        """Make room for `space` more slots in the arena of seen filters."""
        needed = int(self.seen.top[0]) + space
        if needed > len(self.seen.slots):
            slots = np.zeros(max(needed, len(self.seen.slots) * 3 // 2), dtype=np.uint32)
            slots[: len(self.seen.slots)] = self.seen.slots
            self.seen = Arena(slots, self.seen.heads, self.seen.top)

    def put_seen(self, slot: int, marks: npt.NDArray[np.uint32]) -> None:
        """Give a slot without a seen filter this one."""
        capacity = block_size(len(marks))
        self.reserve_seen(capacity)
        start = allocate(self.seen, capacity)
        self.seen.slots[start : start + len(marks)] = marks
        self.columns.seen_starts[slot] = start
        self.columns.seen_capacities[slot] = capacity
        self.columns.seen_lengths[slot] = len(marks)

    def mark_clean(self) -> None:
        """Note that everything has been written."""
        self.columns.dirty[:] = 0
        self.columns.seen_dirty[:] = 0

    def dirty(self) -> npt.NDArray[np.int64]:
        """Return the slots whose buffer or filter has changed."""
        used = len(self.ids)
        changed = self.columns.dirty[:used] | self.columns.seen_dirty[:used]
        return np.flatnonzero(changed)

    def evict(self, keep: int) -> int:
        """Let go of clean users, those touched longest ago first, until `keep` remain."""
        excess = len(self) - keep
        if excess <= 0:
            return 0
        used = len(self.ids)
        taken = np.fromiter((user_id != "" for user_id in self.ids), np.bool_, count=used)
        changed = self.columns.dirty[:used] | self.columns.seen_dirty[:used]
        clean = np.flatnonzero(taken & (changed == 0))
        if len(clean) > excess:
            oldest = np.argpartition(self.columns.touched[clean], excess - 1)[:excess]
            clean = clean[oldest]
        self._drop(clean)
        return len(clean)

    def drop(self, slot: int) -> None:
        """Let go of the user in a slot, changed or not."""
        self._drop(np.array([slot], dtype=np.int64))

    def _drop(self, slots: npt.NDArray[np.int64]) -> None:
        """Let go of the users in slots."""
        clear_users(self.columns, self.seen, slots)
        for slot in slots.tolist():
            del self._slots[self.ids[slot]]
            self.ids[slot] = ""
        self._free.extend(slots.tolist())

    def taken(self) -> list[tuple[str, int]]:
        """Return (user id, slot) of every user in memory."""
        return list(self._slots.items())


def seen_of(columns: UserColumns, seen: Arena, slot: int) -> npt.NDArray[np.uint32]:
    """Return a copy of the seen filter in a slot, oldest first."""
    start = columns.seen_starts[slot]
    return seen.slots[start : start + columns.seen_lengths[slot]].copy()

"""The columns of the users in memory: one slot per user."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel
from gsr.counters.arena import Arena, release
from gsr.counters.cache_lines import new_records
from gsr.counters.users.buffer_arena import BufferArena, capacity_for, give_block, take_block

BYTES_PER_USER = 24
"""Packed size of a user without clicks."""
BYTES_PER_CLICK = 25
"""Packed size of one click of a buffer."""


class UserColumns(NamedTuple):
    """What there is once per user; clicks stand in time order in `buffers`, the newest last.

    Parameters
    ----------
    lengths
        int32 [slots], clicks in the buffer; 0: nothing is known of the user.
    blocks, capacities
        int64, int32 [slots], the buffer's block in `buffers`; a capacity of 0: none.
    firsts
        int32 [slots], where in its block the oldest click stands.
    seen_starts, seen_lengths, seen_capacities
        int64, int32, int32 [slots], the block of the user's seen filter in the arena.
    source_offsets
        int64 [slots], offset of the newest accepted click in log order.
    accepted_at
        float64 [slots], its append time.
    touched
        int64 [slots], a tick that tells which users were asked for longest ago.
    dirty, seen_dirty
        uint8 [slots], buffer or seen filter changed since the last flush.
    buffers
        Everybody's clicks.
    """

    lengths: npt.NDArray[np.int32]
    blocks: npt.NDArray[np.int64]
    capacities: npt.NDArray[np.int32]
    firsts: npt.NDArray[np.int32]
    seen_starts: npt.NDArray[np.int64]
    seen_lengths: npt.NDArray[np.int32]
    seen_capacities: npt.NDArray[np.int32]
    source_offsets: npt.NDArray[np.int64]
    accepted_at: npt.NDArray[np.float64]
    touched: npt.NDArray[np.int64]
    dirty: npt.NDArray[np.uint8]
    seen_dirty: npt.NDArray[np.uint8]
    buffers: BufferArena


def new_user_columns(slots: int, buffers: BufferArena) -> UserColumns:
    """Return empty slots for users whose clicks stand in `buffers`."""
    headers = new_records(
        slots,
        ("source_offset", np.int64),
        ("accepted_at", np.float64),
        ("touched", np.int64),
        ("seen_start", np.int64),
        ("block", np.int64),
        ("seen_length", np.int32),
        ("seen_capacity", np.int32),
        ("length", np.int32),
        ("capacity", np.int32),
        ("first", np.int32),
        ("dirty", np.uint8),
        ("seen_dirty", np.uint8),
    )
    headers["source_offset"] = -1
    return UserColumns(
        lengths=headers["length"],
        blocks=headers["block"],
        capacities=headers["capacity"],
        firsts=headers["first"],
        seen_starts=headers["seen_start"],
        seen_lengths=headers["seen_length"],
        seen_capacities=headers["seen_capacity"],
        source_offsets=headers["source_offset"],
        accepted_at=headers["accepted_at"],
        touched=headers["touched"],
        dirty=headers["dirty"],
        seen_dirty=headers["seen_dirty"],
        buffers=buffers,
    )


@lean_kernel
def give_room(users: UserColumns, slot: int, length: int, buffer_length: int) -> int:
    """Give an empty slot a block for `length` clicks; return where the first one goes."""
    capacity = capacity_for(length, buffer_length)
    users.blocks[slot] = take_block(users.buffers, capacity)
    users.capacities[slot] = capacity
    users.firsts[slot] = 0
    users.lengths[slot] = length
    return int(users.blocks[slot])


@lean_kernel
def clear_users(users: UserColumns, seen: Arena, slots: npt.NDArray[np.int64]) -> None:
    """Forget what slots hold, changes included."""
    for slot in slots:
        clear_user(users, seen, slot)
        users.dirty[slot] = 0
        users.seen_dirty[slot] = 0


@lean_kernel
def clear_user(users: UserColumns, seen: Arena, slot: int) -> None:
    """Forget what a slot holds; whether that must be written is the caller's to say."""
    if users.capacities[slot] > 0:
        give_block(users.buffers, users.blocks[slot], users.capacities[slot])
        users.capacities[slot] = 0
    users.firsts[slot] = 0
    users.lengths[slot] = 0
    users.source_offsets[slot] = -1
    users.accepted_at[slot] = 0.0
    users.seen_lengths[slot] = 0
    if users.seen_capacities[slot] > 0:
        release(seen, users.seen_starts[slot], users.seen_capacities[slot])
        users.seen_capacities[slot] = 0

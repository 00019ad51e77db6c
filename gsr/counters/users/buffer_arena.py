"""An arena of clicks: each user's buffer is a block of its own that grows with it."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.arena import CLASSES, NO_BLOCK, SMALLEST_BLOCK, class_of

BYTES_PER_SLOT: Final = 25
"""Of memory, and of storage, that one click takes."""


class BufferArena(NamedTuple):
    """Columns of clicks, cut into blocks.

    Parameters
    ----------
    items
        uint32 [slots], item indexes.
    fingerprints
        uint32 [slots], of the item ids: an item may leave before the click does.
    times
        float64 [slots].
    events
        uint8 [slots].
    hashes
        uint64 [slots]; a free block's first one names the next free block of its size, plus one.
    heads
        int64 [classes], first free block of each size; -1: none.
    top
        int64 [1], slots handed out so far; everything behind is untouched.
    held
        int64 [1], slots of the blocks in use.
    """

    items: npt.NDArray[np.uint32]
    fingerprints: npt.NDArray[np.uint32]
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]
    hashes: npt.NDArray[np.uint64]
    heads: npt.NDArray[np.int64]
    top: npt.NDArray[np.int64]
    held: npt.NDArray[np.int64]


def new_buffer_arena(slots: int) -> BufferArena:
    """Return an empty arena with room for `slots` clicks."""
    return BufferArena(
        items=np.zeros(slots, dtype=np.uint32),
        fingerprints=np.zeros(slots, dtype=np.uint32),
        times=np.zeros(slots, dtype=np.float64),
        events=np.zeros(slots, dtype=np.uint8),
        hashes=np.zeros(slots, dtype=np.uint64),
        heads=np.full(CLASSES, NO_BLOCK, dtype=np.int64),
        top=np.zeros(1, dtype=np.int64),
        held=np.zeros(1, dtype=np.int64),
    )


def grown(arena: BufferArena, slots: int) -> BufferArena:
    """Return the same arena with room for `slots` clicks."""
    larger = new_buffer_arena(slots)
    used = int(arena.top[0])
    copied = ("items", "fingerprints", "times", "events", "hashes")
    for name in copied:
        getattr(larger, name)[:used] = getattr(arena, name)[:used]
    return larger._replace(heads=arena.heads, top=arena.top, held=arena.held)


@lean_kernel
def full_capacity(buffer_length: int) -> int:
    """Return the slots of a full buffer's block: half as many again as its clicks.

    So a full buffer moves only with every so many clicks, not with each.
    """
    return buffer_length + buffer_length // 2 + 1


@lean_kernel
def capacity_after(capacity: int, buffer_length: int) -> int:
    """Return the size of block that follows `capacity`."""
    larger = max(SMALLEST_BLOCK, 2 * capacity)
    return larger if larger < buffer_length else full_capacity(buffer_length)


@lean_kernel
def capacity_for(length: int, buffer_length: int) -> int:
    """Return the size of block for a buffer of `length` clicks."""
    capacity = 0
    while capacity < length:
        capacity = capacity_after(capacity, buffer_length)
    return capacity


@lean_kernel
def take_block(arena: BufferArena, capacity: int) -> int:
    """Return the first slot of a block; the caller has made sure that there is room behind `top`.

    Parameters
    ----------
    arena
        The arena.
    capacity
        A size that `capacity_after` gives.
    """
    arena.held[0] += capacity
    number = class_of(capacity)
    start: int = arena.heads[number]
    if start == NO_BLOCK:
        start = arena.top[0]
        arena.top[0] += capacity
        return start
    arena.heads[number] = np.int64(arena.hashes[start]) - 1
    return start


@lean_kernel
def give_block(arena: BufferArena, start: int, capacity: int) -> None:
    """Give a block back."""
    arena.held[0] -= capacity
    number = class_of(capacity)
    arena.hashes[start] = np.uint64(arena.heads[number] + 1)
    arena.heads[number] = start


@inner_kernel
def move_clicks(arena: BufferArena, source: int, target: int, count: int) -> None:
    """Copy clicks to other slots, which may overlap theirs from below."""
    # One loop per column: each is vectorised.
    for i in range(count):
        arena.items[target + i] = arena.items[source + i]
    for i in range(count):
        arena.fingerprints[target + i] = arena.fingerprints[source + i]
    for i in range(count):
        arena.times[target + i] = arena.times[source + i]
    for i in range(count):
        arena.events[target + i] = arena.events[source + i]
    for i in range(count):
        arena.hashes[target + i] = arena.hashes[source + i]

"""Many small growing rows in one flat array: power-of-two blocks with free lists."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel

SMALLEST_BLOCK: Final = 4
"""Slots of the smallest block; a free block keeps its successor in its first two slots."""

CLASSES: Final = 28
"""Sizes of blocks, each twice the one before."""

NO_BLOCK: Final = -1
"""In place of a free block, where there is none."""

_WORD_BITS: Final = 32
_WORD_MASK: Final = 0xFFFF_FFFF


class Arena(NamedTuple):
    """Blocks of slots.

    Parameters
    ----------
    slots
        uint32 [capacity].
    heads
        int64 [classes], first free block of each size; -1: none.
    top
        int64 [1], slots handed out so far; everything behind is untouched.
    held
        int64 [1], slots of the blocks in use.
    """

    slots: npt.NDArray[np.uint32]
    heads: npt.NDArray[np.int64]
    top: npt.NDArray[np.int64]
    held: npt.NDArray[np.int64]


def new_arena(capacity: int) -> Arena:
    """Return an empty arena."""
    return Arena(
        slots=np.zeros(capacity, dtype=np.uint32),
        heads=np.full(CLASSES, NO_BLOCK, dtype=np.int64),
        top=np.zeros(1, dtype=np.int64),
        held=np.zeros(1, dtype=np.int64),
    )


def block_size(length: int) -> int:
    """Return the size of the block that holds `length` slots.

    Examples
    --------
    >>> [block_size(n) for n in (1, 4, 5, 128)]
    [4, 4, 8, 128]
    """
    return max(SMALLEST_BLOCK, 1 << (length - 1).bit_length())


def block_places(
    starts: npt.NDArray[np.integer[Any]], lengths: npt.NDArray[np.integer[Any]]
) -> npt.NDArray[np.int64]:
    """Return the slots of blocks, one block after another, int64 [sum of lengths].

    Parameters
    ----------
    starts, lengths
        Integers [n], the first slot of each block, and how many of its slots are meant.

    Examples
    --------
    >>> block_places(np.array([7, 0, 3]), np.array([2, 0, 1])).tolist()
    [7, 8, 3]
    """
    counts = lengths.astype(np.int64)
    shifts = starts.astype(np.int64) - (counts.cumsum() - counts)
    return np.arange(counts.sum(), dtype=np.int64) + np.repeat(shifts, counts)


@lean_kernel
def class_of(capacity: int | np.int64) -> int:
    """Return the free list of blocks with `capacity` slots."""
    number = 0
    while SMALLEST_BLOCK << number < capacity:
        number += 1
    return number


@lean_kernel
def block_capacity(block: int | np.uint8) -> int:
    """Return the slots of a block that is named by one more than its size's class; 0: of none.

    Examples
    --------
    >>> [block_capacity(n) for n in (0, 1, 2, 6)]
    [0, 4, 8, 128]
    """
    return 0 if block == 0 else SMALLEST_BLOCK << (int(block) - 1)


@lean_kernel
def allocate(arena: Arena, capacity: int | np.int64) -> int:
    """Return the first slot of a block of `capacity` (a block size); its content is arbitrary.

    The caller has made sure that ``len(slots) - top`` is at least `capacity`.
    """
    arena.held[0] += capacity
    number = class_of(capacity)
    start: int = arena.heads[number]
    if start == NO_BLOCK:
        start = arena.top[0]
        arena.top[0] += capacity
        return start
    low = np.int64(arena.slots[start])
    high = np.int64(arena.slots[start + 1])
    arena.heads[number] = ((high << _WORD_BITS) | low) - 1
    return start


@lean_kernel
def release(arena: Arena, start: int | np.int64, capacity: int | np.int64) -> None:
    """Give a block back."""
    arena.held[0] -= capacity
    number = class_of(capacity)
    follower = arena.heads[number] + 1
    arena.slots[start] = np.uint32(follower & _WORD_MASK)
    arena.slots[start + 1] = np.uint32(follower >> _WORD_BITS)
    arena.heads[number] = start

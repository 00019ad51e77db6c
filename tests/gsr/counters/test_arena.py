"""Blocks in one array."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.counters.arena import allocate, block_size, new_arena, release


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=200))
def test_blocks_never_overlap(steps: list[tuple[bool, int]]) -> None:
    """Whatever is taken and given back, nobody writes into another's block."""
    arena = new_arena(20_000)
    held: list[tuple[int, int, int]] = []
    for number, (give_back, length) in enumerate(steps, start=1):
        if give_back and held:
            start, capacity, mark = held.pop(length % len(held))
            assert np.all(arena.slots[start : start + capacity] == mark)
            release(arena, start, capacity)
        else:
            capacity = block_size(length)
            start = allocate(arena, capacity)
            arena.slots[start : start + capacity] = number
            held.append((start, capacity, number))
    for start, capacity, mark in held:
        assert np.all(arena.slots[start : start + capacity] == mark)


def test_blocks_are_used_again() -> None:
    """A block given back is the next one of its size."""
    arena = new_arena(100)
    first = allocate(arena, 8)
    release(arena, first, 8)
    assert allocate(arena, 4) != first
    assert allocate(arena, 8) == first
    assert int(arena.top[0]) == 12

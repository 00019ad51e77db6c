"""Blocks of clicks in one arena."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.counters.users.buffer_arena import (
    capacity_after,
    capacity_for,
    full_capacity,
    give_block,
    grown,
    new_buffer_arena,
    take_block,
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=100))
def test_blocks_never_overlap(steps: list[tuple[bool, int]]) -> None:
    """Whatever is taken and given back, nobody's clicks are written over; `held` adds up."""
    arena = new_buffer_arena(20_000)
    held: list[tuple[int, int, int]] = []
    for number, (give_back, length) in enumerate(steps, start=1):
        if give_back and held:
            start, capacity, mark = held.pop(length % len(held))
            assert np.all(arena.hashes[start : start + capacity] == mark)
            give_block(arena, start, capacity)
        else:
            capacity = capacity_for(length, 40)
            start = take_block(arena, capacity)
            arena.hashes[start : start + capacity] = number
            held.append((start, capacity, number))
    assert arena.held[0] == sum(capacity for _, capacity, _ in held)
    for start, capacity, mark in held:
        assert np.all(arena.hashes[start : start + capacity] == mark)


@pytest.mark.parametrize("buffer_length", [1, 3, 4, 5, 64, 4096])
def test_a_buffer_grows_by_steps_to_its_full_size(buffer_length: int) -> None:
    """A full buffer has half as much room again, so that it moves only now and then."""
    sizes = [0]
    while sizes[-1] < buffer_length:
        sizes.append(capacity_after(sizes[-1], buffer_length))
    assert sizes[-1] == full_capacity(buffer_length) > buffer_length
    assert all(small < large for small, large in itertools.pairwise(sizes))
    assert capacity_for(buffer_length, buffer_length) == sizes[-1]


def test_growing_keeps_clicks_and_free_blocks() -> None:
    """A larger arena is the same one with more room behind."""
    arena = new_buffer_arena(30)
    first = take_block(arena, 4)
    second = take_block(arena, 4)
    arena.times[second : second + 4] = 5.0
    give_block(arena, first, 4)
    larger = grown(arena, 100)
    assert larger.times[second : second + 4].tolist() == [5.0] * 4
    assert take_block(larger, 4) == first

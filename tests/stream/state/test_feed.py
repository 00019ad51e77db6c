"""The accepted feed's bytes and its cap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import StateCorruptError
from stream.state.feed import (
    CHUNK_ROWS,
    FeedChunk,
    FeedTail,
    decode_chunk,
    empty_chunk,
    encode_chunk,
)


def rows(user_ids: list[str], start: int = 0) -> FeedChunk:
    """Make rows of these users; the first one is a forget row."""
    n = len(user_ids)
    return FeedChunk(
        start,
        user_ids,
        np.arange(-1, n - 1, dtype=np.int64),
        np.linspace(-1e9, 1.7e9, n),
        np.arange(n, dtype=np.uint8),
        np.linspace(0, 1.7e9, n),
        np.arange(n, dtype=np.int64) * 2**40,
    )


@given(st.lists(st.text(min_size=1, max_size=40), max_size=50), st.integers(0, 2**60))
def test_round_trip(user_ids: list[str], start: int) -> None:
    """Any user id, any number of rows."""
    chunk = rows(user_ids, start)
    again = decode_chunk(start, encode_chunk(chunk))
    assert (again.start, again.user_ids) == (start, user_ids)
    for name in ("items", "times", "events", "append_times", "offsets"):
        mine, other = getattr(chunk, name), getattr(again, name)
        assert mine.dtype == other.dtype
        assert np.array_equal(mine, other)


@pytest.mark.parametrize("cut", [1, 30, 60])
def test_cut_bytes_are_noticed(cut: int) -> None:
    """A chunk that lost its end is not read as a shorter one."""
    value = encode_chunk(rows(["a", "b", "c"]))
    with pytest.raises(StateCorruptError, match="Chunk 7"):
        decode_chunk(7, value[:-cut])


@pytest.mark.parametrize("cap_chunks", [0, 1, 3])
@pytest.mark.parametrize("portion", [100, 1024, 5000])
def test_the_cap_does_not_depend_on_flushes(cap_chunks: int, portion: int) -> None:
    """The newest full chunks that fit stay, whenever somebody asks what to write."""
    size = len(encode_chunk(rows([f"user-{i:06d}" for i in range(CHUNK_ROWS)])))
    tail = FeedTail(cap_chunks * size, 0, 0, [], empty_chunk(0))
    written: dict[int, bytes] = {}
    for start in range(0, 10_000, portion):
        stop = min(start + portion, 10_000)
        tail.append(rows([f"user-{i:06d}" for i in range(start, stop)]))
        changes = tail.changes()
        for first in changes.dropped:
            written.pop(first, None)
        written.update(changes.chunks)
    full = 10_000 // CHUNK_ROWS
    assert sorted(written) == [n * CHUNK_ROWS for n in range(full - cap_chunks, full + 1)]
    assert tail.start == tail.dropped == (full - cap_chunks) * CHUNK_ROWS
    assert tail.stop == 10_000

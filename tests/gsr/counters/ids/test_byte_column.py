"""A column of byte strings reads like the list that it was made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsr.counters.ids.byte_column import ByteColumn

ENTRIES = st.lists(st.none() | st.binary(max_size=12), max_size=20)


@given(ENTRIES, st.slices(20))
def test_a_column_reads_like_its_list(entries: list[bytes | None], part: slice) -> None:
    """Length, entries from both ends, iteration, slices and equality."""
    column = ByteColumn.of(entries)
    assert len(column) == len(entries)
    assert [column[i] for i in range(len(entries))] == entries
    assert [column[-1 - i] for i in range(len(entries))] == entries[::-1]
    assert list(column) == entries
    assert column == entries
    assert column[part] == entries[part]
    assert column.nbytes == sum(len(entry) for entry in entries if entry is not None)


@given(ENTRIES)
def test_the_arrays_say_the_same(entries: list[bytes | None]) -> None:
    """Kernels read starts, lengths and data."""
    column = ByteColumn.of(entries)
    assert column.lengths.tolist() == [-1 if e is None else len(e) for e in entries]
    read = [
        None if length < 0 else bytes(column.data[start : start + length])
        for start, length in zip(column.starts, column.lengths, strict=True)
    ]
    assert read == entries
    kinds = [array.dtype.str for array in (column.data, column.starts, column.lengths)]
    assert kinds == ["|u1", "<i8", "<i8"]


def test_a_slice_shares_the_bytes() -> None:
    column = ByteColumn.of([b"a", b"bc", None, b"d"])
    part = column[1:3]
    assert part.data is column.data
    assert list(part) == [b"bc", None]


@given(st.lists(ENTRIES, max_size=4), st.slices(20))
def test_joined_columns_follow_each_other(lists: list[list[bytes | None]], part: slice) -> None:
    """Each of a buffer of its own, or slices of one."""
    columns = [ByteColumn.of(entries)[part] for entries in lists]
    expected = [entry for entries in lists for entry in entries[part]]
    assert ByteColumn.joined(columns) == expected
    whole = ByteColumn.of(expected)
    halves = [whole[: len(whole) // 2], whole[len(whole) // 2 :]]
    assert ByteColumn.joined(halves) == expected
    assert ByteColumn.joined(halves).data is whole.data


def test_joining_copies_only_what_is_used() -> None:
    large = ByteColumn.of([b"x" * 1000, b"y"])
    assert len(ByteColumn.joined([large[1:], ByteColumn.of([b"z"])]).data) == 2


def test_a_column_of_a_column_is_itself() -> None:
    column = ByteColumn.of([b"a"])
    assert ByteColumn.of(column) is column


def test_entries_may_lie_anywhere() -> None:
    """Equality is of the entries, not of how they are laid out."""
    data = np.frombuffer(b"..bb..a", np.uint8)
    column = ByteColumn(data, np.array([6, 0, 2]), np.array([1, -1, 2]))
    assert column == ByteColumn.of([b"a", None, b"bb"])
    assert column != ByteColumn.of([b"a", b"", b"bb"])
    assert column != [b"a", None]
    assert column != b"a"


def test_an_index_past_the_end_is_refused() -> None:
    column = ByteColumn.of([b"a"])
    with pytest.raises(IndexError):
        column[1]
    with pytest.raises(IndexError):
        column[-2]


def test_a_column_cannot_be_written_or_hashed() -> None:
    column = ByteColumn.of([b"a"])
    with pytest.raises(ValueError, match="read-only"):
        column.data[0] = 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(column)


def test_starts_and_lengths_must_match() -> None:
    with pytest.raises(ValueError, match="2 starts and 1 lengths"):
        ByteColumn(np.zeros(0, np.uint8), np.zeros(2, np.int64), np.zeros(1, np.int64))

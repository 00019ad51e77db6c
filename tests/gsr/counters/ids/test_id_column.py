"""Ids in one buffer: they read like a list, and know their hashes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest

from gsr.counters.ids.id_column import IdColumn, join_ids

IDS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), max_size=8)


@settings(deadline=None)  # the first kernel of a process takes longer to load
@given(IDS)
def test_reads_like_a_list(ids: list[str]) -> None:
    """Entries, slices, rows and copies say what the list says."""
    column = IdColumn.of(ids)
    assert column == ids
    assert list(column) == ids
    assert [column[row] for row in range(len(ids))] == ids
    assert column[1:3] == ids[1:3]
    assert column.rows(np.arange(len(ids))[::-1]) == ids[::-1]
    assert column.compact() == ids
    assert join_ids([column, column[:2]]) == ids + ids[:2]
    assert column.nbytes == sum(len(text.encode()) for text in ids)


@settings(deadline=None)  # the first kernel of a process takes longer to load
@given(IDS)
def test_knows_the_hashes(ids: list[str]) -> None:
    """Every id has its XXH3-64, also past what the kernel hashes."""
    hashes = [xxh3_64_intdigest(text.encode()) for text in ids]
    assert IdColumn.of(ids).hashes.tolist() == hashes
    assert IdColumn.of(ids)[1:].hashes.tolist() == hashes[1:]


def test_a_column_stays_one() -> None:
    """`of` copies nothing that is a column already, and an empty one is one."""
    column = IdColumn.of(["a"])
    assert IdColumn.of(column) is column
    assert list(IdColumn.of([])) == []
    with pytest.raises(TypeError, match="unhashable"):
        hash(column)

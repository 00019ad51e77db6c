"""A batch of clicks: rows and ranges of it keep every column."""

from dataclasses import fields

import numpy as np
import pytest

from gsr.counters.click_batch import ClickBatch
from gsr.counters.ids.id_column import IdColumn


def batch_of(count: int) -> ClickBatch:
    """Return clicks whose columns all differ by row."""
    numbers = np.arange(count)
    return ClickBatch(
        user_ids=[f"u{n}" for n in numbers],
        item_ids=[f"i{n}" for n in numbers],
        times=numbers.astype(np.float64),
        events=numbers.astype(np.uint8),
        hashes=numbers.astype(np.uint64) + np.uint64(7),
        forget=numbers % 2 == 1,
        offsets=numbers + 100,
        append_times=numbers.astype(np.float64) + 0.75,
    )


def rows_of(batch: ClickBatch) -> list[tuple[object, ...]]:
    """Return the clicks one by one."""
    columns = [list(getattr(batch, field.name)) for field in fields(batch)]
    return list(zip(*columns, strict=True))


def test_picked_rows_keep_every_column() -> None:
    """Rows move whole, in the order that was asked for."""
    batch = batch_of(5)
    whole = rows_of(batch)
    assert rows_of(batch.rows(np.array([4, 1]))) == [whole[4], whole[1]]
    assert isinstance(batch.rows(np.array([4, 1])).item_ids, IdColumn)


@pytest.mark.parametrize(("start", "stop"), [(0, 5), (1, 3), (2, 9), (3, 3)])
def test_a_slice_is_a_range_of_rows(start: int, stop: int) -> None:
    """Past the end there is nothing, as with a list."""
    batch = batch_of(5)
    assert rows_of(batch.slice(start, stop)) == rows_of(batch)[start:stop]


@pytest.mark.parametrize(("row", "lengths"), [(0, [5]), (2, [2, 3]), (5, [5]), (-3, [5]), (9, [5])])
def test_a_batch_is_split_only_inside(row: int, lengths: list[int]) -> None:
    """A cut at or past an end leaves the batch whole."""
    batch = batch_of(5)
    parts = batch.split(row)
    assert [len(part) for part in parts] == lengths
    assert [click for part in parts for click in rows_of(part)] == rows_of(batch)

"""Columns side by side in records."""

import numpy as np
import pytest

from gsr.counters.cache_lines import LINE_BYTES, copy_columns, new_records


@pytest.mark.parametrize("width", [1, 8, 9])
def test_every_record_begins_a_cache_line(width: int) -> None:
    """So that one wait for memory brings all of it, or as few as can be."""
    records = new_records(5, ("values", np.int64, (width,)), ("flag", np.uint8))
    assert records["values"].shape == (5, width)
    assert records.strides[0] % LINE_BYTES == 0
    assert records["values"].ctypes.data % LINE_BYTES == 0
    assert not records["flag"].any()


def test_columns_grow_by_copying() -> None:
    """What is behind the old rows stays as it was made."""
    small, large = (np.arange(3), np.ones(3)), (np.full(5, -1), np.zeros(5))
    copy_columns(small, large)
    assert large[0].tolist() == [0, 1, 2, -1, -1]
    assert large[1].tolist() == [1, 1, 1, 0, 0]

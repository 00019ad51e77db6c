"""Batches of events, cut to size."""

import numpy as np
import pytest

from consumers.roles.trainer.event_rows import cut, pick_clicks, split_clicks
from stream.events.clicks.click import EventColumns, EventRules
from stream.events.clicks.from_events import to_click_batch


def events(start: int, count: int) -> EventColumns:
    numbers = range(start, start + count)
    return EventColumns(
        [f"u{n}" for n in numbers],
        [f"i{n}" for n in numbers],
        np.array(numbers, dtype=np.float64),
        [None] * count,
        [None] * count,
    )


@pytest.mark.parametrize("sizes", [[10], [1] * 10, [3, 4, 3], [7, 3]])
@pytest.mark.parametrize(
    ("rows", "limit", "expected"),
    [
        (4, None, [4, 4, 2]),
        (10, None, [10]),
        (25, None, [10]),
        (4, 6, [4, 2]),
        (4, 8, [4, 4]),
        (4, 100, [4, 4, 2]),
        (3, 1, [1]),
    ],
)
def test_cuts_do_not_depend_on_how_events_came(
    sizes: list[int], rows: int, limit: int | None, expected: list[int]
) -> None:
    """Whatever the file's batches, cycles are equally long and in order."""
    starts = np.cumsum([0, *sizes])[:-1].tolist()
    pieces = list(cut((events(a, n) for a, n in zip(starts, sizes, strict=True)), rows, limit))
    assert [len(piece) for piece in pieces] == expected
    assert [u for p in pieces for u in p.user_ids] == [f"u{n}" for n in range(sum(expected))]
    assert np.concatenate([p.times for p in pieces]).tolist() == list(range(sum(expected)))


@pytest.mark.parametrize(("row", "lengths"), [(0, [5]), (2, [2, 3]), (5, [5]), (-3, [5]), (9, [5])])
def test_a_batch_is_split_only_inside(row: int, lengths: list[int]) -> None:
    """A cut at or past an end leaves the batch whole."""
    batch = to_click_batch(events(0, 5), EventRules(), 100)
    parts = split_clicks(batch, row)
    assert [len(part) for part in parts] == lengths
    assert np.concatenate([part.offsets for part in parts]).tolist() == [*range(100, 105)]


def test_picked_clicks_keep_every_column() -> None:
    """Rows move whole."""
    batch = to_click_batch(events(0, 5), EventRules(), 0)
    picked = pick_clicks(batch, np.array([4, 1]))
    assert picked.user_ids == ["u4", "u1"]
    assert picked.item_ids == ["i4", "i1"]
    assert picked.times.tolist() == [4.0, 1.0]
    assert picked.hashes.tolist() == batch.hashes[[4, 1]].tolist()

"""History as a stream: the first events by time, a cycle at a time."""

import math
from pathlib import Path

import numpy as np
import pytest

from consumers.offline.click_history import (
    ClickHistory,
    ClickHistoryOptions,
    cut,
    window_seconds,
)
from consumers.runtime.progress import quiet
from stream.errors import EventFileError
from stream.events.clicks.event_columns import EventColumns
from stream.events.files.reading import FileSummary


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


@pytest.mark.parametrize(
    ("days", "expected"), [(0.0, 60.0), (6.0, 3600.0), (215.0, 7 * 86_400.0), (4424, 30 * 86_400)]
)
def test_windows_follow_the_length_of_the_stream(days: float, expected: float) -> None:
    """A report has at most 200 windows of a usual length."""
    assert window_seconds(FileSummary(2, 0.0, days * 86_400.0, True)) == expected


def test_clicks_come_by_time_a_cycle_at_a_time(tmp_path: Path) -> None:
    """Whatever the order of the file; offsets count up from where they are told to."""
    times = [5, 1, 4, 2, 3]
    rows = "".join(f"u{time},i{time},{time}\n" for time in times)
    (tmp_path / "clicks.csv").write_text("user_id,item_id,timestamp\n" + rows)
    options = ClickHistoryOptions(events=tmp_path / "clicks.csv", cycle_clicks=2, limit=3)
    history = ClickHistory.look_through(options, quiet, math.inf)
    assert (history.events, history.window_seconds) == (3, 60.0)
    batches = list(history.batches(first_offset=-3))
    assert [batch.times.tolist() for batch in batches] == [[1.0, 2.0], [3.0]]
    assert [batch.offsets.tolist() for batch in batches] == [[-3, -2], [-1]]
    assert [list(batch.item_ids) for batch in batches] == [["i1", "i2"], ["i3"]]


def test_a_file_of_bad_rows_alone_is_refused(tmp_path: Path) -> None:
    """The error counts what was skipped."""
    (tmp_path / "clicks.csv").write_text("user_id,item_id,timestamp\nu1,i1,never\n")
    options = ClickHistoryOptions(events=tmp_path / "clicks.csv", on_bad="skip")
    with pytest.raises(
        EventFileError, match=r"all 1 rows are bad, the first: .*: nothing to learn from"
    ):
        ClickHistory.look_through(options, quiet, math.inf)

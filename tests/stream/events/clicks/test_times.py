"""Which times of clicks are acceptable, on the topic and in a file."""

from pathlib import Path

import numpy as np
import pytest

from stream.errors import EventFileError
from stream.events.clicks.bad_record import Fault
from stream.events.clicks.click import EventColumns, EventRules
from stream.events.clicks.times import FUTURE, GOOD, TOO_OLD, judge_times, refuse_future
from stream.events.files.reading import EventFile

NOW = 1_700_000_000.0
HEADER = "user_id,item_id,timestamp\n"


def test_each_click_is_judged_by_its_own_append_time() -> None:
    """The limits lie on both sides of it, and a forget row, which has no time, passes."""
    times = np.array([NOW + 300, NOW + 301, NOW - 50, NOW - 51, 0.0])
    append_times = np.full(5, NOW)
    forget = np.array([False, False, False, False, True])
    found = judge_times(times, append_times, forget, EventRules(max_age_seconds=50.0))
    assert found.tolist() == [GOOD, FUTURE, GOOD, TOO_OLD, GOOD]
    later = judge_times(times, append_times + 100, forget, EventRules())
    assert later.tolist() == [GOOD] * 5


def test_rows_in_the_future_leave_a_files_events() -> None:
    """They are counted by their row in the file, beside those that were bad already."""
    times = np.array([NOW, NOW + 301.0, NOW + 86_400 * 3])
    events = EventColumns(["a", "b", "c"], ["i"] * 3, times, [None] * 3, [None] * 3)
    faults = {1: Fault("id_length", "bad")}
    kept = refuse_future(events, faults, NOW, 300.0)
    assert kept.user_ids == ["a"]
    assert kept.times.tolist() == [NOW]
    assert {row: fault.reason for row, fault in faults.items()} == {
        1: "id_length",
        2: "future",
        3: "future",
    }
    assert "301 seconds past" in faults[2].detail
    assert "3 days past" in faults[3].detail


def test_a_row_of_a_later_year_is_a_bad_row(tmp_path: Path) -> None:
    """It is named by its line, after all good rows before it; or skipped and counted."""
    path = tmp_path / "c.csv"
    path.write_text(f"{HEADER}a,i,{NOW:.0f}\nb,i,2122867355\nc,i,{NOW + 200:.0f}\n")
    read = EventFile(path, now=lambda: NOW).read()
    assert next(read).user_ids == ["a"]
    with pytest.raises(EventFileError, match=r"line 3: .*2037-04-09.*machine's clock.*--skip-bad"):
        next(read)
    file = EventFile(path, now=lambda: NOW, on_bad="skip")
    assert [events.user_ids for events in file.read()] == [["a", "c"]]
    assert file.skipped == {"future": 1}
    assert file.scan().last_time == NOW + 200


def test_the_limit_moves_with_the_clock(tmp_path: Path) -> None:
    """A stream that is read for long is judged by the time of each reading."""
    path = tmp_path / "c.csv"
    path.write_text(f"{HEADER}a,i,{NOW:.0f}\nb,i,{NOW + 1000:.0f}\n")
    clock = iter([NOW, NOW + 1000])
    file = EventFile(path, now=lambda: next(clock), batch_rows=1)
    assert sum(len(events) for events in file.read()) == 2


def test_all_rows_before_a_bad_one_are_read(tmp_path: Path) -> None:
    """The error comes after them, wherever in a batch the bad row stands."""
    path = tmp_path / "c.csv"
    path.write_text(HEADER + "a,i,1\nb,i,2\nc,,3\nd,i,4\n")
    for batch_rows in (1, 2, 3, 10):
        seen: list[str] = []
        read = EventFile(path, batch_rows=batch_rows).read()
        with pytest.raises(EventFileError, match="line 4"):
            seen.extend(user for events in read for user in events.user_ids)
        assert seen == ["a", "b"]

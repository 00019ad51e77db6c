"""Which times of clicks are acceptable, on the topic and in a file."""

import numpy as np

from stream.events.clicks.bad_record import Fault
from stream.events.clicks.event_columns import EventColumns
from stream.events.clicks.rules import EventRules
from stream.events.clicks.time_limits import FUTURE, GOOD, TOO_OLD, judge_times, refuse_future

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

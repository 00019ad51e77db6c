"""Progress of a long run, with its speed."""

from consumers.runtime.progress import Progress, TimedProgress
from stream.clock import ManualClock


def test_speed_and_time_left_follow_from_the_last_seconds() -> None:
    """The rest takes as long per event as the last ones did."""
    told: list[Progress] = []
    clock = ManualClock()
    timed = TimedProgress(told.append, clock, total=400)
    clock.sleep(2.0)
    timed.tell("learning", 100, "HR@20 0.123")
    assert told == [
        Progress(
            stage="learning",
            done=100,
            total=400,
            events_per_second=50.0,
            seconds_left=6.0,
            note="HR@20 0.123",
        )
    ]


def test_nothing_is_foretold_without_a_speed() -> None:
    """Before anything is done."""
    told: list[Progress] = []
    TimedProgress(told.append, ManualClock(), total=400).tell("learning", 0)
    assert (told[0].events_per_second, told[0].seconds_left) == (0.0, None)

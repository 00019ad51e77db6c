"""Silence is looked into after a while, and a client that is stuck is told from an idle topic."""

from stream.clock import ManualClock
from stream.log.kafka.reading.silence import SilenceWatch


def test_a_question_is_due_after_patience_and_until_it_is_answered() -> None:
    clock = ManualClock()
    watch = SilenceWatch(clock, 10.0)
    clock.sleep(9.9)
    assert not watch.is_due({0: 5})
    clock.sleep(0.1)
    assert watch.is_due({0: 5})
    assert watch.is_due({0: 5})
    assert not watch.is_due({})  # nothing is read
    watch.is_stalled({0: 5}, behind=[])
    assert not watch.is_due({0: 5})


def test_records_end_the_silence() -> None:
    clock = ManualClock()
    watch = SilenceWatch(clock, 10.0)
    clock.sleep(10.0)
    watch.heard()
    assert not watch.is_due({0: 5})


def test_only_who_stays_behind_at_one_place_is_stuck() -> None:
    """In three answers after the first; then it is counted anew."""
    watch = SilenceWatch(ManualClock(), 10.0)
    assert [watch.is_stalled({0: 5}, behind=[0]) for _ in range(7)] == [
        False,
        False,
        False,
        True,
        False,
        False,
        True,
    ]


def test_who_moves_or_is_at_the_end_is_not_stuck() -> None:
    watch = SilenceWatch(ManualClock(), 10.0)
    assert not any(watch.is_stalled({0: at}, behind=[0]) for at in range(9))
    assert not any(watch.is_stalled({0: 9}, behind=[]) for _ in range(9))

"""Signals end work between its steps."""

import itertools
import os
import signal

import pytest

from consumers.runtime.interruption import Interruption


def test_a_signal_ends_work_at_once() -> None:
    """Outside of a held step nothing is waited for."""
    interruption = Interruption()
    with pytest.raises(KeyboardInterrupt), interruption.caught():
        os.kill(os.getpid(), signal.SIGINT)
    assert interruption.stop.is_set()


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_held_step_ends_first(number: int, kind: type[BaseException]) -> None:
    """The work goes on to the end of the step and is ended there."""
    interruption, steps = Interruption(), []

    def work() -> None:
        with interruption.caught():
            with interruption.held():
                os.kill(os.getpid(), number)
                steps.append("whole")
            interruption.end()

    with pytest.raises(kind) as ended:
        work()
    assert steps == ["whole"]
    if isinstance(ended.value, SystemExit):
        assert ended.value.code == 143


def test_a_second_signal_ends_a_step_that_hangs() -> None:
    """Whoever asks twice does not want to wait."""
    interruption, endless = Interruption(), itertools.count()

    def work() -> None:
        with interruption.caught(), interruption.held():
            for _step in endless:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert next(endless) == 2


def test_nothing_ends_what_nobody_asked_to_end() -> None:
    """And the handlers of before are back."""
    before = signal.getsignal(signal.SIGINT)
    interruption = Interruption()
    with interruption.caught():
        interruption.end()
    assert signal.getsignal(signal.SIGINT) is before

"""Signals end work between its steps."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from consumers.runtime.interruption import PATIENCE_SECONDS, Interruption


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


DEADLOCK = """
import ctypes, threading
from consumers.runtime.interruption import Interruption

def hang():
    mutex = ctypes.create_string_buffer(256)
    lock = ctypes.CDLL(None).pthread_mutex_lock
    lock(mutex)
    threading.Timer(1.0, lambda: print("up", flush=True)).start()
    lock(mutex)

interruption = Interruption()
with interruption.caught():
"""
"""Has a function that no signal brings back to Python, as a compiler does not come back for long;
it says that the program is up once it is in there."""


@contextmanager
def started(body: str) -> "Iterator[subprocess.Popen[str]]":
    """Start a program that is up once it has printed a line; it does not outlive the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", DEADLOCK + body],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_compiled_code_does_not_hold_a_signal_up(number: signal.Signals, code: int) -> None:
    """Where Python cannot raise anything, the process exits all the same, with the same code."""
    with started("    hang()\n") as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE_SECONDS + 10)
    assert (process.returncode, said) == (code, "interrupted\n")


def test_a_second_signal_ends_a_held_step_in_compiled_code() -> None:
    """The first one waits for the step, for as long as that takes."""
    with started("    with interruption.held(): hang()\n") as process:
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(PATIENCE_SECONDS + 1)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE_SECONDS + 10)
    assert (process.returncode, said) == (143, "interrupted\n")


def test_an_ending_that_is_swallowed_is_asked_for_twice() -> None:
    """What is raised where Python ignores exceptions is lost; the second signal is not."""
    swallowing = (
        "    while True:\n"
        "        try:\n"
        "            print('up', flush=True)\n"
        "            while True: pass\n"
        "        except BaseException: print('swallowed', flush=True)\n"
    )
    with started(swallowing) as process:
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stdout.readline() == "swallowed\n"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_SECONDS + 10)
    assert process.returncode == 143

"""Handling of signals; Ctrl-C and SIGTERM may have to wait for the end of a step."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

from consumers.exit_codes import INTERRUPTED_EXIT_CODE, TERMINATED_EXIT_CODE

PATIENCE_SECONDS: Final = 3.0
"""A main thread that has not answered a signal after so long is in compiled code, or hangs."""

_EXIT_CODES: Final[Mapping[int, int]] = {
    signal.SIGINT: INTERRUPTED_EXIT_CODE,
    signal.SIGTERM: TERMINATED_EXIT_CODE,
}
_SHOW_CURSOR: Final = b"\x1b[?25h"


@contextmanager
def signals_handled(
    numbers: Sequence[int], handle: Callable[[int, FrameType | None], None]
) -> Iterator[None]:
    """Have `handle` called for signals while the block runs; main thread only."""
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Interruption:
    """Ends work at once when a signal comes, but not in the middle of a held step.

    Ctrl-C ends it by `KeyboardInterrupt`, SIGTERM by `SystemExit` with the code 143. A second
    signal ends a held step too: it may hang.

    Python raises these between two of its own steps, and a compiler may not come to one for
    minutes. So a thread looks on: where a signal that is to end the work at once has not been
    answered within `PATIENCE_SECONDS`, or a second one has not ended it, the process exits on the
    spot with the same codes, as if killed, and tidies nothing up.

    Attributes
    ----------
    stop
        Set once the work is to end; others may set it.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._signal: int = signal.SIGTERM
        self._holding = False
        self._answered = threading.Event()
        self._left = threading.Event()

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM over while the block runs; main thread only."""
        with signals_handled(tuple(_EXIT_CODES), self._handle), self._looked_on():
            yield

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let the block end before a signal takes effect: look at `stop` behind it."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False

    def end(self) -> None:
        """End the work as the signal asked, if it is to end."""
        if not self.stop.is_set():
            return
        self._answered.set()
        if self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(TERMINATED_EXIT_CODE)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number
        waits = self._holding and not self.stop.is_set()
        self.stop.set()
        if not waits:
            self.end()

    @contextmanager
    def _looked_on(self) -> Iterator[None]:
        """Have a thread see each signal as it comes, whatever the main thread is busy with."""
        reading, writing = os.pipe()
        os.set_blocking(writing, False)  # as `set_wakeup_fd` wants it
        thread = threading.Thread(
            target=self._look_on, args=(reading,), name="signals", daemon=True
        )
        before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        thread.start()
        try:
            yield
        finally:
            for over in (self._answered, self._left):
                over.set()
            signal.set_wakeup_fd(before)
            os.close(writing)
            thread.join()
            os.close(reading)

    def _look_on(self, reading: int) -> None:
        """Exit where a signal that is to end the work does not; each comes as one byte."""
        asked = 0
        while number := os.read(reading, 1):
            code = _EXIT_CODES.get(number[0])
            if code is None:
                continue
            asked += 1
            if asked == 1 and self._holding:
                continue
            ended = self._answered if asked == 1 else self._left
            if not ended.wait(PATIENCE_SECONDS):
                _exit_now(code)


def _exit_now(code: int) -> None:
    """End the process, although its main thread does not come round."""
    if sys.__stderr__ is not None and sys.__stderr__.isatty():
        os.write(2, _SHOW_CURSOR)  # a progress bar hides it
    os.write(2, b"interrupted\n")  # not through sys.stderr, which the main thread may have locked
    os._exit(code)

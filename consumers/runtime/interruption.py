"""Handling of signals; Ctrl-C and SIGTERM may have to wait for the end of a step."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from consumers.exit_codes import TERMINATED_EXIT_CODE


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

    Attributes
    ----------
    stop
        Set once the work is to end; others may set it.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._signal: int = signal.SIGTERM
        self._holding = False

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM over while the block runs."""
        with signals_handled((signal.SIGINT, signal.SIGTERM), self._handle):
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
        if self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(TERMINATED_EXIT_CODE)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number
        waits = self._holding and not self.stop.is_set()
        self.stop.set()
        if not waits:
            self.end()

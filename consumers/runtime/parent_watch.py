"""Notices that the supervisor is gone, so that kill -9 of `gsr run` leaves nothing running."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

SUPERVISOR_VARIABLE: Final = "GSR_SUPERVISOR_PID"
"""Names the process whose death ends this one."""

_LOOK_SECONDS: Final = 1.0


@contextmanager
def parent_watched(orphaned: Callable[[threading.Event], None]) -> Iterator[None]:
    """Call `orphaned` once, on another thread, if the supervisor dies while the block runs.

    Parameters
    ----------
    orphaned
        Is given an event that is set when the block ends.
    """
    supervisor = os.environ.get(SUPERVISOR_VARIABLE, "")
    if not supervisor.isdecimal():
        yield
        return
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_LOOK_SECONDS):
            if os.getppid() != int(supervisor):
                orphaned(done)
                return

    thread = threading.Thread(target=watch, name="parent-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()

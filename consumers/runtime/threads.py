"""The limit on the threads of numerical libraries, and processes that let others go first."""

import contextlib
import os
import sys
from typing import Final

from threadpoolctl import threadpool_limits

VARIABLE: Final = "OMP_NUM_THREADS"
"""All numerical libraries read it, once, when they are loaded."""


def limit_threads(threads: int) -> None:
    """Let numerical libraries use so many threads; what the environment says comes before that.

    Matrices are small here, and more threads only spin. It holds for the whole process, for
    libraries that are loaded already or later, and for child processes: commands call it, once.
    """
    if os.environ.get(VARIABLE):
        return
    os.environ[VARIABLE] = str(threads)
    threadpool_limits(threads)


def step_back(niceness: int) -> None:
    """Let other processes go first where processors are short: this one, and threads to come.

    It takes its share, smaller the nicer it is, but interrupts nobody who is answering when it
    wakes up. Where it was started with another policy than the usual one, that one stays.
    """
    if sys.platform == "linux" and os.sched_getscheduler(0) == os.SCHED_OTHER:
        with contextlib.suppress(PermissionError):  # a sandbox may forbid it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.nice(niceness)

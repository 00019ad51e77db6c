"""The limit on the threads of numerical libraries."""

import os
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

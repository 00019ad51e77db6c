"""The one way in which this package compiles a kernel."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` with numba, cached on disk, releasing the interpreter lock.

    Fast-math stays off: state must be bit-equal wherever it is computed.
    """
    compiled: Callable[P, R] = numba.njit(cache=True, nogil=True)(function)
    return compiled


def lean_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that never allocates, without numba's reference counts.

    Kernels that hand structures of many arrays to each other spend most of their time counting
    references. Without them, anything that would allocate is refused by the compiler, and arrays
    are only safe while the caller holds them.
    """
    compiled: Callable[P, R] = numba.njit(cache=True, nogil=True, _nrt=False)(function)
    return compiled

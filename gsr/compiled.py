"""The one way in which this package compiles a kernel."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` with numba, cached on disk, releasing the interpreter lock.

    Fast-math stays off: ranks must not depend on the order of additions.
    """
    compiled: Callable[P, R] = numba.njit(cache=True, nogil=True)(function)
    return compiled


def relaxed_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` like `kernel`, but let additions be reordered to use vector units.

    For learning only, where gradients carry more noise than rounding does.
    """
    compiled: Callable[P, R] = numba.njit(
        cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"}
    )(function)
    return compiled

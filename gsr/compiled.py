"""Compilation of kernels with numba."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba
import numba.core.event
import numba.extending

from gsr.compiling import tell_compiling
from gsr.kernel_cache import cache_directory

P = ParamSpec("P")
R = TypeVar("R")


class _CompilingHeard:
    """Hears of each compilation, but not of kernels that are loaded from the cache."""

    def notify(self, event: Any) -> None:
        tell_compiling(begins=event.is_start)


def _listen() -> None:
    events: Any = numba.core.event
    events.Listener.register(_CompilingHeard)
    events.register("numba:compile", _CompilingHeard())


def _compile(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    settings: Any = numba.config  # numba fills it from the environment, so it has no types
    jit: Any = numba.njit
    chosen = settings.CACHE_DIR
    settings.CACHE_DIR = chosen or cache_directory()
    try:
        # Looking for divisions by zero, as Python does, would keep loops from vector units.
        compiled: Callable[P, R] = jit(cache=True, nogil=True, error_model="numpy", **options)(
            function
        )
    finally:
        settings.CACHE_DIR = chosen
    return compiled


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` with numba, cached on disk, releasing the interpreter lock.

    Fast-math stays off: state and ranks must be bit-equal wherever they are computed. A division
    by zero raises nothing: it gives infinity or NaN, and of integers 0.
    """
    return _compile(function)


def shared_function(function: Callable[P, R]) -> Callable[P, R]:
    """Let kernels call a function that runs uncompiled where it is called from anywhere else."""
    share: Any = numba.extending.register_jitable
    shared: Callable[P, R] = share(function)
    return shared


def relaxed_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` like `kernel`, but let additions be reordered to use vector units.

    For learning, where gradients carry more noise than rounding does, for learned vectors, and for
    sums whose rounding is allowed for.
    """
    return _compile(function, fastmath={"reassoc", "contract", "nsz"})


def lean_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that never allocates, without numba's reference counts.

    Kernels that hand structures of many arrays to each other spend most of their time counting
    references. Without them, anything that would allocate is refused by the compiler, and arrays
    are only safe while the caller holds them.
    """
    return _compile(function, _nrt=False)


def inner_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a lean kernel that is put in place wherever another one calls it.

    A call hands over every array by its seven fields: many arrays cost more than a short kernel.
    """
    return _compile(function, _nrt=False, inline="always")


_listen()

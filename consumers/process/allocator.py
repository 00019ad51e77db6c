"""How the C library's allocator keeps memory, so that a process that runs for weeks stays flat.

With glibc's defaults every thread gets a heap of its own, and arrays of up to 32 MiB end up between
small objects that outlive them: the holes are never given back, and a role's memory grows for
hours. On other C libraries nothing is changed.
"""

import ctypes
import sys
from collections.abc import Callable
from typing import Final

MMAP_THRESHOLD: Final = 2 * 1024 * 1024
"""Blocks of this many bytes and more come from the kernel, and go straight back to it."""

MOST_ARENAS: Final = 2
RETURN_SECONDS: Final = 30.0
"""How often a role gives its free pages back."""

_M_MMAP_THRESHOLD: Final = -3  # malloc.h
_M_ARENA_MAX: Final = -8


def settle_allocator() -> bool:
    """Fix glibc's thresholds; call before threads are started. False where there is no glibc."""
    mallopt = _glibc("mallopt")
    if mallopt is None:
        return False
    return bool(mallopt(_M_ARENA_MAX, MOST_ARENAS) and mallopt(_M_MMAP_THRESHOLD, MMAP_THRESHOLD))


def return_memory() -> bool:
    """Give free pages back to the kernel; True where there were any."""
    trim = _glibc("malloc_trim")
    return trim is not None and bool(trim(ctypes.c_size_t(0)))


def _glibc(name: str) -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found

"""Settings of the C library's allocator that keep a long-running process's memory flat.

With glibc's defaults every thread gets a heap of its own, and arrays of up to 32 MiB end up between
small objects that outlive them: the holes are never given back, and a role's memory grows for
hours. Fetching every large array from the kernel instead would keep memory flat too, but at the
price of page faults. So heaps are few, large arrays are recycled within them, and from time to time
all free pages go back. On other C libraries nothing is changed.
"""

import ctypes
import gc
import sys
from collections.abc import Callable
from typing import Final

RECYCLED_BYTES: Final = 32 * 1024 * 1024
"""Blocks of up to this many bytes are recycled, larger ones come from the kernel (glibc's most)."""

KEPT_BYTES: Final = 256 * 1024 * 1024
"""Free memory at the end of a heap that stays there until the next `return_memory`."""

MOST_ARENAS: Final = 2
RETURN_SECONDS: Final = 30.0
"""How often a role gives its free pages back."""

_M_TRIM_THRESHOLD: Final = -1  # malloc.h
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8


def settle_allocator() -> bool:
    """Fix glibc's thresholds; call before threads are started. False where there is no glibc."""
    mallopt = _glibc("mallopt")
    if mallopt is None:
        return False
    wanted = {
        _M_ARENA_MAX: MOST_ARENAS,
        _M_MMAP_THRESHOLD: RECYCLED_BYTES,
        _M_TRIM_THRESHOLD: KEPT_BYTES,
    }
    return all(mallopt(name, value) for name, value in wanted.items())


def return_memory() -> bool:
    """Give free pages back to the kernel; True where there were any.

    Garbage that only the collector finds goes first: few small objects, so that it seldom runs, but
    they may hold what a broker has answered, a megabyte each.
    """
    gc.collect()
    trim = _glibc("malloc_trim")
    return trim is not None and bool(trim(ctypes.c_size_t(0)))


def _glibc(name: str) -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found

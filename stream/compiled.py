"""The one way in which this package compiles a kernel."""

import functools
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")

KEPT_CACHES: Final = 4
"""Compiled kernels of so many versions of the sources are kept."""


@functools.cache
def cache_directory() -> str:
    """Return where compiled kernels are kept: a folder named by a digest of all sources.

    Numba itself only looks at the file that a kernel stands in, not at those of the kernels that
    it calls, and would go on running what was compiled from an older version of them.
    """
    digest = hashlib.sha256()
    packages = Path(__file__).resolve().parents[1]
    for package in ("consumers", "gsr", "stream"):
        for source in sorted((packages / package).glob("**/*.py")):
            digest.update(source.read_bytes())
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    caches = Path(home) / "gsr" / "kernels"
    mine = caches / digest.hexdigest()[:16]
    if caches.is_dir() and not mine.is_dir():
        others = sorted(caches.iterdir(), key=lambda cache: cache.stat().st_mtime)
        for old in others[: 1 - KEPT_CACHES]:
            shutil.rmtree(old, ignore_errors=True)
    return str(mine)


def _compile(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    settings: Any = numba.config  # numba fills it from the environment, so it has no types
    jit: Any = numba.njit
    chosen = settings.CACHE_DIR
    settings.CACHE_DIR = chosen or cache_directory()
    try:
        compiled: Callable[P, R] = jit(cache=True, nogil=True, **options)(function)
    finally:
        settings.CACHE_DIR = chosen
    return compiled


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` with numba, cached on disk, releasing the interpreter lock.

    Fast-math stays off: state must be bit-equal wherever it is computed.
    """
    return _compile(function)


def lean_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel that never allocates, without numba's reference counts.

    Kernels that hand structures of many arrays to each other spend most of their time counting
    references. Without them, anything that would allocate is refused by the compiler, and arrays
    are only safe while the caller holds them.
    """
    return _compile(function, _nrt=False)

"""Compilation of kernels with numba, and the folder that keeps what was compiled."""

import atexit
import functools
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import numba
import numba.extending

P = ParamSpec("P")
R = TypeVar("R")

PACKAGES: Final = ("consumers", "gsr", "stream")
IMPORTED: Final = re.compile(rf"^from ((?:{'|'.join(PACKAGES)})[.\w]*) import", re.MULTILINE)
KEPT_CACHES: Final = 8
"""Compiled kernels of so many versions of the sources are kept."""
SHIPPED_VARIABLE: Final = "GSR_KERNELS"
"""Environment variable with a folder of caches that came with the program, as in an image."""


def kernel_sources(root: Path) -> list[Path]:
    """Return the files below `root` that hold kernels, and all that these import from there."""
    folders = [root / package for package in PACKAGES]
    waiting = [
        source
        for folder in folders
        for source in folder.glob("**/*.py")
        if b".compiled import" in source.read_bytes()
    ]
    found: set[Path] = set()
    while waiting:
        source = waiting.pop()
        if source not in found and source.is_file():
            found.add(source)
            imported = IMPORTED.findall(source.read_text(encoding="utf-8"))
            waiting += [root.joinpath(*name.split(".")).with_suffix(".py") for name in imported]
    return sorted(found)


@functools.cache
def cache_directory() -> str:
    """Return where compiled kernels are kept: a folder named by a digest of their sources.

    Numba itself only looks at the file that a kernel stands in, not at those of the kernels that
    it calls, and would go on running what was compiled from an older version of them.
    """
    digest = hashlib.sha256()
    for source in kernel_sources(Path(__file__).resolve().parents[1]):
        digest.update(source.read_bytes())
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    caches = Path(home) / "gsr" / "kernels"
    mine = caches / digest.hexdigest()[:16]
    if caches.is_dir() and not mine.is_dir():
        others = sorted(caches.iterdir(), key=lambda cache: cache.stat().st_mtime)
        for old in others[: 1 - KEPT_CACHES]:
            shutil.rmtree(old, ignore_errors=True)
    if not _can_write(caches):
        # Numba refuses to compile where it may not write, even if all that it needs is there.
        caches = Path(tempfile.mkdtemp(prefix="gsr-kernels-"))
        atexit.register(shutil.rmtree, caches, ignore_errors=True)
        mine = caches / mine.name
    shipped = os.environ.get(SHIPPED_VARIABLE)
    if shipped and not mine.exists():
        _take_over(Path(shipped) / mine.name, mine)
    return str(mine)


def _can_write(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(directory, os.W_OK | os.X_OK)


def _take_over(shipped: Path, mine: Path) -> None:
    """Copy a cache that came with the program, all or nothing: other processes may do the same."""
    if not shipped.is_dir():
        return
    aside = Path(tempfile.mkdtemp(prefix=".new-", dir=mine.parent))
    shutil.copytree(shipped, aside, dirs_exist_ok=True)
    try:
        aside.rename(mine)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)


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

    Fast-math stays off: state and ranks must be bit-equal wherever they are computed.
    """
    return _compile(function)


def shared_function(function: Callable[P, R]) -> Callable[P, R]:
    """Let kernels call a function that runs uncompiled where it is called from anywhere else."""
    share: Any = numba.extending.register_jitable
    shared: Callable[P, R] = share(function)
    return shared


def relaxed_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` like `kernel`, but let additions be reordered to use vector units.

    For learning, where gradients carry more noise than rounding does, and for sums whose rounding
    is allowed for.
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

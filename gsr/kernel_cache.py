"""The folder that keeps compiled kernels, one for each version of their sources."""

import atexit
import fcntl
import functools
import hashlib
import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

PACKAGES: Final = ("consumers", "gsr", "stream")
IMPORTED: Final = re.compile(rf"^from ((?:{'|'.join(PACKAGES)})[.\w]*) import", re.MULTILINE)
KEPT_CACHES: Final = 8
"""Compiled kernels of so many versions of the sources are kept, and of those in use."""
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

    The folder is marked as in use until this process ends; a new version's first process makes
    room by deleting those that were not used for longest.
    """
    digest = hashlib.sha256()
    for source in kernel_sources(Path(__file__).resolve().parents[1]):
        digest.update(source.read_bytes())
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    caches = Path(home) / "gsr" / "kernels"
    mine = caches / digest.hexdigest()[:16]
    if caches.is_dir() and not mine.is_dir():
        _make_room(caches)
    if not _can_write(caches):
        # Numba refuses to compile where it may not write, even if all that it needs is there.
        caches = Path(tempfile.mkdtemp(prefix="gsr-kernels-"))
        atexit.register(shutil.rmtree, caches, ignore_errors=True)
        mine = caches / mine.name
    shipped = os.environ.get(SHIPPED_VARIABLE)
    if shipped and not mine.exists():
        _take_over(Path(shipped) / mine.name, mine)
    _use(mine)
    return str(mine)


def _make_room(caches: Path) -> None:
    """Delete the caches that were used longest ago, but none that a process uses now."""
    others = sorted(caches.iterdir(), key=_used_at)
    excess = len(others) - (KEPT_CACHES - 1)
    for old in others:
        if excess <= 0:
            return
        with suppress(OSError):  # in use, or gone meanwhile
            opened = os.open(old, os.O_RDONLY)
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(old, ignore_errors=True)
                excess -= 1
            finally:
                os.close(opened)


def _used_at(cache: Path) -> float:
    try:
        return cache.stat().st_mtime
    except OSError:  # another process has just deleted it
        return 0.0


def _use(mine: Path) -> None:
    """Make the cache if it is missing; date it, and keep others from deleting it."""
    with suppress(OSError):  # a disk without locks, as some in networks, or a folder of others
        while True:
            mine.mkdir(exist_ok=True)
            opened = os.open(mine, os.O_RDONLY)  # left open: the lock ends with the process
            fcntl.flock(opened, fcntl.LOCK_SH)
            # Who waited for the lock may have got that of a folder which was deleted meanwhile.
            if _is_same(opened, mine):
                os.utime(mine)
                return
            os.close(opened)


def _is_same(opened: int, folder: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(opened), folder.stat())
    except FileNotFoundError:
        return False


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

"""Temporary folders that do not outlive their process for long."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Final

from filelock import FileLock, Timeout

_PREFIX: Final = "gsr-scratch-"
_LOCK: Final = "lock"
_SURELY_LOCKED_SECONDS: Final = 60.0
"""A folder that is older than this is locked, or its process is gone."""


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """Yield an empty folder in `TMPDIR` that is gone after the block.

    What a process left that was killed in its block goes when the next one comes here.
    """
    root = Path(gettempdir())
    _remove_abandoned(root)
    with (
        TemporaryDirectory(prefix=_PREFIX, dir=root, ignore_cleanup_errors=True) as folder,
        FileLock(Path(folder) / _LOCK),
    ):
        yield Path(folder)


def _remove_abandoned(root: Path) -> None:
    for folder in root.glob(f"{_PREFIX}*"):
        with suppress(OSError, Timeout):  # another process's, or gone meanwhile
            facts = folder.stat()
            if facts.st_uid != os.getuid() or time.time() - facts.st_mtime < _SURELY_LOCKED_SECONDS:
                continue
            with FileLock(folder / _LOCK, timeout=0):
                shutil.rmtree(folder)

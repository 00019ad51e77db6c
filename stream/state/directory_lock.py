"""A lock that keeps a state directory to one process."""

import os
from pathlib import Path

from filelock import FileLock, Timeout

from stream.errors import StateLockedError


class DirectoryLock:
    """A lock that the kernel releases when its process dies, however it dies.

    Parameters
    ----------
    directory
        Must exist; gets the files ``lock`` and ``owner``.

    Raises
    ------
    StateLockedError
        Somebody else holds it; the message names the process.
    """

    def __init__(self, directory: Path) -> None:
        # Not of one thread: what restores a state in the background lets go of it there.
        self._lock = FileLock(directory / "lock", thread_local=False)
        # Beside the lock, because trying for a lock empties the file.
        owner = directory / "owner"
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            holder = owner.read_text() if owner.exists() else "unknown"
            raise StateLockedError(
                f"The state in {directory} is in use by process {holder}: stop it first, or use "
                "another directory."
            ) from error
        owner.write_text(str(os.getpid()))

    def release(self) -> None:
        """Let go; a released lock may be released again."""
        self._lock.release()

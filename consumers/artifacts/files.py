"""Interface of a place for artifacts, and its errors in plain words.

Every place promises the same: a reader sees a published file or folder whole, or not at all.
"""

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, Protocol

from consumers.errors import ArtifactError
from stream.errors import StorageFullError

WriteCheckpoint = Callable[[Path], None]
"""Creates the directory that it is given and fills it."""

ASIDE: Final = ".aside-"
"""What is not published yet has a name that begins so."""

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


class Files(Protocol):
    """A place for artifacts; names are relative, with slashes."""

    def read(self, name: str) -> bytes:
        """Return a file; ArtifactError where there is none."""
        ...

    def read_writable(self, name: str) -> memoryview:
        """Return a file in memory of its own, so that arrays in it may be written."""
        ...

    def exists(self, name: str) -> bool:
        """Tell whether a file is there."""
        ...

    def replace(self, name: str, data: bytes) -> None:
        """Write a file, all or nothing."""
        ...

    def folders(self, name: str) -> list[str]:
        """Return the names of the folders inside a folder; [] where there is none."""
        ...

    def create(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Publish a folder of files; the last one is its manifest."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file or folder, if it is there."""
        ...

    def add_checkpoint(self, folder: str, write: WriteCheckpoint) -> None:
        """Publish a checkpoint directory."""
        ...

    def drop_checkpoints(self, folder: str, numbers: list[str]) -> None:
        """Remove some checkpoints of a partition and what only they use."""
        ...

    def checkpoint_path(self, folder: str) -> Path:
        """Return a local directory that holds the checkpoint."""
        ...

    def lock(self, folder: str) -> AbstractContextManager[object]:
        """Keep other processes of this machine from publishing in a folder."""
        ...


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn the system's errors into ones that tell an operator what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFullError(
                f"cannot write {path}: {error.strerror}. Free space or correct the permissions."
            ) from error
        raise ArtifactError(f"{path}: {error.strerror or error}") from error

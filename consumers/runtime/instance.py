"""The name of an installation, under which its roles are static members of their groups."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stream.state.directory_lock import DirectoryLock
from stream.state.rocks import writable

DIRECTORY: Final = "instance"
"""In the state directory; holds the file `name`, and the lock of whoever goes by it."""


@contextmanager
def instance_of(state_directory: Path) -> Iterator[str]:
    """Yield the name that belongs to a state directory, for as long as nobody else goes by it.

    It is made once, at random, so that no two machines share one. A group knows a process that
    comes back under its name, and gives it its partitions at once; a nameless one is a stranger,
    and waits until the group has given its predecessor up.

    Raises
    ------
    StateLockedError
        Another process goes by it.
    StorageFullError
        The directory cannot be written.
    """
    directory = state_directory / DIRECTORY
    with writable(directory):
        directory.mkdir(parents=True, exist_ok=True)
        lock = DirectoryLock(directory)
    try:
        with writable(directory):
            name = _name(directory / "name")
        yield name
    finally:
        lock.release()


def _name(file: Path) -> str:
    """Return what the file says; write it where it is missing or was cut off in the making."""
    if file.exists() and (name := file.read_text().strip()):
        return name
    name = f"gsr-{uuid.uuid4().hex[:16]}"
    aside = file.with_suffix(".new")
    aside.write_text(f"{name}\n")
    aside.replace(file)
    return name

"""Installs a checkpoint as the live database of a state directory."""

import errno
import os
import shutil
from pathlib import Path
from typing import Final

from stream.state.rocks import writable
from stream.synced import sync

_DATABASE: Final = "db"
_INCOMING: Final = "db.incoming"
_OUTGOING: Final = "db.outgoing"
_COPIED_BYTES: Final = 1 << 20
_NO_LINK: Final = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP)


def holds_state(directory: Path) -> bool:
    """Tell whether there is a database in a state directory."""
    return (directory / _DATABASE / "CURRENT").is_file()


def install_checkpoint(checkpoint: Path, directory: Path) -> None:
    """Put the content of a checkpoint in place of a state directory's database.

    All or nothing: after a crash at any moment there is the old database, the new one, or none.
    Tables are linked, not copied, where both are on one file system: RocksDB never changes them.

    Parameters
    ----------
    checkpoint
        What `PartitionStore.checkpoint` wrote.
    directory
        The caller holds its lock, and nobody has its database open.

    Raises
    ------
    StorageFullError
        No space, or not writable.
    FileNotFoundError
        The checkpoint went away meanwhile.
    """
    incoming, outgoing = directory / _INCOMING, directory / _OUTGOING
    database = directory / _DATABASE
    files = sorted(path for path in checkpoint.iterdir() if path.is_file())
    with writable(directory):
        for leftover in (incoming, outgoing):
            if leftover.exists():
                shutil.rmtree(leftover)
        incoming.mkdir()
    for path in files:
        _bring(path, incoming / path.name)
    with writable(directory):
        sync(incoming)
        if database.exists():
            database.rename(outgoing)
        incoming.rename(database)
        sync(directory)
        if outgoing.exists():
            shutil.rmtree(outgoing)


def _bring(source: Path, target: Path) -> None:
    if source.suffix == ".sst":
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
        else:
            return
    with source.open("rb") as reader, writable(target.parent), target.open("wb") as writer:
        shutil.copyfileobj(reader, writer, _COPIED_BYTES)
        writer.flush()
        os.fsync(writer.fileno())

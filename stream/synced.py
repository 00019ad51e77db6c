"""What survives a crash of the machine: files, and the names that directories give them."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Return when a file's bytes, or a directory's names, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

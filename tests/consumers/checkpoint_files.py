"""Checkpoints of a few files, in place of those of a database."""

from collections.abc import Callable
from pathlib import Path


def checkpoint(**contents: str) -> Callable[[Path], None]:
    """Return what writes a checkpoint with these files (name_sst stands for name.sst)."""

    def write(directory: Path) -> None:
        directory.mkdir()
        for name, text in contents.items():
            (directory / name.replace("_", ".")).write_text(text)

    return write

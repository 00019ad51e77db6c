"""Atomic writing of a command's result files, and an early check that they can be written."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from stream.errors import StorageFullError

NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT)
"""What the system says when a disk, or a user's share of it, is full."""

_PROBE: Final = bytes(4096)


@contextmanager
def output_errors(directory: Path) -> Iterator[None]:
    """Turn a failure of writing into `directory` into an error that names it.

    Raises
    ------
    StorageFullError
        The disk is full, or the directory cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            text = f"no space left in {directory}: free space there, or name another directory"
        else:
            text = (
                f"{directory} cannot be written ({error.strerror or error}): "
                "correct the path or its rights, or name another directory"
            )
        raise StorageFullError(text) from error


def check_output(directory: Path) -> None:
    """Find out whether results can be written into `directory`, without making it.

    Raises
    ------
    StorageFullError
        They cannot: better now than after hours of work.
    """
    there = directory.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    with output_errors(directory), TemporaryFile(dir=there) as probe:
        probe.write(_PROBE)


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield the path of a file to write, which takes the place of `path` after the block.

    Where the block fails, nothing of it is left and `path` is as it was.

    Raises
    ------
    StorageFullError
        The file cannot be written.
    """
    aside = path.with_name(f".{path.name}.partial")
    try:
        with output_errors(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield aside
            aside.replace(path)
    finally:
        with suppress(OSError):  # it is in place, or was never there
            aside.unlink()

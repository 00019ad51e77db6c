"""An input that can be read again: a file, standard input, or any other pipe."""

import errno
import io
import os
import sys
import tempfile
import weakref
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from stream.errors import EventFileError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STANDARD_INPUT: Final = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
_COPY_BYTES: Final = 512 * 1024


def unreadable(error: OSError) -> str:
    """Return why something cannot be read, and what to do."""
    cause = error.strerror or str(error) or type(error).__name__
    return f"cannot be read ({cause}): check the path and its rights"


class InputFile:
    """A file by its path; "-" and `/dev/stdin` mean standard input.

    What comes through a pipe can be read once only, unless it was kept before.

    Parameters
    ----------
    path
        Where.

    Attributes
    ----------
    name
        What messages call it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_standard_input = str(path) in STANDARD_INPUT
        self.name = "standard input" if self.is_standard_input else str(path)
        self._kept: BinaryIO | None = None
        self._spent = False

    @property
    def lasts(self) -> bool:
        """Whether it can be read more than once."""
        return self._kept is not None or (not self.is_standard_input and self.path.is_file())

    @property
    def size(self) -> int:
        """Its bytes, where it lasts; else 0."""
        if self._kept is not None:
            return os.fstat(self._kept.fileno()).st_size
        return self.path.stat().st_size if self.lasts else 0

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Open it at its start, for a block; several blocks do not disturb each other.

        Raises
        ------
        OSError
            It cannot be opened.
        EventFileError
            It is a pipe that was read before.
        """
        if self._kept is not None:
            return nullcontext(io.BufferedReader(_FromStart(self._kept.fileno())))
        if not self.lasts:
            if self._spent:
                raise EventFileError(
                    self.name, "is a pipe and can be read only once: write it to a file first"
                )
            self._spent = not self.path.is_dir() and (self.is_standard_input or self.path.exists())
        if not self.is_standard_input:
            return self.path.open("rb")
        if sys.stdin is None:
            raise OSError(errno.EBADF, "it is closed")
        return nullcontext(sys.stdin.buffer)

    def keep(self, blocks: Iterable[bytes]) -> None:
        """Keep all of its bytes in a file that has no name and vanishes with this process.

        Parameters
        ----------
        blocks
            The bytes.

        Raises
        ------
        EventFileError
            There is no room.
        """
        kept = tempfile.TemporaryFile(prefix="gsr-input-")  # noqa: SIM115 - lives as long as this
        weakref.finalize(self, kept.close)
        try:
            for block in blocks:
                kept.write(block)
            kept.flush()
        except OSError as error:
            raise EventFileError(
                self.name,
                f"cannot be kept in {tempfile.gettempdir()} ({error.strerror}), and has to be read "
                "twice: free space there, or write it to a file first",
            ) from error
        self._kept = kept

    def keep_if_needed(self) -> None:
        """Make sure that it can be read more than once."""
        if not self.lasts:
            with self.open() as file:
                self.keep(iter(lambda: file.read(_COPY_BYTES), b""))


class _FromStart(io.RawIOBase):
    """Reads an open file with a position of its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        count = os.preadv(self._descriptor, [buffer], self._position)
        self._position += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        starts = {os.SEEK_CUR: self._position, os.SEEK_END: os.fstat(self._descriptor).st_size}
        self._position = starts.get(whence, 0) + offset
        return self._position

    def tell(self) -> int:
        return self._position

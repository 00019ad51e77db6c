"""Reading of a file block by block, unpacked where it is compressed (gzip, zstd)."""

import zlib
from collections.abc import Callable, Generator, Iterator
from typing import BinaryIO, Final, Protocol

import zstandard

from stream.errors import EventFileError
from stream.events.files.input_file import InputFile, unreadable

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
# Small, because each is unpacked whole: at 100:1 this makes 800 KiB.
_PACKED_BYTES: Final = 8 * 1024
_PLAIN_BYTES: Final = 512 * 1024


class FileBytes:
    """Reads a file from start to end; gzip and zstd are known by their first bytes.

    Parameters
    ----------
    source
        The file.

    Raises
    ------
    EventFileError
        While reading: it cannot be opened or read, or its compression is broken or cut off.

    Attributes
    ----------
    size, position
        The file's bytes on disk, and how many of them are read.
    packed
        Whether it is compressed.
    """

    def __init__(self, source: InputFile) -> None:
        self._source = source
        self._name = source.name
        self.size = 0
        self.position = 0
        self.packed = False

    def __iter__(self) -> Generator[bytes]:
        try:
            with self._source.open() as file:
                self.size = self._source.size
                self.position = 0
                start = file.read(len(_ZSTD))
                self.packed = start.startswith((_GZIP, _ZSTD))
                if start.startswith(_GZIP):
                    yield from self._unpack(file, start, _gzip_member, "gzip")
                elif start == _ZSTD:
                    yield from self._unpack(file, start, _zstd_frame, "zstd")
                else:
                    yield from self._blocks(file, start, _PLAIN_BYTES)
        except OSError as error:
            raise EventFileError(self._name, unreadable(error)) from error

    def _blocks(self, file: BinaryIO, start: bytes, size: int) -> Iterator[bytes]:
        """Read blocks, the first of which begins with what was read already."""
        block = start + file.read(size - len(start))
        while block:
            self.position += len(block)
            yield block
            block = file.read(size)

    def _unpack(
        self, file: BinaryIO, start: bytes, new_stream: "Callable[[], _Stream]", kind: str
    ) -> Iterator[bytes]:
        """Unpack any number of streams that follow each other."""
        stream: _Stream | None = None
        try:
            for block in self._blocks(file, start, _PACKED_BYTES):
                packed = block
                while packed:
                    if stream is None:
                        # Tape and block devices pad with zeros.
                        packed = packed.lstrip(b"\0")
                        if not packed:
                            break
                        stream = new_stream()
                    plain = stream.decompress(packed)
                    if plain:
                        yield plain
                    packed = stream.unused_data if stream.eof else b""
                    if stream.eof:
                        stream = None
        except (zlib.error, zstandard.ZstdError) as error:
            raise EventFileError(
                self._name, f"the {kind} data is damaged ({error}): fetch the file again"
            ) from error
        if stream is not None:
            raise EventFileError(self._name, f"the {kind} data is cut off: fetch the file again")


class _Stream(Protocol):
    """Decompressor of one gzip member or zstd frame."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def _gzip_member() -> _Stream:
    # 16 asks for a gzip header and checks its sums.
    return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)


def _zstd_frame() -> _Stream:
    stream: _Stream = zstandard.ZstdDecompressor().decompressobj()
    return stream

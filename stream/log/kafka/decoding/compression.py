"""Undo the compressions of Kafka's record batches, without trusting what they say of their size."""

import io
import struct
import zlib
from collections.abc import Callable
from enum import IntEnum
from typing import Final

import lz4.frame
import snappy
import zstandard

_FIRST_READ: Final = 64 * 1024
_GZIP: Final = 31
"""zlib's "window bits" of a gzip member with header and checksum."""

_XERIAL_MAGIC: Final = b"\x82SNAPPY\x00"
_XERIAL_HEADER_BYTES: Final = 16
_SNAPPY_LENGTH_BYTES: Final = 5
_BLOCK_LENGTH: Final = struct.Struct(">i")


class Codec(IntEnum):
    """The compression codes of a batch's attributes."""

    NONE = 0
    GZIP = 1
    SNAPPY = 2
    LZ4 = 3
    ZSTD = 4


class DecompressionError(ValueError):
    """Compressed bytes are damaged, or larger than is allowed once decompressed."""


def decompress(codec: Codec, data: bytes, limit: int) -> bytes:
    """Return `data` decompressed.

    Parameters
    ----------
    codec
        How it was compressed.
    data
        The compressed bytes.
    limit
        The largest result, bytes; at most about twice as much memory is taken.

    Raises
    ------
    DecompressionError
        The bytes are damaged, or would decompress to more than `limit`.
    """
    try:
        return _DECOMPRESSORS[codec](data, limit)
    except (zlib.error, zstandard.ZstdError, snappy.UncompressError, RuntimeError) as error:
        raise DecompressionError(f"the {codec.name.lower()} data is damaged ({error})") from error


def _joined(read: Callable[[int], bytes], first: int, limit: int) -> bytes:
    """Return all that `read` gives, a bounded amount at a time."""
    chunks: list[bytes] = []
    total = 0
    while chunk := read(min(first, limit + 1 - total)):
        chunks.append(chunk)
        total += len(chunk)
        _check_size(total, limit)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise DecompressionError(f"it decompresses to more than {limit} bytes")


def _gunzip(data: bytes, limit: int) -> bytes:
    members: list[bytes] = []
    total = 0
    while data := data.lstrip(b"\0") if members else data:
        member = zlib.decompressobj(wbits=_GZIP)
        members.append(member.decompress(data, limit + 1 - total))
        total += len(members[-1])
        _check_size(total, limit)
        if not member.eof:
            raise DecompressionError("the gzip data is cut short")
        data = member.unused_data
    return b"".join(members)


def _unsnap(data: bytes, limit: int) -> bytes:
    if not data.startswith(_XERIAL_MAGIC) or len(data) <= _XERIAL_HEADER_BYTES:
        return _unsnap_block(data, 0, limit)
    blocks: list[bytes] = []
    total = 0
    position = _XERIAL_HEADER_BYTES
    while position < len(data):
        if len(data) - position < _BLOCK_LENGTH.size:
            raise DecompressionError("the snappy data is cut short")
        (length,) = _BLOCK_LENGTH.unpack_from(data, position)
        position += _BLOCK_LENGTH.size
        if not 0 <= length <= len(data) - position:
            raise DecompressionError(f"a snappy block says that it has {length} bytes")
        blocks.append(_unsnap_block(data[position : position + length], total, limit))
        total += len(blocks[-1])
        position += length
    return b"".join(blocks)


def _unsnap_block(data: bytes, before: int, limit: int) -> bytes:
    """Return a block; `before` is what the blocks before it have decompressed to."""
    size = shift = 0
    for byte in data[:_SNAPPY_LENGTH_BYTES]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004  # the last byte of a number
            break
    _check_size(before + size, limit)
    block: bytes = snappy.uncompress(data)
    return block


def _unlz4(data: bytes, limit: int) -> bytes:
    frame = lz4.frame.LZ4FrameDecompressor()
    rest = data

    def read(size: int) -> bytes:
        nonlocal rest
        if frame.eof:
            return b""
        given, rest = rest, b""
        chunk: bytes = frame.decompress(given, max_length=size)
        return chunk

    whole = _joined(read, max(_FIRST_READ, 8 * len(data)), limit)
    if not frame.eof:
        raise DecompressionError("the lz4 data is cut short")
    return whole


def _unzstd(data: bytes, limit: int) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(
        io.BytesIO(data), read_across_frames=True
    ) as reader:
        return _joined(reader.read, max(_FIRST_READ, 8 * len(data)), limit)


_DECOMPRESSORS: Final[dict[Codec, Callable[[bytes, int], bytes]]] = {
    Codec.NONE: lambda data, _: data,
    Codec.GZIP: _gunzip,
    Codec.SNAPPY: _unsnap,
    Codec.LZ4: _unlz4,
    Codec.ZSTD: _unzstd,
}

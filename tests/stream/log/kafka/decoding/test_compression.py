"""Decompressed bytes are the bytes that were compressed, and never more than is allowed."""

import gzip
import struct
import tracemalloc
import zlib

import lz4.frame
import pytest
import snappy
import zstandard

from stream.log.kafka.decoding.compression import Codec, DecompressionError, decompress
from tests.stream.log.kafka.batches import COMPRESSORS

TEXT = b'{"user_id":"u1","item_id":"i2"}' * 3000
LIMIT = 1024 * 1024
XERIAL = b"\x82SNAPPY\0" + bytes(8)


@pytest.mark.parametrize("name", COMPRESSORS)
@pytest.mark.parametrize("data", [TEXT, b"x", bytes(LIMIT)], ids=["text", "byte", "zeros"])
def test_what_was_compressed_comes_back(name: str, data: bytes) -> None:
    """Up to the very limit."""
    code, compress = COMPRESSORS[name]
    assert decompress(Codec(code), compress(data), LIMIT) == data


@pytest.mark.parametrize("name", [name for name in COMPRESSORS if name != "none"])
def test_one_byte_over_the_limit_is_refused(name: str) -> None:
    code, compress = COMPRESSORS[name]
    with pytest.raises(DecompressionError, match="more than 1048576 bytes"):
        decompress(Codec(code), compress(bytes(LIMIT + 1)), LIMIT)


def zeros_gzip(size: int) -> bytes:
    compressor = zlib.compressobj(9, wbits=31)
    block = bytes(LIMIT)
    return b"".join(compressor.compress(block) for _ in range(size // LIMIT)) + compressor.flush()


BOMBS = {
    "gzip": (Codec.GZIP, zeros_gzip(200 * LIMIT)),
    "gzip members": (Codec.GZIP, gzip.compress(bytes(LIMIT // 2)) * 50),
    "zstd": (Codec.ZSTD, zstandard.ZstdCompressor().compress(bytes(200 * LIMIT))),
    "zstd frames": (Codec.ZSTD, zstandard.ZstdCompressor().compress(bytes(LIMIT // 2)) * 50),
    "lz4": (Codec.LZ4, lz4.frame.compress(bytes(50 * LIMIT))),
    "snappy": (Codec.SNAPPY, snappy.compress(bytes(20 * LIMIT))),
    "snappy that lies": (Codec.SNAPPY, b"\xff\xff\xff\xff\x0f" + b"x"),
    "snappy blocks": (
        Codec.SNAPPY,
        XERIAL
        + 50
        * (
            struct.pack(">i", len(snappy.compress(bytes(LIMIT // 2))))
            + snappy.compress(bytes(LIMIT // 2))
        ),
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_no_more_memory_than_the_limit_allows(name: str) -> None:
    codec, data = BOMBS[name]
    tracemalloc.start()
    try:
        with pytest.raises(DecompressionError, match="more than 1048576 bytes"):
            decompress(codec, data, LIMIT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * LIMIT


def test_parts_that_follow_each_other_are_read() -> None:
    """Gzip members, with padding after the last one, and zstd frames."""
    members = gzip.compress(b"one ") + gzip.compress(b"two") + bytes(3)
    frames = zstandard.ZstdCompressor().compress(b"one ") + zstandard.ZstdCompressor().compress(
        b"two"
    )
    assert decompress(Codec.GZIP, members, LIMIT) == b"one two"
    assert decompress(Codec.ZSTD, frames, LIMIT) == b"one two"


DAMAGED = {
    "gzip cut": (Codec.GZIP, gzip.compress(TEXT)[:-9], "cut short"),
    "gzip checksum": (Codec.GZIP, gzip.compress(TEXT)[:-8] + bytes(8), "damaged"),
    "gzip rest": (Codec.GZIP, gzip.compress(TEXT) + b"rest", "damaged"),
    "lz4 cut": (Codec.LZ4, lz4.frame.compress(TEXT)[:-4], "cut short"),
    "lz4 nothing": (Codec.LZ4, b"", "cut short"),
    "zstd noise": (Codec.ZSTD, b"not zstd at all", "damaged"),
    "snappy nothing": (Codec.SNAPPY, b"", "damaged"),
    "snappy noise": (Codec.SNAPPY, b"\x05\xff\xff\xff", "damaged"),
    "snappy header": (Codec.SNAPPY, XERIAL + b"\0\0", "cut short"),
    "snappy length": (Codec.SNAPPY, XERIAL + struct.pack(">i", -5) + b"x", "says that it has -5"),
    "snappy block": (Codec.SNAPPY, XERIAL + struct.pack(">i", 50) + b"x", "says that it has 50"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_refused(name: str) -> None:
    codec, data, reason = DAMAGED[name]
    with pytest.raises(DecompressionError, match=reason):
        decompress(codec, data, LIMIT)

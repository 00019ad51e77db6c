"""Record batches made by hand, right or wrong in any field, for decoders to read or refuse."""

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

import google_crc32c
from kafka import codec as kafka_codec
from kafka.record.memory_records import MemoryRecordsBuilder

HEADER: Final = struct.Struct(">qiibIhiqqqhii")
BASE_TIME: Final = 1_700_000_000_000

Header = tuple[str | bytes, bytes | None]
Compress = Callable[[bytes], bytes]

COMPRESSORS: Final[dict[str, tuple[int, Compress]]] = {
    "none": (0, bytes),
    "gzip": (1, kafka_codec.gzip_encode),
    "snappy": (2, kafka_codec.snappy_encode),
    "raw snappy": (2, lambda data: bytes(kafka_codec.snappy_encode(data, xerial_compatible=False))),
    "lz4": (3, lambda data: bytes(kafka_codec.lz4_encode(data))),
    "zstd": (4, kafka_codec.zstd_encode),
}


def varint(value: int) -> bytes:
    """Return `value`, a 64-bit number, as the format writes it."""
    bits = (value << 1) ^ (value >> 63)
    digits = bytearray()
    while bits > 0x7F:
        digits.append(bits & 0x7F | 0x80)
        bits >>= 7
    return bytes([*digits, bits])


def _field(data: bytes | None) -> bytes:
    return varint(-1) if data is None else varint(len(data)) + data


def record(
    delta: int,
    key: bytes | None = None,
    value: bytes | None = None,
    headers: Sequence[Header] = (),
    *,
    time_delta: int = 0,
    attributes: int = 0,
) -> bytes:
    """Return one record."""
    body = bytes([attributes]) + varint(time_delta) + varint(delta) + _field(key) + _field(value)
    body += varint(len(headers))
    for name, content in headers:
        body += _field(name if isinstance(name, bytes) else name.encode()) + _field(content)
    return varint(len(body)) + body


def batch(
    records: Sequence[bytes],
    base_offset: int = 0,
    *,
    compression: str = "none",
    last_delta: int | None = None,
    count: int | None = None,
    append_time: int | None = None,
    transactional: bool = False,
    control: bool = False,
    producer: int = -1,
    base_time: int = BASE_TIME,
    extra_attributes: int = 0,
    leader_epoch: int = 0,
    magic: int = 2,
    cut: int = 0,
) -> bytes:
    """Return a batch with a right checksum, whatever else is wrong with it."""
    code, compress = COMPRESSORS[compression]
    body = compress(b"".join(records)) if records else b""
    body = body[: len(body) - cut]
    attributes = code | (8 * (append_time is not None)) | 16 * transactional | 32 * control
    whole = bytearray(
        HEADER.pack(
            base_offset,
            HEADER.size - 12 + len(body),
            leader_epoch,
            magic,
            0,
            attributes | extra_attributes,
            max(len(records) - 1, 0) if last_delta is None else last_delta,
            base_time,
            base_time if append_time is None else append_time,
            producer,
            0 if producer >= 0 else -1,
            0 if producer >= 0 else -1,
            len(records) if count is None else count,
        )
        + body
    )
    return sealed(whole)


def marker(base_offset: int, producer: int, *, abort: bool) -> bytes:
    """Return the control batch that ends a transaction."""
    key = struct.pack(">hh", 0, 0 if abort else 1)
    body = [record(0, key, struct.pack(">hi", 0, 0))]
    return batch(body, base_offset, control=True, transactional=True, producer=producer)


def sealed(whole: bytes | bytearray) -> bytes:
    """Return a batch with the checksum that its bytes have."""
    changed = bytearray(whole)
    struct.pack_into(">I", changed, 17, google_crc32c.value(bytes(changed[21:])))
    return bytes(changed)


def library_batch(
    records: Sequence[tuple[bytes | None, bytes | None, Sequence[Header]]],
    base_offset: int,
    code: int,
    *,
    skips: Sequence[int] = (),
    producer: int = -1,
    transactional: bool = False,
    magic: int = 2,
) -> bytes:
    """Return a batch by kafka-python's own builder, with gaps of `skips` before its records."""
    state: dict[str, Any] = {}
    if producer >= 0:
        state = {"producer_id": producer, "producer_epoch": 0, "base_sequence": 0}
    builder = MemoryRecordsBuilder(magic, code, 1 << 24, transactional=transactional, **state)
    for i, (key, value, headers) in enumerate(records):
        if i < len(skips):
            builder.skip(skips[i])
        builder.append(BASE_TIME + i, key, value, list(headers))
    builder.close()
    whole = bytearray(builder.buffer())
    if magic == 2:
        struct.pack_into(">q", whole, 0, base_offset)
    return bytes(whole)

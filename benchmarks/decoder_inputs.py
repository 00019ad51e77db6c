"""Random fetches for decoders: right ones, and right ones with damage."""

import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.stream.log.kafka.batches import (
    BASE_TIME,
    COMPRESSORS,
    HEADER,
    Header,
    batch,
    library_batch,
    marker,
    record,
    sealed,
    varint,
)

PRODUCERS: Final = (-1, -1, 3, 4)
LIMITS: Final = (1, 2, 7, 100, 100_000)
TEMPTING: Final = (0, 1, -1, -2, 127, 128, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, -(2**63))

_LENGTH: Final = struct.Struct(">i")


@dataclass(frozen=True, slots=True)
class Fetch:
    """Input of a decoder: one fetch.

    Parameters
    ----------
    data
        Record batches.
    offset
        The wanted one.
    aborted
        (producer, first offset) of aborted transactions.
    read_committed
        Whether to leave those out.
    limit
        Records to take at once.
    """

    data: bytes
    offset: int
    aborted: tuple[tuple[int, int], ...]
    read_committed: bool
    limit: int


def random_fetch(rng: random.Random) -> Fetch:
    """Return a fetch of a few batches, damaged three times out of four."""
    batches: list[bytes] = []
    first = offset = rng.choice((0, 0, 1000, 2**40))
    aborted: list[tuple[int, int]] = []
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        producer = rng.choice(PRODUCERS)
        transactional = producer >= 0 and rng.random() < 0.7
        if transactional and rng.random() < 0.4:
            aborted.append((producer, offset - rng.choice((0, 0, 1))))
        made = _random_batch(rng, offset, producer, transactional=transactional)
        batches.append(made)
        offset = _next_offset(made)
        if transactional and rng.random() < 0.6:
            batches.append(marker(offset, producer, abort=rng.random() < 0.5))
            offset += 1
    if rng.random() < 0.75:
        batches = rng.choice(DAMAGES)(rng, batches)
    data = b"".join(batches)
    if rng.random() < 0.2:
        data = data[: rng.randrange(len(data) + 1)]
    rng.shuffle(aborted)
    return Fetch(
        data=data,
        offset=first + (rng.randrange(20) if rng.random() < 0.4 else 0),
        aborted=tuple(aborted),
        read_committed=rng.random() < 0.8,
        limit=rng.choice(LIMITS),
    )


def _next_offset(whole: bytes) -> int:
    fields = HEADER.unpack_from(whole)
    return int(fields[0] + fields[6] + 1)


def _random_batch(
    rng: random.Random, base_offset: int, producer: int, *, transactional: bool
) -> bytes:
    """Return a batch that both decoders must read."""
    count = rng.choice((0, 1, 1, 2, 5, 30))
    if count and rng.random() < 0.3:
        rows = [(_bytes(rng), _bytes(rng), _headers(rng)) for _ in range(count)]
        skips = [rng.choice((0, 0, 1, 5)) for _ in rows]
        return library_batch(
            rows,
            base_offset,
            rng.randrange(5),
            skips=skips,
            producer=producer,
            transactional=transactional,
        )
    records, last = _random_records(rng, count)
    return batch(
        records,
        base_offset,
        compression=rng.choice(list(COMPRESSORS)) if count else "none",
        last_delta=last + rng.choice((0, 0, 3)),
        append_time=rng.choice((None, None, BASE_TIME, 0, -1)),
        transactional=transactional,
        producer=producer,
        leader_epoch=rng.randrange(5),
    )


def _random_records(rng: random.Random, count: int) -> tuple[list[bytes], int]:
    """Return records, and the offset delta of the last one."""
    records = []
    delta = -1
    for _ in range(count):
        delta += rng.choice((1, 1, 1, 2, 100))
        times = rng.choice((0, 1, -1, rng.randrange(-(2**40), 2**40)))
        records.append(record(delta, _bytes(rng), _bytes(rng), _headers(rng), time_delta=times))
    return records, max(delta, 0)


def _bytes(rng: random.Random) -> bytes | None:
    kind = rng.random()
    if kind < 0.15:
        return None
    if kind < 0.3:
        return b""
    if kind < 0.7:
        return b'{"user_id":"u%d","item_id":"i%d"}' % (rng.randrange(99), rng.randrange(99))
    return rng.randbytes(rng.choice((1, 5, 63, 64, 200, 9000 if rng.random() < 0.03 else 20)))


def _headers(rng: random.Random) -> list[Header]:
    if rng.random() < 0.8:
        return []
    return [
        (rng.choice(("a", "", "trace-id", "\N{SNOWMAN}")), _bytes(rng))
        for _ in range(rng.choice((1, 2, 5)))
    ]


# Damage


def _flipped(rng: random.Random, data: bytes, start: int = 0) -> bytes:
    """Return `data` with some bytes changed from `start` on."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if len(changed) <= start:
            break
        at = rng.randrange(start, len(changed))
        kind = rng.random()
        if kind < 0.5:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind < 0.7:
            changed[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind < 0.8:
            del changed[at]
        elif kind < 0.9:
            changed[at:at] = rng.randbytes(rng.choice((1, 3)))
        else:
            changed[at : at + 1] = varint(rng.choice(TEMPTING))
    return bytes(changed)


def _with_length(whole: bytes) -> bytes:
    """Return a changed batch with the length that it has now, and its checksum."""
    if len(whole) < HEADER.size:
        return whole
    return sealed(whole[:8] + _LENGTH.pack(len(whole) - 12) + whole[12:])


def _one(
    rng: random.Random, batches: Sequence[bytes], changed: Callable[[bytes], bytes]
) -> list[bytes]:
    at = rng.randrange(len(batches))
    return [*batches[:at], changed(batches[at]), *batches[at + 1 :]]


def _flip_anything(rng: random.Random, batches: Sequence[bytes]) -> list[bytes]:
    return [_flipped(rng, b"".join(batches))]


def _flip_body(rng: random.Random, batches: Sequence[bytes]) -> list[bytes]:
    """After the compression, the checksum made right."""
    return _one(rng, batches, lambda whole: _with_length(_flipped(rng, whole, start=HEADER.size)))


def _flip_header(rng: random.Random, batches: Sequence[bytes]) -> list[bytes]:
    """Attributes, offsets, times, producer, count; the checksum made right."""

    def changed(whole: bytes) -> bytes:
        header = bytearray(whole[: HEADER.size])
        at = rng.choice((*range(8), *range(12, HEADER.size), *range(21, 27), *range(57, 61)))
        header[at] = rng.choice((header[at] ^ 1 << rng.randrange(8), 0, 1, 0x7F, 0x80, 0xFF))
        return sealed(bytes(header) + whole[HEADER.size :])

    return _one(rng, batches, changed)


def _bad_records(rng: random.Random, batches: Sequence[bytes]) -> list[bytes]:
    """Before the compression, so that what is compressed is wrong."""
    records, last = _random_records(rng, rng.choice((1, 2, 8)))
    body = _flipped(rng, b"".join(records))
    made = batch(
        [body],
        _next_offset(batches[-1]) if _is_whole(batches[-1]) else 0,
        compression=rng.choice(list(COMPRESSORS)),
        last_delta=last,
        count=len(records) + rng.choice((0, 0, 0, 1, -1)),
    )
    return [*batches, made]


def _is_whole(data: bytes) -> bool:
    return len(data) >= HEADER.size


def _bad_marker(rng: random.Random, batches: Sequence[bytes]) -> list[bytes]:
    key = rng.choice((None, b"", b"\0\0\0\0\0\0", struct.pack(">hh", rng.choice((-1, 0, 1)), 0)))
    made = batch(
        [record(0, key, _bytes(rng))] if rng.random() < 0.8 else [],
        _next_offset(batches[-1]),
        control=True,
        transactional=True,
        producer=rng.choice(PRODUCERS),
    )
    return [*batches, made, batch([record(0, b"k", b"v")], _next_offset(made))]


def _shuffled(rng: random.Random, batches: Sequence[bytes]) -> list[bytes]:
    """Batches doubled, dropped, or in another order."""
    return [rng.choice(batches) for _ in range(rng.choice((1, 2, 4)))]


def _noise(rng: random.Random, batches: Sequence[bytes]) -> list[bytes]:
    return [*batches, rng.randbytes(rng.choice((1, 11, 12, 17, 61, 300)))]


def _wrong_length(rng: random.Random, batches: Sequence[bytes]) -> list[bytes]:
    length = rng.choice((rng.choice(TEMPTING[:9]), rng.randrange(200)))
    length = max(-(2**31), min(2**31 - 1, length))
    return _one(rng, batches, lambda whole: whole[:8] + _LENGTH.pack(length) + whole[12:])


DAMAGES: Final[tuple[Callable[[random.Random, Sequence[bytes]], list[bytes]], ...]] = (
    _flip_anything,
    _flip_body,
    _flip_body,
    _flip_header,
    _flip_header,
    _bad_records,
    _bad_records,
    _bad_marker,
    _shuffled,
    _noise,
    _wrong_length,
)

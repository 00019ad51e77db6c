"""Damages what a broker of the tests has on its disk."""

import struct
from pathlib import Path
from typing import Final

_LENGTH_AT: Final = 8
_LENGTH_END: Final = 12


def flip_byte(
    data_directory: Path, topic: str, partition: int, batch: int, at: int, bits: int = 0x20
) -> None:
    """Flip bits of one byte of a batch in the partition's first segment.

    Parameters
    ----------
    data_directory
        The broker's.
    topic, partition
        Which log.
    batch
        Which batch of it, from 0.
    at
        Which byte of the batch; from its end where negative.
    bits
        Which bits.
    """
    path = data_directory / f"{topic}-{partition}" / f"{0:020}.log"
    data = path.read_bytes()
    start = 0
    for _ in range(batch):
        start += _size(data, start)
    place = start + at if at >= 0 else start + _size(data, start) + at
    with path.open("r+b") as file:
        file.seek(place)
        file.write(bytes([data[place] ^ bits]))


def _size(data: bytes, start: int) -> int:
    (length,) = struct.unpack_from(">i", data, start + _LENGTH_AT)
    return _LENGTH_END + int(length)

"""The header of a Kafka record batch, message format v2."""

import struct
from typing import Final, NamedTuple

import google_crc32c

from stream.log.kafka.decoding.compression import Codec

MAGIC: Final = 2
MAGIC_AT: Final = 16
LENGTH_AT: Final = 8
LENGTH_END: Final = 12

_LENGTH: Final = struct.Struct(">i")
_HEADER: Final = struct.Struct(">qiibIhiqqqhii")
_CHECKED_FROM: Final = 21
_INT64_MAX: Final = 2**63 - 1

_CODEC: Final = 0x07
_APPEND_TIME: Final = 0x08
_TRANSACTIONAL: Final = 0x10
_CONTROL: Final = 0x20


class BatchHeader(NamedTuple):
    """The fields of a batch's header, in the order in which they are sent."""

    base_offset: int
    length: int
    leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_delta: int
    base_time: int
    max_time: int
    producer: int
    producer_epoch: int
    sequence: int
    records: int

    @property
    def size(self) -> int:
        """The bytes of the whole batch."""
        return LENGTH_END + self.length

    @property
    def next_offset(self) -> int:
        """The offset after the batch; its last records may be compacted away."""
        return self.base_offset + self.last_delta + 1

    @property
    def codec(self) -> Codec:
        """How the records are compressed; ValueError where that is not known."""
        number = self.attributes & _CODEC
        try:
            return Codec(number)
        except ValueError:
            raise ValueError(f"its compression has the number {number}, which is none") from None

    @property
    def compressed(self) -> bool:
        """Whether the records are compressed, in a way that is known or not."""
        return bool(self.attributes & _CODEC)

    @property
    def append_time(self) -> int | None:
        """The time at which the broker took every record, milliseconds; None: see the records."""
        return self.max_time if self.attributes & _APPEND_TIME else None

    @property
    def transactional(self) -> bool:
        """Whether a transaction decides on the records."""
        return bool(self.attributes & _TRANSACTIONAL)

    @property
    def control(self) -> bool:
        """Whether the records are the broker's own, and no one's data."""
        return bool(self.attributes & _CONTROL)


HEADER_BYTES: Final = _HEADER.size


def batch_size(fetched: memoryview, position: int) -> int | None:
    """Return the bytes of the batch at `position`; None where it is cut off.

    Raises
    ------
    ValueError
        The length cannot be a batch's.
    """
    if len(fetched) - position < LENGTH_END:
        return None
    (length,) = _LENGTH.unpack_from(fetched, position + LENGTH_AT)
    size = LENGTH_END + int(length)
    if size > len(fetched) - position:
        return None
    if size <= MAGIC_AT:
        raise ValueError(f"it says that it has {length} bytes")
    return size


def unchecked_header(fetched: memoryview, position: int) -> BatchHeader:
    """Return what stands where the header of the batch at `position` is, damaged or not.

    Raises
    ------
    struct.error
        There are fewer bytes than a header has.
    """
    return BatchHeader._make(_HEADER.unpack_from(fetched, position))


def read_header(fetched: memoryview, position: int) -> BatchHeader | None:
    """Return the header of the batch at `position`, its checksum compared; None where cut off.

    Raises
    ------
    ValueError
        The batch is damaged.
    """
    size = batch_size(fetched, position)
    if size is None:
        return None
    if size < HEADER_BYTES:
        raise ValueError(f"it ends after {size} bytes, within its header")
    header = unchecked_header(fetched, position)
    if header.magic != MAGIC:
        raise ValueError(f"its message format is {header.magic}, not {MAGIC}")
    crc = google_crc32c.value(bytes(fetched[position + _CHECKED_FROM : position + size]))
    if crc != header.crc:
        raise ValueError(f"its checksum is {crc:#010x}, the header says {header.crc:#010x}")
    if header.base_offset < 0 or header.last_delta < 0 or header.next_offset > _INT64_MAX:
        raise ValueError(f"its offsets begin at {header.base_offset} and go {header.last_delta} on")
    return header

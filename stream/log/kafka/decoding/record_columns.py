"""Records of one Kafka partition as columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsr.counters.ids.byte_column import ByteColumn
from stream.log.interface import Headers, RecordBatch


@dataclass(frozen=True, slots=True)
class RecordColumns:
    """Records of one partition, column by column.

    Parameters
    ----------
    offsets
        int64 [n], strictly increasing.
    times
        int64 [n], milliseconds since the epoch: of the append where the topic says so, else the
        producer's.
    keys, values
        n entries each.
    headers
        n entries, or empty where no record has any. A header's null value reads as empty bytes.
    """

    offsets: npt.NDArray[np.int64]
    times: npt.NDArray[np.int64]
    keys: ByteColumn
    values: ByteColumn
    headers: Sequence[Headers] = ()

    def __len__(self) -> int:
        return len(self.offsets)

    def since(self, offset: int) -> "RecordColumns":
        """Return the records from `offset` on."""
        first = int(np.searchsorted(self.offsets, offset))
        if first == 0:
            return self
        return RecordColumns(
            self.offsets[first:],
            self.times[first:],
            self.keys[first:],
            self.values[first:],
            self.headers[first:],
        )


def joined(parts: Sequence[RecordColumns]) -> RecordColumns:
    """Return consecutive columns as one; a single one as it is, without a copy."""
    if len(parts) == 1:
        return parts[0]
    headers: list[Headers] = []
    if any(part.headers for part in parts):
        for part in parts:
            headers += part.headers or [()] * len(part)
    return RecordColumns(
        offsets=np.concatenate([part.offsets for part in parts]),
        times=np.concatenate([part.times for part in parts]),
        keys=ByteColumn.joined([part.keys for part in parts]),
        values=ByteColumn.joined([part.values for part in parts]),
        headers=headers,
    )


def columns_batch(topic: str, partition: int, parts: Sequence[RecordColumns]) -> RecordBatch:
    """Return consecutive columns of a partition as one batch of the log."""
    whole = joined(parts)
    return RecordBatch(
        topic,
        partition,
        whole.offsets,
        whole.times / 1000.0,
        whole.keys,
        whole.values,
        whole.headers,
    )


def read_headers(data: memoryview, position: int, count: int) -> Headers:
    """Return the `count` headers at `position`, which `decode_records` has measured.

    Names may be any bytes: what is no UTF-8 in them is replaced, as Java's clients do.
    """
    headers: list[tuple[str, bytes]] = []
    for _ in range(count):
        length, position = _size(data, position)
        name = str(data[position : position + length], "utf-8", "replace")
        length, position = _size(data, position + length)
        headers.append((name, bytes(data[position : position + max(length, 0)])))
        position += max(length, 0)
    return tuple(headers)


def _size(data: memoryview, position: int) -> tuple[int, int]:
    """Read a zigzag number; return it, advancing `position` past it."""
    bits = shift = 0
    while True:
        byte = data[position]
        position += 1
        bits |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004  # the last byte of a number
            return (bits >> 1) ^ -(bits & 1), position
        shift += 7

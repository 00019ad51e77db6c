"""Kernels that unpack the records of Kafka's message format v2 into columns.

Every read is checked against the end of its record, and that against the end of its section, so
that no bytes whatever make them read, or write, outside of their arrays.

Source: Apache Kafka, "Message Format", record batch and record of magic 2.
"""

from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel

Bytes = npt.NDArray[np.uint8]
Int64s = npt.NDArray[np.int64]

MIN_RECORD_BYTES: Final = 7
"""One byte each of length, attributes, time, offset, key, value and header count."""

SECTION_FIELDS: Final = 7
"""Start, end, records, base offset, last offset delta, time, whether the time is every record's.

Else each record has a delta to it."""

SPAN_FIELDS: Final = 6
"""Start and length of the key and of the value (-1: null), start and number of the headers."""

CURSOR_FIELDS: Final = 5
"""Section, position in it, record in it, offset delta of the record before, records written."""


class Refusal(IntEnum):
    """Why a record cannot be read; zero: it can."""

    NONE = 0
    LENGTH = 1
    FIELD = 2
    ATTRIBUTES = 3
    OFFSET = 4
    TIME = 5
    HEADERS = 6
    SIZE = 7
    LEFT_OVER = 8
    NUMBER = 9


REASONS: Final = {
    Refusal.LENGTH: "a record's length is none, or runs past the end of its batch",
    Refusal.FIELD: "a field runs past the end of its record",
    Refusal.ATTRIBUTES: "a record has attributes that the format does not know",
    Refusal.OFFSET: "record offsets do not grow, or leave their batch",
    Refusal.TIME: "a timestamp is no 64-bit number",
    Refusal.HEADERS: "a record has a negative number of headers or a header without a name",
    Refusal.SIZE: "a record does not end where its length says",
    Refusal.NUMBER: "a number has more than 64 bits",
    Refusal.LEFT_OVER: "there are bytes after the last record of a batch",
}


# Numbers, because compiled code cannot return members of an enumeration.
_LENGTH: Final = int(Refusal.LENGTH)
_FIELD: Final = int(Refusal.FIELD)
_ATTRIBUTES: Final = int(Refusal.ATTRIBUTES)
_OFFSET: Final = int(Refusal.OFFSET)
_TIME: Final = int(Refusal.TIME)
_HEADERS: Final = int(Refusal.HEADERS)
_SIZE: Final = int(Refusal.SIZE)
_LEFT_OVER: Final = int(Refusal.LEFT_OVER)
_NUMBER: Final = int(Refusal.NUMBER)

_MORE: Final = 0x80
"""The bit of a number's byte that says that another byte follows."""

_LAST_SHIFT: Final = 63
"""Where the tenth and last byte of a number goes, of which only one bit is left to it."""


@lean_kernel
def _varint(data: Bytes, position: int, end: int) -> tuple[int, int]:
    """Read a zigzag number; return it and the position after it.

    Where it cannot be read, the position is minus the refusal; a `position` that is negative
    already stays what it is, so that one check after many reads is enough.
    """
    if position < 0 or position >= end:
        return 0, min(position, -_FIELD)
    byte = int(np.int64(data[position]))
    position += 1
    if byte < _MORE:
        return (byte >> 1) ^ -(byte & 1), position
    bits = np.uint64(byte & 0x7F)
    shift = 7
    while shift <= _LAST_SHIFT and position < end:
        byte = int(np.int64(data[position]))
        position += 1
        if shift == _LAST_SHIFT and byte > 1:
            return 0, -_NUMBER
        bits |= np.uint64(byte & 0x7F) << np.uint64(shift)
        if byte < _MORE:
            value = int(np.int64(bits >> np.uint64(1))) ^ -int(np.int64(bits & np.uint64(1)))
            return value, position
        shift += 7
    return 0, -_FIELD


@lean_kernel
def _after(position: int, length: int, end: int) -> int:
    """Return the position after a field of `length` (negative: null), or minus the refusal."""
    if position < 0 or length > end - position:
        return min(position, -_FIELD)
    return position + max(length, 0)


@lean_kernel
def _after_headers(data: Bytes, position: int, end: int, count: int) -> tuple[int, int]:
    """Return a refusal, and the position after `count` headers."""
    if count < 0:
        return _HEADERS, -1
    for _ in range(count):
        length, position = _varint(data, position, end)
        if length < 0:
            return _HEADERS, -1
        length, position = _varint(data, _after(position, length, end), end)
        position = _after(position, length, end)
        if position < 0:
            return -position, -1
    return 0, position


@lean_kernel
def _read_record(data: Bytes, position: int, end: int, span: Int64s) -> tuple[int, int, int, int]:
    """Read a record; return a refusal, where it stops, and its deltas of time and offset.

    Writes to `span` the starts and lengths of key and value, and the start and number of headers.
    """
    length, start = _varint(data, position, end)
    if start < 0 or length <= 0 or length > end - start:
        return _NUMBER if start == -_NUMBER else _LENGTH, 0, 0, 0
    stop = start + length
    # The attributes are one byte of which nothing is in use.
    if data[start] >= _MORE:
        return _ATTRIBUTES, 0, 0, 0
    time_delta, at = _varint(data, start + 1, stop)
    delta, at = _varint(data, at, stop)
    key_length, key_start = _varint(data, at, stop)
    value_length, value_start = _varint(data, _after(key_start, key_length, stop), stop)
    headers, at = _varint(data, _after(value_start, value_length, stop), stop)
    if at < 0:
        return -at, 0, 0, 0
    span[0], span[1] = key_start, max(key_length, -1)
    span[2], span[3] = value_start, max(value_length, -1)
    span[4], span[5] = at, headers
    if headers != 0:
        refusal, at = _after_headers(data, at, stop, headers)
        if refusal != 0:
            return refusal, 0, 0, 0
    if at != stop:
        return _SIZE, 0, 0, 0
    return 0, stop, time_delta, delta


@lean_kernel
def decode_records(
    data: Bytes,
    sections: Int64s,
    cursor: Int64s,
    offsets: Int64s,
    times: Int64s,
    spans: Int64s,
) -> int:
    """Unpack records from where `cursor` stands until the columns or the sections are full.

    Parameters
    ----------
    data
        uint8 [m], uncompressed records of all sections.
    sections
        int64 [s, SECTION_FIELDS], one row a batch; every start and end lies inside `data`.
    cursor
        int64 [CURSOR_FIELDS], read and moved past the last record that was fine.
    offsets, times
        int64 [n], written: offset, and milliseconds since the epoch.
    spans
        int64 [SPAN_FIELDS, n + 1], written; the last column is room to work in.

    Returns
    -------
    int
        A `Refusal`.
    """
    section, position, record, previous, filled = cursor
    refusal = 0
    while refusal == 0 and section < len(sections):
        _, end, count, base_offset, last_delta, base_time, one_time = sections[section]
        while record < count and filled < len(offsets):
            refusal, stop, time_delta, delta = _read_record(data, position, end, spans[:, filled])
            if refusal != 0:
                break
            if delta <= previous or delta > last_delta:
                refusal = _OFFSET
                break
            time = base_time if one_time else base_time + time_delta
            if not one_time and ((base_time ^ time) & (time_delta ^ time)) < 0:
                refusal = _TIME
                break
            position, previous = stop, delta
            record += 1
            offsets[filled], times[filled] = base_offset + delta, time
            filled += 1
        if record < count:
            break
        if position != end:
            refusal = _LEFT_OVER
            break
        section += 1
        if section < len(sections):
            position, record, previous = sections[section, 0], 0, -1
    cursor[0], cursor[1], cursor[2] = section, position, record
    cursor[3], cursor[4] = previous, filled
    return refusal

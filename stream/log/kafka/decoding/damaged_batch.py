"""The place to go on at after a damaged batch."""

from typing import Final, NamedTuple

import numpy as np

from stream.log.kafka.decoding.batch_header import (
    HEADER_BYTES,
    MAGIC,
    MAGIC_AT,
    BatchHeader,
    read_header,
    unchecked_header,
)

_MOST_TRIES: Final = 10_000
"""So many places that look like the beginning of a batch are tried, and no more."""


class Behind(NamedTuple):
    """Where reading can go on.

    Parameters
    ----------
    position
        In the fetched bytes, as far as the damaged batch's length is right.
    offset
        Of the log; the wanted one where the damaged batch does not hold it.
    """

    position: int
    offset: int


def behind_damage(fetched: memoryview, position: int, wanted: int) -> Behind | None:
    """Return what is behind the damaged batch at `position`; None where nothing tells it.

    A header that holds `wanted` is believed where its checksum is right (which leaves its first
    offset out), or where two of its fields agree on its length: producers number the records of a
    batch without gaps. Else the next batch that can be read tells, whatever lies between. A broker
    that takes a damaged first offset for right sends that batch before what was asked for.

    Parameters
    ----------
    fetched
        What the broker sent.
    position
        Where the damaged batch begins.
    wanted
        The offset to read next.
    """
    header = _intact(fetched, position) or _believable(fetched, position)
    if header is not None and header.base_offset <= wanted < header.next_offset:
        return Behind(position + header.size, header.next_offset)
    return next_readable(fetched, position + 1, wanted)


def next_readable(fetched: memoryview, position: int, wanted: int) -> Behind | None:
    """Return the first whole batch from `position` on that goes past `wanted`."""
    magics = np.frombuffer(fetched, np.uint8)[position + MAGIC_AT :] == MAGIC
    for step in np.flatnonzero(magics)[:_MOST_TRIES].tolist():
        header = _intact(fetched, position + step)
        if header is not None and header.next_offset > wanted:
            return Behind(position + step, max(header.base_offset, wanted))
    return None


def _intact(fetched: memoryview, position: int) -> BatchHeader | None:
    try:
        return read_header(fetched, position)
    except ValueError:
        return None


def _believable(fetched: memoryview, position: int) -> BatchHeader | None:
    if len(fetched) - position < HEADER_BYTES:
        return None
    header = unchecked_header(fetched, position)
    counted = header.records == header.last_delta + 1
    return header if header.magic == MAGIC and counted else None

"""Where a damaged batch ends, so that whoever must can go on behind it."""

from typing import Final

import numpy as np

from stream.log.kafka.batch_header import (
    HEADER_BYTES,
    MAGIC,
    MAGIC_AT,
    BatchHeader,
    read_header,
    unchecked_header,
)

_FIRST_TRIES: Final = 10_000
"""So many places that look like the beginning of a batch are tried, and no more."""


def end_of_damage(fetched: memoryview, position: int, wanted: int) -> int | None:
    """Return the offset after the damaged batch at `position`; None where nothing tells it.

    A header that begins at or before `wanted` is believed where its checksum is right (which
    leaves its first offset out), or where two of its fields agree on its length: producers number
    the records of a batch without gaps. Else the batch ends before the next one that can be read,
    whatever lies between.

    Parameters
    ----------
    fetched
        What the broker sent.
    position
        Where the damaged batch begins.
    wanted
        The offset that could not be read.
    """
    header = _intact(fetched, position) or _believable(fetched, position)
    if header is not None and header.base_offset <= wanted < header.next_offset:
        return header.next_offset
    return next_readable(fetched, position + 1, wanted)


def next_readable(fetched: memoryview, position: int, wanted: int) -> int | None:
    """Return the first offset of the first whole batch from `position` on that is past `wanted`."""
    magics = np.frombuffer(fetched, np.uint8)[position + MAGIC_AT :] == MAGIC
    for place in np.flatnonzero(magics)[:_FIRST_TRIES].tolist():
        header = _intact(fetched, position + place)
        if header is not None and header.base_offset > wanted:
            return header.base_offset
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

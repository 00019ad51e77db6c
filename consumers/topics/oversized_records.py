"""Appends that leave out records too large for their topic."""

import logging
from collections.abc import Sequence
from typing import Final

from stream.errors import RecordTooLargeError
from stream.log.interface import Outgoing, Writer

_SHOWN_BYTES: Final = 60
_LOGGER = logging.getLogger(__name__)


def append_what_fits(writer: Writer, records: Sequence[Outgoing]) -> list[tuple[int, int]]:
    """Append `records` without those that the topic does not take.

    For writers with a fence, of whose refused appends nothing is written, and for records that may
    be written twice.

    Returns
    -------
    The (partition, offset) of each record that was appended, in order.
    """
    left = list(records)
    while left:
        try:
            return writer.append(left)
        except RecordTooLargeError as error:
            for row in reversed(error.rows):
                key = (left.pop(row).key or b"")[:_SHOWN_BYTES]
                _LOGGER.error("%s. The record of %r is left out.", error, key)  # noqa: TRY400 - no bug
    return []

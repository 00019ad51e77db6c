"""Appends that leave out what a topic does not take, instead of stopping."""

import logging
from collections.abc import Sequence
from typing import Final

from stream.errors import RecordTooLargeError
from stream.log.interface import Outgoing, Writer

_SHOWN_BYTES: Final = 60
_LOGGER = logging.getLogger(__name__)


def append_what_fits(writer: Writer, records: Sequence[Outgoing]) -> int:
    """Append `records` without those that the topic does not take; return how many these are.

    For writers with a fence, of whose refused appends nothing is written, and for records that may
    be written twice.
    """
    left, refused = list(records), 0
    while left:
        try:
            writer.append(left)
        except RecordTooLargeError as error:
            for row in reversed(error.rows):
                key = (left.pop(row).key or b"")[:_SHOWN_BYTES]
                _LOGGER.error("%s. The record of %r is left out.", error, key)  # noqa: TRY400 - no bug
            refused += len(error.rows)
        else:
            break
    return refused

"""Aborted transactions, whose records are left out."""

import struct
from collections import deque
from collections.abc import Iterable
from typing import Final

ABORT: Final = 0
_MARKER_KEY: Final = struct.Struct(">hh")


class AbortedTransactions:
    """Follows the batches of a partition in order, as the Java client's `CompletedFetch` does.

    Parameters
    ----------
    transactions
        (producer, first offset) of every aborted transaction in the fetched range, in any order.
    """

    def __init__(self, transactions: Iterable[tuple[int, int]]) -> None:
        self._ahead = deque(sorted((first, producer) for producer, first in transactions))
        self._producers: set[int] = set()

    def advance(self, last_offset: int) -> None:
        """Begin the transactions that start at or before `last_offset`."""
        while self._ahead and self._ahead[0][0] <= last_offset:
            self._producers.add(self._ahead.popleft()[1])

    def end(self, producer: int) -> None:
        """Pass the abort marker of `producer`: what it sends next is another transaction."""
        self._producers.discard(producer)

    def __contains__(self, producer: int) -> bool:
        return producer in self._producers


def is_abort_marker(key: bytes | None) -> bool:
    """Return whether a control record of this key says that its transaction was aborted.

    Raises
    ------
    ValueError
        The key is no control record's.
    """
    if key is None or len(key) < _MARKER_KEY.size:
        raise ValueError("a control record has no version and type")
    version, kind = _MARKER_KEY.unpack_from(key)
    if version < 0:
        raise ValueError(f"a control record has version {version}")
    return bool(kind == ABORT)

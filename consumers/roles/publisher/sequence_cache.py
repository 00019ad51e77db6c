"""A cache of sequence records, within a limit of bytes."""

from collections.abc import Iterable
from typing import Final

ROW_BYTES: Final = 150
"""What a kept record costs beside its own bytes: the object, and its place in the table."""


class SequenceCache:
    """The newest sequence records, by the user's row; those that came first leave first.

    Looking a record up in the log costs a fetch, so whoever is due or walked over should be here.

    Parameters
    ----------
    limit_bytes
        Most memory, roughly.

    Examples
    --------
    >>> records = SequenceCache(limit_bytes=1000)
    >>> for row in range(3):
    ...     records.keep(row, bytes(250))
    >>> records.get(0) is None, len(records.get(2)), records.nbytes
    (True, 250, 800)
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.nbytes = 0
        self._records: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self._records)

    def get(self, row: int) -> bytes | None:
        """Return the record of the user in `row`, if it is here."""
        return self._records.get(row)

    def keep(self, row: int, value: bytes) -> None:
        """Keep a user's newest record; older ones of others make room."""
        before = self._records.pop(row, None)
        self._records[row] = value
        self.nbytes += len(value) - (len(before) if before is not None else -ROW_BYTES)
        while self.nbytes > self.limit_bytes:
            self.drop([next(iter(self._records))])

    def drop(self, rows: Iterable[int]) -> None:
        """Let the records of `rows` go, where they are here."""
        for row in rows:
            value = self._records.pop(row, None)
            if value is not None:
                self.nbytes -= len(value) + ROW_BYTES

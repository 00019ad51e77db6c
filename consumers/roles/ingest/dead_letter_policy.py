"""The share of bad records from which on ingest stops instead of setting them aside.

A dead-letter topic is for the odd bad record. When a producer changes its format, nearly every
record is bad, and going on would drain the clicks topic into the dead-letter topic while nobody
notices. So ingest stops as soon as the recent records hold more bad ones than allowed.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from consumers.errors import TooManyBadError
from stream.events.clicks.bad_record import BadRecord

EXAMPLES: Final = 5


class DeadLetterPolicy:
    """Counts the bad records among the newest ones of a partition, one by one.

    Where it stops depends on the records alone, not on how they came in batches, nor on restarts
    (see `resume`).

    Parameters
    ----------
    topic, partition
        Named in the error.
    max_share
        Stop when more than this share of the recent records is bad, 0 to 1; 1 never stops.
    window_records
        How many records are recent.
    minimum_records
        The share is judged from this record on.

    Examples
    --------
    >>> policy = DeadLetterPolicy("clicks", 0, max_share=0.5, window_records=4, minimum_records=4)
    >>> bad = [BadRecord(index, 10 + index, "empty", "") for index in range(3)]
    >>> policy.record(100, bad[:2])
    >>> policy.record(100, [])
    >>> policy.record(100, bad)
    Traceback (most recent call last):
    consumers.errors.TooManyBadError: clicks[0]: 3 of the last 4 records are bad, ...
    """

    def __init__(
        self,
        topic: str,
        partition: int,
        *,
        max_share: float,
        window_records: int,
        minimum_records: int,
    ) -> None:
        self._topic = topic
        self._partition = partition
        self._max_share = max_share
        self._window = window_records
        self._minimum = min(minimum_records, window_records)
        self._seen = 0
        self._bad_places: deque[int] = deque()

    def resume(self, next_offset: int, bad_offsets: Sequence[int]) -> None:
        """Remember, after a restart, which records were set aside before it.

        Otherwise a process that is started again after each stop would drain the topic, as many
        records at a time as it may see before it judges.

        Parameters
        ----------
        next_offset
            Of the first record that `record` will be told of.
        bad_offsets
            Ascending offsets below it of records that were bad.
        """
        first = max(0, next_offset - self._window)
        self._seen = next_offset - first
        self._bad_places = deque(offset - first for offset in bad_offsets if offset >= first)

    def record(self, records: int, bad: Sequence[BadRecord]) -> None:
        """Count a batch of `records` records, of which `bad` were refused (by rising index).

        Raises
        ------
        TooManyBadError
            Nothing of this batch may be applied or set aside: it is read again after a restart.
        """
        for at, record in enumerate(bad):
            place = self._seen + record.index
            self._bad_places.append(place)
            while self._bad_places[0] <= place - self._window:
                self._bad_places.popleft()
            recent = min(place + 1, self._window)
            if recent >= self._minimum and len(self._bad_places) > self._max_share * recent:
                examples = [
                    (one.offset, one.reason, one.detail)
                    for one in bad[max(0, at + 1 - EXAMPLES) : at + 1]
                ]
                raise TooManyBadError(
                    self._topic, self._partition, len(self._bad_places), recent, examples
                )
        self._seen += records

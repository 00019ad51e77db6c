"""Fetched batches that were not handed out yet, partition by partition."""

from collections import deque
from collections.abc import Collection, Iterable

from stream.log.interface import RecordBatch


class FetchBuffer:
    """Fetched batches of several partitions, handed out in turns.

    The client hands out one partition's fetch to its end before the next one's; from here, every
    poll begins with another partition.
    """

    def __init__(self) -> None:
        self._batches: dict[int, deque[RecordBatch]] = {}
        self._turns: list[int] = []  # whoever was served goes to the end

    def add(self, batch: RecordBatch) -> None:
        """Take in a batch that follows what is here of its partition."""
        if batch.partition not in self._batches:
            self._batches[batch.partition] = deque()
            self._turns.append(batch.partition)
        self._batches[batch.partition].append(batch)

    def drop(self, partitions: Iterable[int]) -> None:
        """Forget what is here of `partitions`."""
        for partition in partitions:
            if self._batches.pop(partition, None) is not None:
                self._turns.remove(partition)

    def holds(self, partition: int) -> bool:
        """Return whether there is anything of `partition`."""
        return bool(self._batches.get(partition))

    def records(self, without: Collection[int] = ()) -> int:
        """Return how many records are here, but for the partitions in `without`."""
        return sum(
            len(batch)
            for partition, batches in self._batches.items()
            if partition not in without
            for batch in batches
        )

    def take(self, max_records: int, without: Collection[int] = ()) -> list[RecordBatch]:
        """Hand out at most `max_records`, at most one batch per partition, in turns."""
        taken: list[RecordBatch] = []
        left = max_records
        for partition in self._turns:
            batches = self._batches[partition]
            if left <= 0 or partition in without or not batches:
                continue
            batch = batches.popleft()
            if len(batch) > left:
                batch, rest = _cut(batch, left)
                batches.appendleft(rest)
            taken.append(batch)
            left -= len(batch)
        served = {batch.partition for batch in taken}
        self._turns.sort(key=served.__contains__)
        return taken


def _cut(batch: RecordBatch, records: int) -> tuple[RecordBatch, RecordBatch]:
    """Return the first `records` of `batch` and the rest."""
    first, rest = (
        RecordBatch(
            batch.topic,
            batch.partition,
            batch.offsets[part],
            batch.append_times[part],
            batch.keys[part],
            batch.values[part],
            batch.headers[part],
        )
        for part in (slice(None, records), slice(records, None))
    )
    return first, rest

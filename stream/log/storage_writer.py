"""Sends records to their partitions in whatever storage holds them."""

from collections import defaultdict
from collections.abc import Sequence

from stream.errors import LogError
from stream.log.interface import Outgoing
from stream.log.partitioner import partitions_of
from stream.log.topic_storage import Fence, TopicStorage


class StorageWriter:
    """A `Writer` to one topic: each `append` is one transaction, so it is all or nothing.

    Parameters
    ----------
    storage
        The topic.
    fence
        Checked in each append's transaction.
    """

    def __init__(self, storage: TopicStorage, fence: Fence | None = None) -> None:
        self._storage = storage
        self._fence = fence
        self._next_keyless = 0
        self._closed = False

    def append(self, records: Sequence[Outgoing]) -> list[tuple[int, int]]:
        """Append all of `records` and return each one's (partition, offset)."""
        spec = self._storage.spec
        if self._closed:
            raise LogError(f"this writer to {spec.name} was closed")
        if not records:
            return []
        if spec.compacted and any(record.key is None for record in records):
            raise ValueError(f"{spec.name} is compacted: each of its records needs a key")
        partitions = self._partitions(records)
        groups: defaultdict[int, list[Outgoing]] = defaultdict(list)
        for partition, record in zip(partitions, records, strict=True):
            groups[partition].append(record)
        following = self._storage.append(groups, self._fence)
        places: list[tuple[int, int]] = []
        for partition in partitions:
            offset = following[partition]
            following[partition] = offset + 1
            places.append((partition, offset))
        return places

    def close(self) -> None:
        """Refuse further appends."""
        self._closed = True

    def _partitions(self, records: Sequence[Outgoing]) -> list[int]:
        """Return the partition of each record: its own choice, its key's, or the next in turn."""
        count = self._storage.spec.partitions
        chosen = [record.partition for record in records]
        by_key = [
            row
            for row, record in enumerate(records)
            if record.partition is None and record.key is not None
        ]
        keys = [key for row in by_key if (key := records[row].key) is not None]
        for row, partition in zip(by_key, partitions_of(keys, count).tolist(), strict=True):
            chosen[row] = partition
        partitions: list[int] = []
        for partition in chosen:
            if partition is None:
                partitions.append(self._next_keyless)
                self._next_keyless = (self._next_keyless + 1) % count
            else:
                partitions.append(partition)
        if min(partitions) < 0 or max(partitions) >= count:
            raise ValueError(
                f"{self._storage.spec.name} has the partitions 0 to {count - 1}, not "
                f"{min(partitions) if min(partitions) < 0 else max(partitions)}"
            )
        return partitions

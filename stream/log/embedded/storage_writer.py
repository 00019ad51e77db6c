"""A writer to a topic storage, wherever that keeps its records."""

from collections import defaultdict
from collections.abc import Sequence

from stream.errors import LogError, RecordTooLargeError
from stream.log.embedded.topic_storage import Fence, TopicStorage
from stream.log.interface import Outgoing
from stream.log.placement import Placement


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
        self._placement = Placement(
            storage.spec.name, storage.spec.partitions, compacted=storage.spec.compacted
        )
        self._closed = False

    def append(self, records: Sequence[Outgoing]) -> list[tuple[int, int]]:
        """Append all of `records` and return each one's (partition, offset)."""
        spec = self._storage.spec
        if self._closed:
            raise LogError(f"this writer to {spec.name} was closed")
        if not records:
            return []
        partitions = self._placement.partitions(records)
        groups: defaultdict[int, list[Outgoing]] = defaultdict(list)
        for partition, record in zip(partitions, records, strict=True):
            groups[partition].append(record)
        try:
            following = self._storage.append(groups, self._fence)
        except RecordTooLargeError as error:
            # Nothing was written; the largest one is too large in any case.
            sizes = [len(record.key or b"") + len(record.value or b"") for record in records]
            raise RecordTooLargeError(spec.name, [sizes.index(max(sizes))], None) from error
        places: list[tuple[int, int]] = []
        for partition in partitions:
            offset = following[partition]
            following[partition] = offset + 1
            places.append((partition, offset))
        return places

    def close(self) -> None:
        """Refuse further appends."""
        self._closed = True

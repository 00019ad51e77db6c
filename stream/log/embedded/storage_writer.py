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

    Attributes
    ----------
    storage, fence
        As given.
    """

    def __init__(self, storage: TopicStorage, fence: Fence | None = None) -> None:
        self.storage = storage
        self.fence = fence
        self._placement = Placement(
            storage.spec.name, storage.spec.partitions, compacted=storage.spec.compacted
        )
        self._closed = False

    def append(self, records: Sequence[Outgoing]) -> list[tuple[int, int]]:
        """Append all of `records` and return each one's (partition, offset)."""
        return append_together([(self, records)])

    def place(self, records: Sequence[Outgoing]) -> list[int]:
        """Return the partitions that `records` go to.

        Raises
        ------
        LogError
            The writer was closed.
        """
        if self._closed:
            raise LogError(f"this writer to {self.storage.spec.name} was closed")
        return self._placement.partitions(records)

    def close(self) -> None:
        """Refuse further appends."""
        self._closed = True


def append_together(
    appends: Sequence[tuple[StorageWriter, Sequence[Outgoing]]],
) -> list[tuple[int, int]]:
    """Append what several writers to one topic have, in one transaction: all of it or nothing.

    Returns
    -------
    The (partition, offset) of each record, in order.

    Raises
    ------
    FencedError
        One of the writers is locked out; nothing was written.
    RecordTooLargeError
        The topic takes no such record; nothing was written.
    """
    records = [record for _, some in appends for record in some]
    partitions = [partition for writer, some in appends for partition in writer.place(some)]
    if not records:
        return []
    storage = appends[0][0].storage
    if any(writer.storage is not storage for writer, _ in appends):
        raise ValueError("these writers do not append to one topic")
    groups: defaultdict[int, list[Outgoing]] = defaultdict(list)
    for partition, record in zip(partitions, records, strict=True):
        groups[partition].append(record)
    fences = [writer.fence for writer, _ in appends if writer.fence is not None]
    try:
        following = storage.append(groups, fences)
    except RecordTooLargeError as error:
        # The largest one is too large in any case.
        sizes = [len(record.key or b"") + len(record.value or b"") for record in records]
        raise RecordTooLargeError(storage.spec.name, [sizes.index(max(sizes))], None) from error
    places: list[tuple[int, int]] = []
    for partition in partitions:
        offset = following[partition]
        following[partition] = offset + 1
        places.append((partition, offset))
    return places

"""The partition of each record of an append."""

from collections.abc import Sequence

from stream.log.checks import check_partitions
from stream.log.interface import Outgoing
from stream.log.partitioner import partitions_of


class Placement:
    """Decides the partitions of a topic's new records, and refuses what it may not hold.

    Parameters
    ----------
    topic
        Its name.
    partitions
        How many it has.
    compacted
        Whether each record needs a key.
    """

    def __init__(self, topic: str, partitions: int, *, compacted: bool) -> None:
        self._topic = topic
        self._partitions = partitions
        self._compacted = compacted
        self._next_keyless = 0

    def partitions(self, records: Sequence[Outgoing]) -> list[int]:
        """Return the partition of each record: its own choice, its key's, or the next in turn.

        Raises
        ------
        ValueError
            A partition that the topic does not have, or no key on a compacted topic.
        """
        if self._compacted and any(record.key is None for record in records):
            raise ValueError(f"{self._topic} is compacted: each of its records needs a key")
        chosen = [record.partition for record in records]
        own = [partition for partition in chosen if partition is not None]
        if len(own) == len(chosen):
            check_partitions(self._topic, self._partitions, set(own))
            return own
        by_key = [
            row
            for row, record in enumerate(records)
            if record.partition is None and record.key is not None
        ]
        keys = [key for row in by_key if (key := records[row].key) is not None]
        for row, partition in zip(
            by_key, partitions_of(keys, self._partitions).tolist(), strict=True
        ):
            chosen[row] = partition
        placed: list[int] = []
        for partition in chosen:
            if partition is None:
                placed.append(self._next_keyless)
                self._next_keyless = (self._next_keyless + 1) % self._partitions
            else:
                placed.append(partition)
        check_partitions(self._topic, self._partitions, set(placed))
        return placed

"""Sequence records by their offset, for users who have not clicked just now."""

from collections.abc import Iterable
from typing import Final

from stream.log.interface import Log, Reader

_NEAR: Final = 64
"""Records nearer than this are read in one go instead of by seeking."""


class SequenceLookup:
    """Reads single records of `sequences`, in the order of the log where that helps.

    Parameters
    ----------
    log, topic
        The log, and the topic of sequences.
    """

    def __init__(self, log: Log, topic: str) -> None:
        self._log = log
        self._topic = topic
        self._readers: dict[int, Reader] = {}

    def read(self, places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
        """Return the values at the given (partition, offset) places.

        A place is missing in the answer where the record was replaced by a newer one of its key:
        whoever asked will find that one in the log.
        """
        found: dict[tuple[int, int], bytes] = {}
        by_partition: dict[int, list[int]] = {}
        for partition, offset in places:
            by_partition.setdefault(partition, []).append(offset)
        for partition, offsets in by_partition.items():
            for stretch in _stretches(sorted(offsets)):
                self._read_stretch(partition, stretch, found)
        return found

    def close(self) -> None:
        """Let go of the readers."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _read_stretch(
        self, partition: int, offsets: list[int], found: dict[tuple[int, int], bytes]
    ) -> None:
        reader = self._readers.get(partition)
        if reader is None:
            reader = self._log.reader(self._topic, partitions=[partition])
            self._readers[partition] = reader
        wanted = set(offsets)
        reader.seek(partition, offsets[0])
        while reader.position(partition) <= offsets[-1]:
            batches = reader.poll(offsets[-1] + 1 - reader.position(partition), 0.0)
            if not batches:
                return
            for batch in batches:
                for offset, value in zip(batch.offsets.tolist(), batch.values, strict=True):
                    if offset in wanted and value is not None:
                        found[partition, offset] = value


def _stretches(offsets: list[int]) -> list[list[int]]:
    """Cut rising offsets where the gap is wide."""
    stretches: list[list[int]] = []
    for offset in offsets:
        if stretches and offset - stretches[-1][-1] <= _NEAR:
            stretches[-1].append(offset)
        else:
            stretches.append([offset])
    return stretches

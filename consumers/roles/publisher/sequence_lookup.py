"""A look-up of sequence records by offset, for users whose record is not cached."""

from collections.abc import Iterable
from typing import Final

from consumers.topics.log_range import TellDamage, poll_past_damage, say_damage
from stream.errors import LogUnavailableError
from stream.log.interface import Log, Reader

_NEAR: Final = 256
"""Records nearer than this are read in one go instead of by seeking."""
_WAIT_SECONDS: Final = 0.5
_EMPTY_POLLS: Final = 10


class SequenceLookup:
    """Reads single records of `sequences`, in the order of the log where that helps.

    Parameters
    ----------
    log, topic
        The log, and the topic of sequences.
    tell
        Told of what cannot be read, and is passed over.
    """

    def __init__(self, log: Log, topic: str, tell: TellDamage = say_damage) -> None:
        self._tell = tell
        self._log = log
        self._topic = topic
        self._readers: dict[int, Reader] = {}

    def read(self, places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
        """Return the values at the given (partition, offset) places.

        A place is missing in the answer where the record was replaced by a newer one of its key:
        whoever asked will find that one in the log.

        Raises
        ------
        LogUnavailableError
            The log gives nothing, though it goes on.
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

    def _end(self, partition: int) -> int:
        return self._log.end_offsets(self._topic)[partition]

    def _read_stretch(
        self, partition: int, offsets: list[int], found: dict[tuple[int, int], bytes]
    ) -> None:
        reader = self._readers.get(partition)
        if reader is None:
            reader = self._log.reader(self._topic, partitions=[partition])
            self._readers[partition] = reader
        wanted = set(offsets)
        if not 0 <= offsets[0] - reader.position(partition) <= _NEAR:
            reader.seek(partition, offsets[0])
        empty = 0
        while reader.position(partition) <= offsets[-1]:
            # Nothing yet is not nothing: a cluster's answers take their time.
            wanted_records = offsets[-1] + 1 - reader.position(partition)
            batches = poll_past_damage(self._log, reader, wanted_records, _WAIT_SECONDS, self._tell)
            empty = 0 if batches else empty + 1
            if empty and reader.position(partition) >= self._end(partition):
                return
            if empty == _EMPTY_POLLS:
                raise LogUnavailableError(
                    f"{self._topic}[{partition}]: nothing comes from offset "
                    f"{reader.position(partition)} on"
                )
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

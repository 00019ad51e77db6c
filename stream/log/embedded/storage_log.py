"""A log over topic storages, wherever these keep their records."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace

from stream.clock import Clock
from stream.errors import LogError, TopicMismatchError, UnknownTopicError
from stream.log.checks import check_offsets, check_partitions
from stream.log.embedded.storage_reader import StorageReader
from stream.log.embedded.storage_writer import StorageWriter, append_together
from stream.log.embedded.topic_storage import Cleaned, TopicStorage
from stream.log.interface import Outgoing, RebalanceListener, TopicSpec, Writer


class StorageLog(ABC):
    """A `Log` over topic storages; a subclass says where they are.

    There is no sharing of partitions between the members of a group: a reader without
    `partitions` reads all of them.

    Parameters
    ----------
    clock
        Stamps what is appended and times what waits.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._storages: dict[str, TopicStorage] = {}
        self._opening = threading.Lock()
        self._closed = False

    @abstractmethod
    def _open_storage(self, topic: str) -> TopicStorage | None:
        """Return the storage of `topic`, or None where there is none."""

    @abstractmethod
    def _create_storage(self, spec: TopicSpec) -> TopicStorage:
        """Create the storage of a topic, or return the one that another process just created."""

    @abstractmethod
    def _topic_names(self) -> Sequence[str]:
        """Return the names of all topics."""

    def create_topic(self, spec: TopicSpec) -> None:
        """Create a topic; does nothing where it exists with the same settings."""
        storage = self._find(spec.name)
        if storage is None:
            with self._opening:
                storage = self._storages.get(spec.name)
                if storage is None:
                    storage = self._storages[spec.name] = self._create_storage(spec)
        _check_same(spec, storage.spec)

    def set_retention(self, topic: str, *, seconds: float | None, size_bytes: int | None) -> None:
        """Change how long a topic keeps its records; other processes heed it when they clean."""
        storage = self._storage(topic)
        storage.change_spec(
            replace(storage.spec, retention_seconds=seconds, retention_bytes=size_bytes)
        )

    def topics(self) -> dict[str, TopicSpec]:
        """Return every topic's settings."""
        return {name: self._storage(name).spec for name in self._topic_names()}

    def topic_ids(self, topics: Collection[str]) -> dict[str, str | None]:
        """Return what tells each of `topics` from every other one that ever has its name."""
        found = {topic: self._identity(topic) for topic in topics}
        return {topic: identity for topic, identity in found.items() if identity is not None}

    def reader(
        self,
        topic: str,
        *,
        partitions: Sequence[int] | None = None,
        group: str | None = None,
        listener: RebalanceListener | None = None,
    ) -> StorageReader:
        """Open a reader at the group's saved positions, or at the start where there are none."""
        storage = self._storage(topic)
        bounds = storage.bounds()
        saved = {} if group is None else storage.saved_positions(group)
        wanted = range(storage.spec.partitions) if partitions is None else partitions
        check_partitions(topic, storage.spec.partitions, wanted)
        positions = {p: saved.get(p, bounds[p].start) for p in wanted}
        return StorageReader(storage, positions, self._clock, listener)

    def writer(self, topic: str, *, fence: str | None = None) -> StorageWriter:
        """Open a writer; one with `fence` locks out every earlier one of the same name."""
        storage = self._storage(topic)
        return StorageWriter(storage, None if fence is None else storage.take_fence(fence))

    def append_together(self, appends: Sequence[tuple[Writer, Sequence[Outgoing]]]) -> None:
        """Append what several writers of this log to one topic have: all of it or nothing.

        Every transaction waits for the disk, whatever it holds: one waits once.
        """
        append_together([(_own(writer), records) for writer, records in appends])

    def start_offsets(self, topic: str) -> dict[int, int]:
        """Return each partition's oldest offset that may still be read."""
        return {p: bounds.start for p, bounds in self._storage(topic).bounds().items()}

    def end_offsets(self, topic: str) -> dict[int, int]:
        """Return the offset that each partition's next record will get."""
        return {p: bounds.end for p, bounds in self._storage(topic).bounds().items()}

    def written_offsets(self, topic: str) -> dict[int, int]:
        """Return the offset after each partition's newest record, which can be read at once."""
        return self.end_offsets(topic)

    def offsets_at(self, topic: str, time: float) -> dict[int, int]:
        """Return each partition's first offset appended at or after `time` (else its end)."""
        storage = self._storage(topic)
        return {p: storage.first_offset_at(p, time) for p in range(storage.spec.partitions)}

    def saved_positions(self, group: str, topic: str) -> dict[int, int]:
        """Return the positions that `group` saved, partition by partition."""
        return self._storage(topic).saved_positions(group)

    def save_positions(self, group: str, topic: str, positions: Mapping[int, int]) -> None:
        """Save for `group` the offsets to read next; durable on return."""
        storage = self._storage(topic)
        check_partitions(topic, storage.spec.partitions, positions)
        check_offsets(positions.values())
        storage.save_positions(group, positions)

    def clean(self, topic: str, max_records: int = 20_000) -> Cleaned:
        """Apply a topic's retention and compaction, a bounded amount of work per call.

        Whoever owns the log calls this now and then, and again at once while `more` is set.

        Parameters
        ----------
        topic
            Must exist.
        max_records
            About how many records to look at.
        """
        return self._storage(topic).clean(max_records)

    def close(self) -> None:
        """Let go of everything; a closed log may be closed again."""
        with self._opening:
            self._closed = True
            for storage in self._storages.values():
                storage.close()
            self._storages.clear()

    def _identity(self, topic: str) -> str | None:
        """Return the id of the topic that has the name now, which may not be the one in use."""
        storage = self._find(topic)
        if storage is None or not storage.replaced:
            return None if storage is None else storage.identity()
        other = self._open_storage(topic)
        if other is None:
            return None
        try:
            return other.identity()
        finally:
            other.close()

    def _find(self, topic: str) -> TopicStorage | None:
        with self._opening:
            if self._closed:
                raise LogError("this log was closed")
            storage = self._storages.get(topic)
            if storage is None:
                storage = self._open_storage(topic)
                if storage is not None:
                    self._storages[topic] = storage
            return storage

    def _storage(self, topic: str) -> TopicStorage:
        storage = self._find(topic)
        if storage is None:
            raise UnknownTopicError(f"there is no topic {topic}: create it, or correct its name")
        return storage


def _own(writer: Writer) -> StorageWriter:
    if not isinstance(writer, StorageWriter):
        raise TypeError("this writer is another log's")
    return writer


def _check_same(wanted: TopicSpec, found: TopicSpec) -> None:
    stored = asdict(found)
    changed = [
        f"{name} is {stored[name]!r}, not {value!r}"
        for name, value in asdict(wanted).items()
        if value != stored[name]
    ]
    if changed:
        raise TopicMismatchError(
            f"topic {wanted.name} exists with other settings: {'; '.join(changed)}. Put these "
            "settings back: state and topics belong together. Only retention can be changed, with "
            "`gsr log retain`. Another log or other topic names begin without these records, and "
            "need a state of their own (--state)."
        )

"""An ingest role with a log in memory and state on disk, and time at hand."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from consumers.artifacts.store import ArtifactStore, open_artifacts
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.ingest.role import IngestRole
from stream.clock import ManualClock
from stream.events.clicks.encoding import encode_click
from stream.events.records.dead_letters import DeadLetter, parse_dead_letter
from stream.events.records.sequence import SequenceRecord, decode_sequence
from stream.log.embedded.memory import MemoryLog
from stream.log.embedded.storage_reader import StorageReader
from stream.log.interface import Log, Outgoing, RebalanceListener, RecordBatch
from stream.state.dump import dump

NOW = 1_700_000_000.0


class LogWithoutIds(MemoryLog):
    """As brokers from before there were topic ids, until they are upgraded."""

    gives_ids = False

    def topic_ids(self, topics: Collection[str]) -> dict[str, str | None]:
        found = super().topic_ids(topics)
        return found if self.gives_ids else dict.fromkeys(found)

    def reader(
        self,
        topic: str,
        *,
        partitions: Sequence[int] | None = None,
        group: str | None = None,
        listener: RebalanceListener | None = None,
    ) -> StorageReader:
        reader = super().reader(topic, partitions=partitions, group=group, listener=listener)
        if not self.gives_ids:
            reader.topic_id = None
        return reader


@dataclass
class World:
    """Log, artifact store, clock and configuration of an ingest under test."""

    directory: Path
    settings: dict[str, object] = field(default_factory=dict)
    partitions: int = 2
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    log: Log | None = None

    def __post_init__(self) -> None:
        self.config = GsrConfig().with_values(
            {
                "state": {"directory": self.directory},
                "log": {"partitions": self.partitions},
                "ingest": self.settings,
            }
        )
        self.topics = self.log if self.log is not None else MemoryLog(self.clock)
        for spec in self.config.log.topics():
            self.topics.create_topic(spec)
        self.artifacts: ArtifactStore = open_artifacts(self.config, self.clock)
        self.metrics = Metrics("ingest", self.clock)

    def role(self, log: Log | None = None) -> IngestRole:
        """Start an ingest."""
        self.metrics = Metrics("ingest", self.clock)
        return IngestRole(self.config, log or self.topics, self.clock, self.metrics, self.artifacts)

    def run(self, role: IngestRole, seconds: float = 1.0) -> None:
        """Let ingest step while time goes by."""
        until = self.clock.time() + seconds
        while self.clock.time() < until:
            role.step()
            self.clock.sleep(0.01)

    def send(self, *records: tuple[str, str]) -> None:
        """Append clicks, given as (user, item), one second apart."""
        writer = self.topics.writer(self.config.log.clicks)
        for user, item in records:
            writer.append([Outgoing(user.encode(), encode_click(user, item, self.clock.time()))])
            self.clock.sleep(0.001)

    def send_raw(self, key: bytes | None, value: bytes | None, times: int = 1) -> None:
        """Append records as they are."""
        self.topics.writer(self.config.log.clicks).append([Outgoing(key, value)] * times)

    def batches(self, topic: str) -> Iterator[RecordBatch]:
        """Read a topic from its start."""
        reader = self.topics.reader(topic)
        while batches := reader.poll(1000, 0.0):
            yield from batches

    def sequences(self) -> dict[str, list[SequenceRecord | None]]:
        """Return each user's sequence records, None for tombstones, in order."""
        found: defaultdict[str, list[SequenceRecord | None]] = defaultdict(list)
        for batch in self.batches(self.config.log.sequences):
            for key, value in zip(batch.keys, batch.values, strict=True):
                assert key is not None
                found[key.decode()].append(None if value is None else decode_sequence(value))
        return dict(found)

    def newest(self, user: str) -> SequenceRecord:
        """Return a user's newest sequence, which must be none of a forgotten user."""
        record = self.sequences()[user][-1]
        assert record is not None
        return record

    def dead_letters(self) -> list[DeadLetter]:
        """Return what was set aside."""
        return [
            parse_dead_letter(key, value, headers)
            for batch in self.batches(self.config.log.dead_letters)
            for key, value, headers in zip(batch.keys, batch.values, batch.headers, strict=True)
        ]

    def state(self) -> list[list[tuple[str, bytes, bytes]]]:
        """Return every byte of every partition's state; nobody may have it open."""
        return [
            list(dump(self.config.ingest_directory / f"partition-{partition}"))
            for partition in range(self.partitions)
        ]

    def value(self, name: str, **labels: str) -> float:
        """Return a metric's value."""
        found = self.metrics.registry.get_sample_value(name, labels)
        assert found is not None, name
        return found


def clicks_of(users: Sequence[str], each: int) -> list[tuple[str, str]]:
    """Return clicks of `users` in turns, each on another item."""
    return [(user, f"i{n % 7}-{at}") for n in range(each) for at, user in enumerate(users)]

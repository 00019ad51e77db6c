"""A topic of sequences that is deleted on a broker is filled again from the state."""

import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.ingest.role import IngestRole
from consumers.topics.sequences_completeness import read_completeness
from stream.clock import SystemClock
from stream.errors import StreamError
from stream.events.clicks.encoding import encode_click
from stream.log.interface import Outgoing
from stream.log.kafka.log import KafkaLog
from tests.kafka_broker import KafkaAddress

pytestmark = pytest.mark.kafka

USERS = {f"u{n}" for n in range(40)}
PATIENCE_SECONDS = 120.0


class Ingesting:
    """An ingest with topics of its own on a broker."""

    def __init__(self, servers: str, directory: Path) -> None:
        name = uuid.uuid4().hex[:12]
        topics = {
            role: f"{role.replace('_', '-')}.{name}"
            for role in ("clicks", "dead_letters", "sequences")
        }
        self.config = GsrConfig().with_values(
            {
                "log": {**topics, "partitions": 2},
                "state": {"directory": directory},
                "ingest": {"group": f"ingest.{name}"},
            }
        )
        self.clock = SystemClock()
        self.log = KafkaLog(servers, self.clock)
        self.admin = KafkaAdminClient(bootstrap_servers=servers)
        self.create()
        self.log.writer(self.config.log.clicks).append(
            [Outgoing(u.encode(), encode_click(u, "i1", self.clock.time())) for u in sorted(USERS)]
        )

    def create(self) -> None:
        """Create what is missing, as a role does at its start."""
        for spec in self.config.log.topics():
            self.log.create_topic(spec)

    def delete(self) -> None:
        """Delete the topic of sequences, and make it anew."""
        self.admin.delete_topics([self.config.log.sequences])
        self.until(lambda: self.config.log.sequences not in self.admin.list_topics())
        self.create()

    def role(self) -> IngestRole:
        """Start an ingest."""
        metrics = Metrics("ingest", self.clock)
        artifacts = open_artifacts(self.config, self.clock)
        return IngestRole(self.config, self.log, self.clock, metrics, artifacts)

    def told(self) -> set[bytes]:
        """Return whose sequences are on the topic."""
        reader, found = self.log.reader(self.config.log.sequences), set[bytes]()
        ends = self.log.end_offsets(self.config.log.sequences)
        while any(reader.position(partition) < end for partition, end in ends.items()):
            for batch in reader.poll(1000, 0.5):
                found.update(key for key in batch.keys if key is not None)
        reader.close()
        return found

    def until(self, reached: Callable[[], bool], role: IngestRole | None = None) -> None:
        """Let ingest step until something is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not reached():
            assert time.monotonic() < deadline
            for _ in range(20 if role is not None else 0):
                try:
                    role.step() if role is not None else None
                except StreamError as error:
                    if not error.retriable:
                        raise
            time.sleep(0.05)

    def complete(self) -> bool:
        """Tell whether everybody's sequence is there, and ingest has left word of it."""
        word = read_completeness(self.log, self.config)
        return self.told() == {user.encode() for user in USERS} and all(word.get(p) for p in (0, 1))


@pytest.mark.parametrize("running", [False, True])
def test_everybody_is_told_of_again(
    kafka_broker: KafkaAddress, tmp_path: Path, *, running: bool
) -> None:
    """Whether the topic goes while ingest runs or not, and nobody clicks."""
    world = Ingesting(kafka_broker.bootstrap_servers, tmp_path)
    role = world.role()
    world.until(world.complete, role)
    if running:
        world.delete()
    else:
        role.close()
        world.delete()
        role = world.role()
    world.until(world.complete, role)
    role.close()
    world.admin.close()
    world.log.close()

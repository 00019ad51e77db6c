"""A publisher with everything around it in memory, and time at hand."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from consumers.artifacts.snapshot_files import encode_snapshot
from consumers.artifacts.store import ArtifactStore, open_artifacts
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.publisher.role import PublisherRole
from consumers.serving.view import ServingView, encode_view
from gsr.counters.ids.fingerprint import fingerprint
from stream.clock import ManualClock
from stream.events.records.item_control import ItemControl
from stream.events.records.recommendation import Recommendation, decode_recommendation
from stream.events.records.sequence import SequenceRecord, pack_seen
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing
from stream.log.partitioner import partition_of
from tests.consumers.views import NOW, view_of
from tests.gsr.ranker_models import model_with_weights

ITEMS = {f"i{n}": 100.0 - n for n in range(30)}
"""Items with falling popularity."""


@dataclass
class Sent:
    """A record of a topic of lists."""

    partition: int
    user_id: str
    record: Recommendation | None

    @property
    def made(self) -> Recommendation:
        """The list, where this is no tombstone."""
        assert self.record is not None
        return self.record

    @property
    def items(self) -> list[str]:
        """The ids of the list's items."""
        return [item.item_id for item in self.made.items]


@dataclass
class World:
    """Log, artifact store, clock and configuration of a publisher under test."""

    directory: Path
    settings: dict[str, object] = field(default_factory=dict)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    offset: int = 0
    given_log: MemoryLog | None = None

    def __post_init__(self) -> None:
        self.config = GsrConfig().with_values(
            {
                "state": {"directory": self.directory},
                "log": {"partitions": 2},
                "publisher": {"list_length": 5, "linger_seconds": 0.0, **self.settings},
                "model": {"dimension": 8, "hidden": 8},
            }
        )
        self.log = self.given_log or MemoryLog(self.clock)
        for spec in self.config.log.topics():
            self.log.create_topic(spec)
        self.artifacts: ArtifactStore = open_artifacts(self.config, self.clock)
        self.metrics = Metrics("publisher", self.clock)

    def role(self) -> PublisherRole:
        """Start a publisher."""
        self.metrics = Metrics("publisher", self.clock)
        return PublisherRole(self.config, self.log, self.clock, self.metrics, self.artifacts)

    def run(self, role: PublisherRole, seconds: float = 1.0) -> None:
        """Let the publisher step while time goes by."""
        until = self.clock.time() + seconds
        while self.clock.time() < until:
            role.step()
            self.clock.sleep(0.01)

    def click(
        self,
        user: str,
        *items: str,
        events: list[str] | None = None,
        seen: tuple[str, ...] = (),
        repeat: bool = False,
    ) -> int:
        """Append the user's sequence as after a new click; return the click's offset."""
        self.offset += 0 if repeat else 1
        now = self.clock.time()
        marks = np.array([fingerprint(item) for item in seen], dtype=np.uint32)
        record = SequenceRecord(
            user_id=user,
            items=list(items),
            times=[now - len(items) + n for n in range(len(items))],
            events=events or ["click"] * len(items),
            seen=pack_seen(marks),
            source_partition=partition_of(user.encode(), 2),
            source_offset=self.offset,
            next_offset=self.offset + 1,
            last_click_at=now,
            accepted_at=now,
        )
        writer = self.log.writer(self.config.log.sequences)
        writer.append([Outgoing(user.encode(), record.encode())])
        return self.offset

    def forget(self, user: str) -> None:
        """Append the sequence tombstone of a user."""
        self.log.writer(self.config.log.sequences).append([Outgoing(user.encode(), None)])

    def control(self, control: ItemControl) -> None:
        """Append an item control."""
        self.log.writer(self.config.log.items).append(
            [Outgoing(control.item_id.encode(), control.encode())]
        )

    def publish_view(self, view: ServingView | None = None) -> None:
        """Store a serving view."""
        self.artifacts.publish_view(*encode_view(view_of(ITEMS) if view is None else view))

    def publish_model(self, items: int = len(ITEMS), seed: int = 0) -> int:
        """Store a snapshot of a model with random weights; return its version."""
        model = model_with_weights(self.config.model, items, seed)
        generations = np.zeros(items, dtype=np.int64)
        return self.artifacts.publish_snapshot(*encode_snapshot(model, generations, {}))

    def sent(self) -> list[Sent]:
        """Return every list and tombstone on the topic, each partition in order."""
        return self._records(self.config.log.recommendations)

    def lists(self) -> dict[str, Sent]:
        """Return the newest record of each user."""
        return {one.user_id: one for one in self.sent()}

    def default(self) -> list[Sent]:
        """Return every default list."""
        return self._records(self.config.log.default_recommendations)

    def value(self, name: str, **labels: str) -> float:
        """Return a metric's value."""
        found = self.metrics.registry.get_sample_value(name, labels)
        assert found is not None, name
        return found

    def _records(self, topic: str) -> list[Sent]:
        reader = self.log.reader(topic)
        found: list[Sent] = []
        while batches := reader.poll(1000, 0.0):
            for batch in batches:
                for key, value in zip(batch.keys, batch.values, strict=True):
                    assert key is not None
                    made = None if value is None else decode_recommendation(value)
                    found.append(Sent(batch.partition, key.decode(), made))
        return found

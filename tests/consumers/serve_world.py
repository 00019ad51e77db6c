"""The role `serve` over a log in memory with a small model, asked over real HTTP."""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from consumers.artifacts.snapshot_files import encode_snapshot
from consumers.artifacts.store import ArtifactStore, open_artifacts
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.serve.role import ServeRole
from consumers.serving.view import ServingView, encode_view
from gsr.counters.ids.fingerprint import fingerprint
from stream.clock import SystemClock
from stream.events.records.item_control import ItemControl
from stream.events.records.recommendation import Recommendation, ScoredItem
from stream.events.records.sequence import SequenceRecord, pack_seen
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Log, Outgoing
from stream.log.partitioner import partition_of
from tests.consumers.views import view_of
from tests.gsr.ranker_models import model_with_weights

ITEMS = {f"i{n}": 100.0 - n for n in range(30)}
"""Items with falling popularity."""
EDGES = {("i0", "i7"): 3.0, ("i0", "i8"): 5.0, ("i1", "i0"): 1.0}
LISTED = ["i20", "i21", "i22", "i23", "i24"]
PATIENCE_SECONDS = 100.0
"""Kernels may have to be compiled first."""


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The JSON of the body."""
        return json.loads(self.body)

    @property
    def items(self) -> list[str]:
        """The items of a list."""
        return [item["item_id"] for item in self.document["items"]]


@dataclass
class World:
    """Log, artifact store and configuration of a role under test; time is real."""

    directory: Path
    settings: dict[str, object] = field(default_factory=dict)
    given_log: Log | None = None
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = SystemClock()
        self.config = GsrConfig().with_values(
            {
                "state": {"directory": self.directory},
                "log": {"partitions": 2},
                "publisher": {"list_length": 5},
                "model": {"dimension": 8, "hidden": 8},
                "serve": {
                    "port": 0,
                    "refresh_seconds": 0.05,
                    "scrape_roles": False,
                    **self.settings,
                },
                **self.sections,
            }
        )
        self.log = self.given_log or MemoryLog(self.clock)
        for spec in self.config.log.topics():
            self.log.create_topic(spec)
        self.artifacts: ArtifactStore = open_artifacts(self.config, self.clock)
        self.metrics = Metrics("serve", self.clock)

    def publish_view(self, view: ServingView | None = None) -> None:
        """Store a serving view."""
        made = view_of(ITEMS, EDGES, now=self.clock.time()) if view is None else view
        self.artifacts.publish_view(*encode_view(made))

    def publish_model(self, items: int = len(ITEMS), seed: int = 0) -> int:
        """Store a snapshot of a model with random weights; return its version."""
        model = model_with_weights(self.config.model, items, seed)
        generations = np.zeros(items, dtype=np.int64)
        facts = {"quality": {"hr@10": 0.25, "clicks": 7}, "clicks_learned": 100}
        return self.artifacts.publish_snapshot(*encode_snapshot(model, generations, facts))

    def click(self, user: str, *items: str, offset: int = 1, seen: tuple[str, ...] = ()) -> None:
        """Append the user's sequence as after the click at `offset`."""
        now = self.clock.time()
        marks = np.array([fingerprint(item) for item in seen], dtype=np.uint32)
        record = SequenceRecord(
            user_id=user,
            items=list(items),
            times=[now - len(items) + n for n in range(len(items))],
            events=["click"] * len(items),
            seen=pack_seen(marks),
            source_partition=partition_of(user.encode(), 2),
            source_offset=offset,
            next_offset=offset + 1,
            last_click_at=now,
            accepted_at=now,
        )
        self.append(self.config.log.sequences, user, record.encode())

    def list(self, user: str, *items: str, offset: int | None = 1, version: int = 1) -> None:
        """Append a list that knows of the click at `offset`; of "" the default list."""
        record = Recommendation(
            user_id=user,
            items=[ScoredItem(item, 9.0 - n) for n, item in enumerate(items)],
            model_version=version,
            generated_at=self.clock.time(),
            reason="click" if user else "cold",
            source_offset=offset,
            last_click_at=None if offset is None else self.clock.time(),
        )
        topic = self.config.log.recommendations if user else "recommendations-default"
        self.append(topic, user or "default", record.encode())

    def forget(self, user: str) -> None:
        """Append the tombstones of a user."""
        self.append(self.config.log.sequences, user, None)
        self.append(self.config.log.recommendations, user, None)

    def control(self, control: ItemControl) -> None:
        """Append an item control."""
        self.append(self.config.log.items, control.item_id, control.encode())

    def append(self, topic: str, key: str, value: bytes | None) -> None:
        """Append a record."""
        self.log.writer(topic).append([Outgoing(key.encode(), value)])

    @contextmanager
    def serving(self) -> Iterator["Api"]:
        """Run the role; yield who asks it."""
        self.metrics = Metrics("serve", self.clock)
        role = ServeRole(self.config, self.log, self.clock, self.metrics, self.artifacts)
        done = threading.Event()
        errors: list[BaseException] = []

        def loop() -> None:
            try:
                while not done.is_set():
                    role.step()
            except BaseException as error:  # noqa: BLE001  # raised below
                errors.append(error)

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield Api(self, role)
        finally:
            done.set()
            thread.join()
            role.close()
        if errors:
            raise errors[0]

    def value(self, name: str, **labels: str) -> float:
        """Return a metric's value."""
        found = self.metrics.registry.get_sample_value(name, labels)
        assert found is not None, name
        return found


@dataclass
class Api:
    """Asks the role."""

    world: World
    role: ServeRole

    def get(self, path: str, **headers: str) -> Reply:
        """Ask with GET; in names of headers _ stands for -."""
        return self.ask("GET", path, None, headers)

    def post(self, path: str, document: object, **headers: str) -> Reply:
        """Send a document; bytes go as they are."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.ask("POST", path, body, {"Content-Type": "application/json", **headers})

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Send a request."""
        where = self.role.address
        connection = http.client.HTTPConnection(where.host, where.port, timeout=PATIENCE_SECONDS)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read())
        finally:
            connection.close()

    def until(self, path: str, holds: Any, **headers: str) -> Reply:
        """Ask until the answer is as it should be."""
        clock = self.world.clock
        deadline = clock.monotonic() + PATIENCE_SECONDS
        while not holds(reply := self.get(path, **headers)):
            assert clock.monotonic() < deadline, (reply.status, reply.body[:500])
            clock.sleep(0.01)
        return reply

    def ready(self) -> None:
        """Wait until the role has caught up and serves the newest model and view."""
        clock, store = self.world.clock, self.world.artifacts
        deadline = clock.monotonic() + PATIENCE_SECONDS
        while True:
            facts = self.role._artifacts.facts  # noqa: SLF001  # what /v1/status tells a second later
            newest = (facts.view_number, facts.model_version)
            behind = newest != (store.current_view(), store.current_snapshot())
            if not behind and self.caught_up():
                return
            assert clock.monotonic() < deadline, (facts, self.role.checks())
            clock.sleep(0.01)

    def caught_up(self) -> bool:
        """Return whether everything on the topics has been taken over."""
        topics, log = self.role._topics, self.world.log  # noqa: SLF001  # as above
        return all(
            topics.positions(kind) == log.end_offsets(topic)
            for kind, topic in topics.topics.items()
        )

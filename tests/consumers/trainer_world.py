"""An ingest and a trainer that meet in an artifact store, with shoppers who have habits."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from consumers.artifacts.store import ArtifactStore, open_artifacts
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.ingest.role import IngestRole
from consumers.roles.trainer.role import TrainerRole
from stream.clock import ManualClock
from stream.events.clicks.encoding import encode_click
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing

NOW = 1_700_000_000.0

SMALL_MODEL = {"dimension": 8, "history_length": 8, "hidden": 8, "listed": 20, "kept": 20}
SMALL_LEARNER = {"block": 64, "step": 32, "sampled": 32, "replay_blocks": 4, "holdout": 0.1}


class TickingClock(ManualClock):
    """A clock that moves by `tick` seconds whenever it is looked at."""

    tick = 0.0

    def monotonic(self) -> float:
        """Return the time, which has moved."""
        self.sleep(self.tick)
        return super().monotonic()


@dataclass
class TrainerWorld:
    """Clicks of seeded shoppers through a log in memory, into state on disk, to a trainer."""

    directory: Path
    partitions: int = 2
    trainer_settings: dict[str, object] = field(default_factory=dict)
    state_settings: dict[str, object] = field(default_factory=dict)
    seed: int = 1

    def __post_init__(self) -> None:
        self._walked: dict[int, int] = {}
        self.clock = TickingClock(NOW)
        self.config = GsrConfig().with_values(
            {
                "state": {"directory": self.directory, **self.state_settings},
                "log": {"partitions": self.partitions},
                "ingest": {"checkpoint_interval_seconds": 1.0},
                "trainer": {
                    "cycle_seconds": 5.0,
                    "cycle_min_clicks": 50,
                    "view_interval_seconds": 2.0,
                    "poll_interval_seconds": 0.1,
                    **self.trainer_settings,
                },
                "model": SMALL_MODEL,
                "learner": SMALL_LEARNER,
            }
        )
        self.log = MemoryLog(self.clock)
        for spec in self.config.log.topics():
            self.log.create_topic(spec)
        self.artifacts: ArtifactStore = open_artifacts(self.config, self.clock)
        self.ingest = IngestRole(
            self.config, self.log, self.clock, Metrics("ingest", self.clock), self.artifacts
        )
        self.rng = np.random.default_rng(self.seed)

    def trainer(self) -> TrainerRole:
        """Start a trainer."""
        self.metrics = Metrics("trainer", self.clock)
        return TrainerRole(self.config, self.log, self.clock, self.metrics, self.artifacts)

    def shop(self, clicks: int, *, prefix: str = "i", users: int = 40) -> None:
        """Send clicks: each shopper walks along a ring of items, now and then jumping."""
        records = []
        for _ in range(clicks):
            user = int(self.rng.integers(users))
            step = int(self.rng.integers(30)) if self.rng.random() < 0.1 else self._steps(user)
            item = f"{prefix}{step % 30}"
            self.clock.sleep(0.01)
            name = f"u{user}"
            records.append(Outgoing(name.encode(), encode_click(name, item, self.clock.time())))
        self.log.writer(self.config.log.clicks).append(records)

    def _steps(self, user: int) -> int:
        self._walked[user] = self._walked.get(user, user) + 1
        return self._walked[user]

    def run(self, trainer: TrainerRole | None, seconds: float) -> None:
        """Let both step while time goes by."""
        until = self.clock.time() + seconds
        while self.clock.time() < until:
            self.ingest.step()
            if trainer is not None:
                trainer.step()
            self.clock.sleep(0.05)

    def value(self, name: str, **labels: str) -> float:
        """Return one of the newest trainer's metrics."""
        found = self.metrics.registry.get_sample_value(name, labels)
        assert found is not None, name
        return found

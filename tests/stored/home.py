"""The stored home, unpacked, with everything that works on it."""

import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from consumers.artifacts.store import ArtifactStore, open_artifacts
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.ingest.role import IngestRole
from consumers.roles.publisher.role import PublisherRole
from consumers.roles.trainer.role import TrainerRole
from stream.clock import ManualClock
from stream.events.clicks.encoding import outgoing_clicks
from stream.events.simulator.config import SimulatorConfig
from stream.events.simulator.shoppers import Simulator
from stream.log.embedded.log import EmbeddedLog

ARCHIVE: Final = Path(__file__).with_name("home.tar.xz")

STARTED: Final = 1_700_000_000.0
STOPPED: Final = STARTED + 180.0

SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "log": {"partitions": 1},
    "state": {
        "buffer_length": 8,
        "seen_items": 16,
        "neighbours": 6,
        "max_items": 60,
        "half_lives_seconds": [3600.0, 86_400.0],
        "close_clicks": 0,  # which were not counted then
        "user_ttl_seconds": 86_400.0,
        "item_ttl_seconds": 86_400.0,
    },
    "ingest": {"checkpoint_interval_seconds": 5.0},
    "trainer": {
        "cycle_seconds": 20.0,
        "cycle_min_clicks": 50,
        "view_interval_seconds": 5.0,
        "poll_interval_seconds": 0.1,
    },
    "publisher": {"list_length": 5, "linger_seconds": 0.0},
    "model": {"dimension": 8, "hidden": 8, "history_length": 8, "listed": 20, "kept": 20},
    "learner": {"block": 50, "step": 25, "sampled": 16, "holdout": 0.1},
}


@dataclass
class Home:
    """A home directory with a clock of its own, and the three roles to start on it.

    Parameters
    ----------
    directory
        What `--state` names.
    now
        Where the clock begins, seconds since the epoch.
    """

    directory: Path
    now: float = STOPPED

    def __post_init__(self) -> None:
        self.clock = ManualClock(self.now)
        values = {**SETTINGS, "state": {**SETTINGS["state"], "directory": self.directory}}
        self.config = GsrConfig().with_values(values)
        self.log = EmbeddedLog(self.directory / "log", self.clock)
        self.artifacts: ArtifactStore = open_artifacts(self.config, self.clock)

    @classmethod
    def unpacked(cls, directory: Path) -> "Home":
        """Return the stored home as it was left, unpacked into `directory`."""
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(directory, filter="data")
        return cls(directory)

    @property
    def state(self) -> Path:
        """The directory of the partition's state."""
        return self.config.ingest_directory / "partition-0"

    def ingest(self) -> IngestRole:
        """Start an ingest."""
        return IngestRole(
            self.config, self.log, self.clock, Metrics("ingest", self.clock), self.artifacts
        )

    def trainer(self) -> TrainerRole:
        """Start a trainer."""
        return TrainerRole(
            self.config, self.log, self.clock, Metrics("trainer", self.clock), self.artifacts
        )

    def publisher(self) -> PublisherRole:
        """Start a publisher."""
        return PublisherRole(
            self.config, self.log, self.clock, Metrics("publisher", self.clock), self.artifacts
        )

    def run(self, *roles: IngestRole | TrainerRole | PublisherRole, seconds: float) -> None:
        """Let roles step in turns while time goes by."""
        until = self.clock.time() + seconds
        while self.clock.time() < until:
            for role in roles:
                role.step()
            self.clock.sleep(0.1)

    def shoppers(self, start: float, seed: int) -> Simulator:
        """Return shoppers whose clicks begin at `start`."""
        config = SimulatorConfig(
            users=40,
            items=30,
            tastes=4,
            start_time=start,
            clicks_per_second=0.3,
            clicks_per_session=12.0,
            new_items_per_hour=20.0,
        )
        return Simulator(config, np.random.default_rng(seed))

    def send(self, shoppers: Simulator, clicks: int) -> None:
        """Put the next clicks of shoppers on the log."""
        writer = self.log.writer(self.config.log.clicks)
        for events in shoppers.events(clicks):
            writer.append(outgoing_clicks(events))

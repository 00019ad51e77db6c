"""What every role's process does: loop, signals, heartbeat, health, orderly end."""

from collections.abc import Callable, Mapping
from typing import Protocol

from consumers.artifacts import ArtifactStore
from consumers.config import GsrConfig
from consumers.metrics import Metrics
from stream.clock import Clock
from stream.log.interface import Log


class Role(Protocol):
    """One loop: ingest, trainer or publisher."""

    def step(self) -> bool:
        """Do one bounded piece of work (aim: below a second); True where there was any.

        A step that must take longer calls `Metrics.beat` on the way.
        """
        ...

    def checks(self) -> Mapping[str, bool]:
        """Return what must hold before this role counts as ready, by name."""
        ...

    def close(self) -> None:
        """Finish what is in flight, save positions and let go of everything."""
        ...


RoleFactory = Callable[[GsrConfig, Log, Clock, Metrics, ArtifactStore], Role]
"""A role's class: `IngestRole(config, log, clock, metrics, artifacts)`."""


def run_role(name: str, factory: RoleFactory, config: GsrConfig) -> None:
    """Run a role until SIGTERM or SIGINT.

    Parameters
    ----------
    name
        `ingest`, `trainer` or `publisher`.
    factory
        Builds the role; may take long (restore): `/livez` is true and `/readyz` false meanwhile.
    config
        The whole configuration.

    Raises
    ------
    PortBusyError
        Before anything else was touched.
    """
    raise NotImplementedError

"""The trainer's role: follows checkpoints, learns in cycles, publishes models and views."""

from consumers.artifacts import ArtifactStore
from consumers.config import GsrConfig
from consumers.metrics import Metrics
from stream.clock import Clock
from stream.log.interface import Log


class TrainerRole:
    """Test, train, judge, snapshot; a serving view every few seconds.

    Parameters
    ----------
    config
        All settings; `trainer`, `model`, `learner`, `state`, `events` are used.
    log
        Not read: clicks come from the checkpoints' accepted feeds.
    clock
        Of cycles and budgets.
    metrics
        Where figures go.
    artifacts
        Checkpoints come from it; views, snapshots and the journal go to it.
    """

    def __init__(
        self,
        config: GsrConfig,
        log: Log,
        clock: Clock,
        metrics: Metrics,
        artifacts: ArtifactStore,
    ) -> None:
        raise NotImplementedError

    def step(self) -> bool:
        """Do one bounded piece of work; True where there was any."""
        raise NotImplementedError

    def checks(self) -> dict[str, bool]:
        """Return `caught_up` (a view has been published from the newest checkpoints)."""
        raise NotImplementedError

    def close(self) -> None:
        """Write the journal and let go of everything."""
        raise NotImplementedError

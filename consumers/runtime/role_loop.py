"""The loop of a role: steps, retries, heartbeat, checks, and an orderly end."""

import logging
import threading
from collections.abc import Mapping
from typing import Final, Protocol

from consumers.errors import GsrError
from consumers.metrics.registry import Metrics
from consumers.runtime.allocator import RETURN_SECONDS, return_memory
from consumers.runtime.health import HealthServer
from consumers.runtime.log_metrics import LogMetrics
from consumers.runtime.topic_watch import TopicWatch
from gsr.errors import ModelError
from stream.clock import Clock, Periodic
from stream.errors import StreamError
from stream.log.interface import Log

_IDLE_SECONDS: Final = 0.005
_CHECKS_SECONDS: Final = 0.25
_FIRST_BACKOFF_SECONDS: Final = 0.1
_LONGEST_BACKOFF_SECONDS: Final = 5.0

_logger = logging.getLogger(__name__)


class Role(Protocol):
    """One loop: ingest, trainer, publisher or serve."""

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


class RoleLoop:
    """Steps a role until it is told to stop, and closes it whatever happens.

    Parameters
    ----------
    role
        What to run.
    log, clock, metrics, health
        Of its process.
    """

    def __init__(
        self, role: Role, log: Log, clock: Clock, metrics: Metrics, health: HealthServer
    ) -> None:
        self._role = role
        self._metrics = metrics
        self._health = health
        self._log_metrics = LogMetrics(log, metrics, clock)
        self._retries = metrics.counter("gsr_retries_total")
        self._backoff = _FIRST_BACKOFF_SECONDS
        self._next_check = Periodic(clock, _CHECKS_SECONDS)
        self._next_return = Periodic(clock, RETURN_SECONDS, first=RETURN_SECONDS)

    def run(self, stop: threading.Event, watch: TopicWatch) -> None:
        """Step until `stop` is set.

        Raises
        ------
        GsrError, StreamError, ModelError
            One that is not `retriable`, of the role or of `watch`.
        """
        failed = True
        try:
            self._metrics.beat()
            # Before the first step nothing but these keeps it unready.
            self._health.update(self._role.checks())
            self._health.started()
            _logger.info("%s runs", self._metrics.role)
            while not stop.is_set():
                worked = self._step(stop)
                self._metrics.step_done()
                watch.check()
                if self._next_check.due():
                    self._health.update(self._role.checks())
                    self._log_metrics.update()
                if self._next_return.due():
                    return_memory()
                if not worked:
                    stop.wait(_IDLE_SECONDS)
            failed = False
        finally:
            self._health.stopping()
            self._close(failed=failed)

    def _step(self, stop: threading.Event) -> bool:
        """Let the role take a step; after passing trouble wait, longer each time in a row."""
        try:
            worked = self._role.step()
        except (GsrError, StreamError, ModelError) as error:
            if not error.retriable:
                raise
            self._retries.inc()
            _logger.warning("%s; trying again in %.1f s", error, self._backoff)
            stop.wait(self._backoff)
            self._backoff = min(2 * self._backoff, _LONGEST_BACKOFF_SECONDS)
            return True
        self._backoff = _FIRST_BACKOFF_SECONDS
        return worked

    def _close(self, *, failed: bool) -> None:
        try:
            self._role.close()
        except (GsrError, StreamError, ModelError, OSError) as error:
            if not failed:
                raise
            # The error that ended the loop matters more, and often caused this one.
            _logger.warning("while closing after an error: %s", error)

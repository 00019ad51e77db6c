"""The process of a role: loop, signals, heartbeat, health, orderly end."""

import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Final, Protocol

from consumers.artifacts.store import ArtifactStore, open_artifacts
from consumers.config.sections.log import LogSection
from consumers.config.settings import GsrConfig
from consumers.errors import GsrError
from consumers.metrics.registry import Metrics
from consumers.offline.bootstrap.unfinished import refuse_unfinished
from consumers.runtime.allocator import RETURN_SECONDS, return_memory, settle_allocator
from consumers.runtime.garbage import collect_as_usual, collect_rarely
from consumers.runtime.health import HealthServer
from consumers.runtime.log_metrics import LogMetrics
from consumers.runtime.log_output import set_up_logging
from consumers.runtime.parent_watch import parent_watched
from consumers.runtime.topic_watch import TopicWatch, watched_topics
from gsr.errors import ModelError
from stream.clock import Clock, Periodic, SystemClock
from stream.errors import StreamError
from stream.log.interface import Log
from stream.log.opening import open_log

_IDLE_SECONDS: Final = 0.005
_CHECKS_SECONDS: Final = 0.25
_FIRST_BACKOFF_SECONDS: Final = 0.1
_LONGEST_BACKOFF_SECONDS: Final = 5.0
_WATCH_SECONDS: Final = 1.0
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_logger = logging.getLogger(__name__)


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


def run_role(
    name: str,
    factory: RoleFactory,
    config: GsrConfig,
    *,
    stop: threading.Event | None = None,
    announce: Callable[[HealthServer], None] | None = None,
) -> None:
    """Run a role until SIGTERM or SIGINT, or until `stop` is set.

    Passing trouble (errors whose class says `retriable`) is retried for ever, with growing
    pauses; any other error ends the role in order and is raised.

    Parameters
    ----------
    name
        `ingest`, `trainer` or `publisher`.
    factory
        Builds the role; may take long (restore): `/livez` is true and `/readyz` false meanwhile.
    config
        The whole configuration.
    stop
        Another way to end the role; without it signals are handled (main thread only).
    announce
        Told of the HTTP server once it answers.

    Raises
    ------
    PortBusyError
        Before anything else was touched.
    ConfigError
        The state was left by a bootstrap that has not come to its end.
    """
    refuse_unfinished(config)
    settle_allocator()
    set_up_logging(name, config.process)
    clock = SystemClock()
    metrics = Metrics(name, clock)
    host, port = config.http.host, getattr(config.http, f"{name}_port")
    health = HealthServer(host, port, metrics, config.http.heartbeat_limit_seconds)
    _logger.info("http://%s/metrics /livez /readyz", health.address)
    with ExitStack() as stack:
        stack.callback(health.close)  # last of all, so that the last figures are scraped
        if announce is not None:
            announce(health)
        if stop is None:
            stop = threading.Event()
            stack.enter_context(_signals_set(stop, health))
        stack.enter_context(_watched(metrics, health))
        stack.enter_context(parent_watched(lambda done: _stop_orphan(config, done)))
        log = open_log(config.log.url, clock, config.kafka)
        stack.callback(log.close)
        stack.callback(collect_as_usual)
        for spec in config.log.topics():
            log.create_topic(spec)
        used = used_topics(name, config.log)
        watch = stack.enter_context(watched_topics(log, used, config.log.clicks, clock))
        _loop(name, factory, config, (log, clock, metrics, health), stop, watch)
    _logger.info("stopped")


def used_topics(role: str, log: LogSection) -> list[str]:
    """Return the topics without which a role cannot go on.

    Those of ingest are all, since it also tidies an embedded log up.
    """
    if role == "ingest":
        return [spec.name for spec in log.topics()]
    if role == "publisher":
        return [log.sequences, log.recommendations, log.default_recommendations, log.items]
    return []  # the trainer learns from checkpoints


def _loop(
    name: str,
    factory: RoleFactory,
    config: GsrConfig,
    surroundings: tuple[Log, Clock, Metrics, HealthServer],
    stop: threading.Event,
    watch: TopicWatch,
) -> None:
    log, clock, metrics, health = surroundings
    role = factory(config, log, clock, metrics, open_artifacts(config, clock))
    collect_rarely()
    retries = metrics.counter("gsr_retries_total")
    log_metrics = LogMetrics(log, metrics, clock)
    failed = True
    try:
        metrics.beat()
        health.update(role.checks())  # before the first step nothing but these keeps it unready
        health.started()
        _logger.info("%s runs", name)
        backoff = _FIRST_BACKOFF_SECONDS
        next_check = Periodic(clock, _CHECKS_SECONDS)
        next_return = Periodic(clock, RETURN_SECONDS, first=RETURN_SECONDS)
        while not stop.is_set():
            try:
                worked = role.step()
                backoff = _FIRST_BACKOFF_SECONDS
            except (GsrError, StreamError, ModelError) as error:
                if not error.retriable:
                    raise
                retries.inc()
                _logger.warning("%s; trying again in %.1f s", error, backoff)
                stop.wait(backoff)
                backoff = min(2 * backoff, _LONGEST_BACKOFF_SECONDS)
                worked = True
            metrics.step_done()
            watch.check()
            if next_check.due():
                health.update(role.checks())
                log_metrics.update()
            if next_return.due():
                return_memory()
            if not worked:
                stop.wait(_IDLE_SECONDS)
        failed = False
    finally:
        health.stopping()
        _close(role, failed)


def _close(role: Role, failed: bool) -> None:
    try:
        role.close()
    except (GsrError, StreamError, ModelError, OSError) as error:
        if not failed:
            raise
        # The error that ended the loop matters more, and often caused this one.
        _logger.warning("while closing after an error: %s", error)


@contextmanager
def _signals_set(stop: threading.Event, health: HealthServer) -> Iterator[None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        health.stopping()
        stop.set()

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    try:
        yield
    finally:
        faulthandler.unregister(signal.SIGUSR1)
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop_orphan(config: GsrConfig, done: threading.Event) -> None:
    _logger.error("the supervisor is gone: stopping")
    os.kill(os.getpid(), signal.SIGTERM)
    if not done.wait(config.process.stop_seconds):
        os._exit(1)  # the loop hangs, and nobody is left to kill this process


@contextmanager
def _watched(metrics: Metrics, health: HealthServer) -> Iterator[None]:
    """Print all stacks when the loop hangs."""
    done = threading.Event()

    def watch() -> None:
        shown = False
        while not done.wait(_WATCH_SECONDS):
            hangs = not all(health.live().values())
            if hangs and not shown:
                _logger.error(
                    "the loop has not come round for %.0f s; stacks follow", metrics.heartbeat_age()
                )
                faulthandler.dump_traceback(sys.__stderr__ or 2, all_threads=True)
            shown = hangs

    thread = threading.Thread(target=watch, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()

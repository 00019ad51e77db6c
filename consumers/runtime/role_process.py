"""The process of a role: health, signals, log and topics around its loop."""

import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Final

from consumers.artifacts.store import ArtifactStore, open_artifacts
from consumers.config.sections.log import LogSection
from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.offline.bootstrap.unfinished import refuse_unfinished
from consumers.runtime.allocator import settle_allocator
from consumers.runtime.garbage import collect_as_usual, collect_rarely
from consumers.runtime.health import HealthServer
from consumers.runtime.interruption import signals_handled
from consumers.runtime.log_output import set_up_logging
from consumers.runtime.parent_watch import parent_watched
from consumers.runtime.role_loop import Role, RoleLoop
from consumers.runtime.topic_watch import watched_topics
from gsr.compiling import compiling_heard, compiling_told
from stream.clock import Clock, SystemClock
from stream.log.interface import Log
from stream.log.opening import open_log

_WATCH_SECONDS: Final = 1.0

_logger = logging.getLogger(__name__)


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
        `ingest`, `trainer`, `publisher` or `serve`.
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
        # A warning, which the demo shows too: the role answers late meanwhile.
        stack.enter_context(compiling_told(_logger.warning))
        stack.enter_context(compiling_heard(metrics.beat))
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
        role = factory(config, log, clock, metrics, open_artifacts(config, clock))
        collect_rarely()
        RoleLoop(role, log, clock, metrics, health).run(stop, watch)
    _logger.info("stopped")


def used_topics(role: str, log: LogSection) -> list[str]:
    """Return the topics without which a role cannot go on.

    Those of ingest are all, since it also tidies an embedded log up.
    """
    if role == "ingest":
        return [spec.name for spec in log.topics()]
    if role == "publisher":
        return [log.sequences, log.recommendations, log.default_recommendations, log.items]
    if role == "serve":
        return [
            *(log.clicks, log.sequences),
            *(log.recommendations, log.default_recommendations, log.items),
        ]
    return []  # the trainer learns from checkpoints


@contextmanager
def _signals_set(stop: threading.Event, health: HealthServer) -> Iterator[None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        health.stopping()
        stop.set()

    faulthandler.register(signal.SIGUSR1, all_threads=True)
    try:
        with signals_handled((signal.SIGTERM, signal.SIGINT), handle):
            yield
    finally:
        faulthandler.unregister(signal.SIGUSR1)


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

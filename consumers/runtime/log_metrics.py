"""A log's own counts of trouble, copied into metrics."""

from typing import Protocol, runtime_checkable

from consumers.metrics.registry import Metrics
from stream.clock import Clock
from stream.log.interface import Log
from stream.log.kafka.cluster.trouble_counts import KafkaFigures


@runtime_checkable
class TellsFigures(Protocol):
    """A log on a cluster, which counts what it had to get over."""

    @property
    def figures(self) -> KafkaFigures:
        """Counts since it was opened."""
        ...

    def heartbeat_age_seconds(self) -> float | None:
        """Return how long ago a group last heard of this process; None: no member."""
        ...


class LogMetrics:
    """Copies a log's figures into metrics; does nothing for a log that has none.

    Parameters
    ----------
    log
        Any log.
    metrics, clock
        Of the role.
    """

    def __init__(self, log: Log, metrics: Metrics, clock: Clock) -> None:
        self._log = log if isinstance(log, TellsFigures) else None
        self._metrics = metrics
        self._clock = clock
        self._counted: dict[str, int] = {}

    def update(self) -> None:
        """Bring the metrics up to date; to be called on the role's thread, now and then."""
        if self._log is None:
            return
        figures = self._log.figures
        events = self._metrics.counter("gsr_log_events_total")
        for event, count in figures.counts().items():
            events.labels(event).inc(count - self._counted.get(event, 0))
            self._counted[event] = count
        gauge = self._metrics.gauge
        gauge("gsr_log_partitions_past_end").set(figures.waiting_past_end)
        gauge("gsr_log_slow_decoder").set(figures.fallback)
        age = self._log.heartbeat_age_seconds()
        if age is not None:
            gauge("gsr_log_member_heartbeat_timestamp_seconds").set(self._clock.time() - age)

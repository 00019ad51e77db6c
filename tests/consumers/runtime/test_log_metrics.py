"""A log's troubles show as metrics."""

from consumers.metrics.catalogue.process import LOG_EVENTS
from consumers.metrics.registry import Metrics
from consumers.runtime.log_metrics import LogMetrics
from stream.clock import ManualClock
from stream.log.embedded.memory import MemoryLog
from stream.log.kafka.cluster.trouble_counts import EVENTS, KafkaFigures


class _Cluster(MemoryLog):
    """A log in memory that tells figures as one on a cluster does."""

    figures = KafkaFigures()
    age: float | None = None

    def heartbeat_age_seconds(self) -> float | None:
        return self.age


def test_the_catalogue_knows_every_event() -> None:
    """So each has its series from the start."""
    assert LOG_EVENTS == EVENTS


def test_counts_and_age() -> None:
    """Counts grow by what is new; the heartbeat is told as a time."""
    clock = ManualClock(1000.0)
    log, metrics = _Cluster(clock), Metrics("ingest", clock)
    watched = LogMetrics(log, metrics, clock)
    log.figures.count("rebalances", 2)
    watched.update()
    log.figures.count("rebalances")
    log.age = 4.0
    watched.update()
    value = metrics.registry.get_sample_value
    assert value("gsr_log_events_total", {"event": "rebalances"}) == 3
    assert value("gsr_log_member_heartbeat_timestamp_seconds") == 996.0


def test_a_log_without_figures() -> None:
    """The embedded log has none."""
    clock = ManualClock()
    metrics = Metrics("ingest", clock)
    LogMetrics(MemoryLog(clock), metrics, clock).update()
    assert metrics.registry.get_sample_value("gsr_log_events_total", {"event": "stalls"}) == 0

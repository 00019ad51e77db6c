"""Counting and measuring: one registry per process, metrics from the catalogue only."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from stream.clock import Clock


class Metrics:
    """The metrics of one role.

    Every name must be in `consumers.metric_catalogue.CATALOGUE` for this role; label sets that
    the catalogue lists exist from the start, at 0.

    Parameters
    ----------
    role
        `ingest`, `trainer` or `publisher`.
    clock
        Stamps the heartbeat.

    Examples
    --------
    >>> from stream.clock import ManualClock
    >>> metrics = Metrics("ingest", ManualClock(100.0))
    >>> metrics.counter("gsr_ingest_records_total").inc(3)
    """

    registry: CollectorRegistry

    def __init__(self, role: str, clock: Clock) -> None:
        raise NotImplementedError

    def counter(self, name: str) -> Counter:
        """Return a counter of the catalogue; with labels call `.labels(...)` on it."""
        raise NotImplementedError

    def gauge(self, name: str) -> Gauge:
        """Return a gauge of the catalogue."""
        raise NotImplementedError

    def histogram(self, name: str) -> Histogram:
        """Return a histogram of the catalogue."""
        raise NotImplementedError

    def on_scrape(self, callback: Callable[[], None]) -> None:
        """Have `callback` set gauges just before each scrape.

        It runs on the HTTP thread: it may only read, and must be quick.
        """
        raise NotImplementedError

    def beat(self) -> None:
        """Say that the role's loop is alive; long steps call this on the way."""
        raise NotImplementedError

    def render(self) -> bytes:
        """Return the text exposition."""
        raise NotImplementedError

"""Registry of a role's metrics, all of them from the catalogue."""

import contextlib
import itertools
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics import MetricWrapperBase

from consumers.metrics.catalogue import CATALOGUE
from consumers.metrics.catalogue.spec import MetricSpec
from consumers.metrics.names import CounterName, GaugeName, HistogramName
from stream.clock import Clock

# One extra series per counter that no one asks for, and that has no entry in the catalogue.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves it untyped

_MetricT = TypeVar("_MetricT", bound=MetricWrapperBase)


class Metrics:
    """The metrics of one role.

    Those of the catalogue for this role and for every role; label sets that the catalogue lists
    exist from the start, at 0.

    Parameters
    ----------
    role
        `ingest`, `trainer`, `publisher` or `serve`.
    clock
        Stamps the heartbeat.

    Examples
    --------
    >>> from stream.clock import ManualClock
    >>> metrics = Metrics("ingest", ManualClock(100.0))
    >>> metrics.counter("gsr_ingest_records_total").inc(3)
    >>> metrics.registry.get_sample_value("gsr_ingest_records_total")
    3.0
    """

    def __init__(self, role: str, clock: Clock) -> None:
        self.role = role
        self.registry = CollectorRegistry(auto_describe=True)
        self._clock = clock
        self._callbacks: list[Callable[[], None]] = []
        self._metrics: dict[str, MetricWrapperBase] = {
            spec.name: _create(spec, self.registry)
            for spec in CATALOGUE
            if spec.role in (None, role)
        }
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._get("gsr_build_info", Info).info(
            {"version": gsr_version(), "python": platform.python_version(), "role": role}
        )
        self._steps = self.counter("gsr_steps_total")
        self._heartbeat = self.gauge("gsr_heartbeat_timestamp_seconds")
        self._last_beat = 0.0
        self.beat()

    def counter(self, name: CounterName) -> Counter:
        """Return a counter of the catalogue; with labels call `.labels(...)` on it."""
        return self._get(name, Counter)

    def gauge(self, name: GaugeName) -> Gauge:
        """Return a gauge of the catalogue."""
        return self._get(name, Gauge)

    def histogram(self, name: HistogramName) -> Histogram:
        """Return a histogram of the catalogue."""
        return self._get(name, Histogram)

    def forget(self, name: GaugeName, *labels: str) -> None:
        """Drop the series of these label values, of something that has moved elsewhere."""
        with contextlib.suppress(KeyError):
            self._get(name, MetricWrapperBase).remove(*labels)

    def on_scrape(self, callback: Callable[[], None]) -> None:
        """Have `callback` set gauges just before each scrape.

        It runs on the HTTP thread: it may only read, and must be quick.
        """
        self._callbacks.append(callback)

    def beat(self) -> None:
        """Say that the role's loop is alive; long steps call this on the way."""
        self._last_beat = self._clock.monotonic()
        self._heartbeat.set(self._clock.time())

    def heartbeat_age(self) -> float:
        """Return seconds since the last `beat`."""
        return self._clock.monotonic() - self._last_beat

    def step_done(self) -> None:
        """Count one round of the loop, and beat."""
        self._steps.inc()
        self.beat()

    def render(self) -> bytes:
        """Return the text exposition."""
        for callback in self._callbacks:
            callback()
        return generate_latest(self.registry)

    def _get(self, name: str, kind: type[_MetricT]) -> _MetricT:
        metric = self._metrics.get(name)
        if not isinstance(metric, kind):
            raise LookupError(  # noqa: TRY004  # a wrong name, not a wrong type
                f"{self.role} has no {kind.__name__.lower()} {name} in the catalogue"
            )
        return metric


def gsr_version() -> str:
    """Return the installed version, `unknown` where gsr runs without being installed."""
    try:
        return version("gsr")
    except PackageNotFoundError:
        return "unknown"


def _create(spec: MetricSpec, registry: CollectorRegistry) -> MetricWrapperBase:
    labels = tuple(spec.labels)
    metric: MetricWrapperBase
    if spec.kind == "counter":
        metric = Counter(spec.name, spec.help, labels, registry=registry)
    elif spec.kind == "gauge":
        metric = Gauge(spec.name, spec.help, labels, registry=registry)
    elif spec.kind == "histogram":
        metric = Histogram(spec.name, spec.help, labels, registry=registry, buckets=spec.buckets)
    else:
        metric = Info(spec.name.removesuffix("_info"), spec.help, labels, registry=registry)
    if labels:
        for values in itertools.product(*spec.labels.values()):
            metric.labels(*values)
    return metric

"""Description of one metric.

The rules of the names: prefix `gsr_`, base units in plural as a suffix, `_total` on counters only,
`_ratio` for 0 to 1, `_timestamp_seconds` for *when* (an age is `time() - x` in a query), no ids as
labels, and a sum over any label makes sense or the label is what one selects by (`k`, `slice`,
`model`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from consumers.metrics.names import CounterName, GaugeName, HistogramName, InfoName

Kind = Literal["counter", "gauge", "histogram", "info"]
RoleName = Literal["ingest", "trainer", "publisher", "serve"]
Labels = Mapping[str, tuple[str, ...]]
"""Label -> its values, which exist from the start at 0; none where they are known only later."""

ROLES: Final[tuple[RoleName, ...]] = ("ingest", "trainer", "publisher", "serve")
_SUBJECTS: Final[Mapping[RoleName, tuple[str, ...]]] = {
    "ingest": ("ingest",),
    "trainer": ("trainer",),
    "publisher": ("publisher", "served"),
    "serve": ("serve",),
}
"""What the names of a role's metrics begin with, after `gsr_`."""
PARTITION_CHANGES: Final = ("assigned", "revoked", "lost", "fenced")


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric.

    Parameters
    ----------
    kind
        Counter, gauge, histogram or info.
    name
        As scraped; counters with `_total`.
    help
        What is measured; one line in /metrics.
    meaning
        What an operator reads from it.
    labels
        Label -> its values, which exist from the start at 0; no values where they are only known
        later (partitions).
    buckets
        Upper bounds of a histogram, in its unit.
    """

    kind: Kind
    name: str
    help: str
    meaning: str
    labels: Labels = field(default_factory=dict)
    buckets: tuple[float, ...] = ()

    @property
    def role(self) -> RoleName | None:
        """Whose it is; None: every role has it."""
        subject = self.name.split("_")[1]
        return next((role for role in ROLES if subject in _SUBJECTS[role]), None)


def counter(name: CounterName, text: str, meaning: str, labels: Labels | None = None) -> MetricSpec:
    """Describe a counter."""
    return MetricSpec("counter", name, text, meaning, labels or {})


def gauge(name: GaugeName, text: str, meaning: str, labels: Labels | None = None) -> MetricSpec:
    """Describe a gauge."""
    return MetricSpec("gauge", name, text, meaning, labels or {})


def histogram(
    name: HistogramName, text: str, meaning: str, buckets: tuple[float, ...]
) -> MetricSpec:
    """Describe a histogram."""
    return MetricSpec("histogram", name, text, meaning, buckets=buckets)


def info(name: InfoName, text: str, meaning: str) -> MetricSpec:
    """Describe a metric whose labels are facts about the process."""
    return MetricSpec("info", name, text, meaning)

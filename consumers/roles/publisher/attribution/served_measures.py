"""Metrics of what became of the lists: clicks, hits by position, hit rate by model version."""

from typing import Final

import numpy as np
import numpy.typing as npt

from consumers.metrics.catalogue.served import MODELS, OUTCOMES, POSITIONS, SERVED_REASONS
from consumers.metrics.registry import Metrics
from consumers.roles.publisher.attribution.list_judge import (
    COUNTED,
    HIT,
    MISS,
    Verdicts,
)

WINDOW: Final = 10_000
"""The hit ratio is that of so many clicks."""
_LAST_PLACES: Final = np.array([int(text.split("-")[-1]) for text in POSITIONS[:-1]])


class ServedMeasures:
    """Counts verdicts.

    Parameters
    ----------
    metrics
        Of the role.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._window = np.zeros(0, dtype=np.bool_)
        self._versions: dict[int, list[int]] = {}

    def count(self, verdicts: Verdicts) -> None:
        """Add the verdicts of some clicks."""
        fresh = verdicts.outcomes != COUNTED
        outcomes, reasons = verdicts.outcomes[fresh], verdicts.reasons[fresh]
        if not len(outcomes):
            return
        clicks = self._metrics.counter("gsr_served_clicks_total")
        for outcome, reason, count in _counts(outcomes, reasons):
            clicks.labels(OUTCOMES[outcome], SERVED_REASONS[reason]).inc(count)
        named = int(verdicts.named[fresh].sum())
        self._metrics.counter("gsr_served_named_clicks_total").inc(named)
        hit = verdicts.outcomes == HIT
        hits = self._metrics.counter("gsr_served_hits_total")
        positions = np.searchsorted(_LAST_PLACES, verdicts.places[hit])
        for position, reason, count in _counts(positions, verdicts.reasons[hit]):
            hits.labels(POSITIONS[position], SERVED_REASONS[reason]).inc(count)
        judged = hit | (verdicts.outcomes == MISS)
        self._count_judged(hit[judged], verdicts.versions[judged])

    def _count_judged(self, hits: npt.NDArray[np.bool_], versions: npt.NDArray[np.int64]) -> None:
        """Count the clicks whose list is known, for the window and by version."""
        if not len(hits):
            return
        self._window = np.concatenate([self._window, hits])[-WINDOW:]
        self._metrics.gauge("gsr_served_hit_ratio").set(float(self._window.mean()))
        found, at = np.unique(versions, return_inverse=True)
        clicks, hit = np.bincount(at), np.bincount(at, weights=hits)
        for version, more, more_hits in zip(
            found.tolist(), clicks.tolist(), hit.tolist(), strict=True
        ):
            counts = self._versions.setdefault(version, [0, 0])
            counts[0] += more
            counts[1] += int(more_hits)
        # Those that leave are older than those that stay, so none that left comes back.
        newest = sorted(self._versions, reverse=True)[: len(MODELS)]
        self._versions = {version: self._versions[version] for version in newest}
        self._show_versions()

    def _show_versions(self) -> None:
        gauge = self._metrics.gauge
        for model, (version, (clicks, hits)) in zip(MODELS, self._versions.items(), strict=False):
            gauge("gsr_served_model_version").labels(model).set(version)
            gauge("gsr_served_model_clicks").labels(model).set(clicks)
            gauge("gsr_served_model_hits").labels(model).set(hits)


def _counts(
    first: npt.NDArray[np.integer], second: npt.NDArray[np.uint8]
) -> list[tuple[int, int, int]]:
    """Return each pair of small numbers that occurs, and how often."""
    pairs = first.astype(np.int64) * len(SERVED_REASONS) + second
    counts = np.bincount(pairs)
    return [
        (*divmod(pair, len(SERVED_REASONS)), int(counts[pair]))
        for pair in np.flatnonzero(counts).tolist()
    ]

"""Damaged and foreign records on the topics that are served: reported, counted, passed over."""

import logging

from consumers.metrics.registry import Metrics
from stream.errors import RecordsDamagedError

_LOGGER = logging.getLogger(__name__)


class ReadTrouble:
    """Reports and counts what cannot be read; the rest is served.

    Parameters
    ----------
    metrics
        Of the role.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def damaged(self, damage: RecordsDamagedError) -> None:
        """Say that a stretch cannot be read, and count its records."""
        self._metrics.counter("gsr_serve_damaged_records_total").inc(damage.records)
        _LOGGER.error(
            "%s. It is passed over: lists and clicks of some users are out of date here.", damage
        )

    def foreign(self) -> None:
        """Count a record of another format."""
        self._metrics.counter("gsr_serve_foreign_records_total").inc()

"""Damaged and foreign records on the topics that a publisher reads: reported and counted."""

import logging

from consumers.metrics.registry import Metrics
from stream.errors import RecordsDamagedError

_LOGGER = logging.getLogger(__name__)


class ReadTrouble:
    """Reports and counts damage and foreign records; lists are made from the rest.

    Parameters
    ----------
    metrics
        Of the role.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._told: set[tuple[str, int, int]] = set()

    def damaged(self, damage: RecordsDamagedError) -> None:
        """Say once that a stretch cannot be read, and count its records."""
        place = (damage.topic, damage.partition, damage.offset)
        if place in self._told:
            return
        self._told.add(place)
        self._metrics.counter("gsr_publisher_damaged_records_total").inc(damage.records)
        _LOGGER.error(
            "%s. It is passed over: what it said of users and items is not known any more.", damage
        )

    def foreign(self) -> None:
        """Count a record of another format."""
        self._metrics.counter("gsr_publisher_foreign_records_total").inc()

"""Damaged and foreign records on the topics that a role reads: reported, counted, passed over."""

import logging
from typing import Final, Literal, NamedTuple

from consumers.metrics.names import CounterName
from consumers.metrics.registry import Metrics
from stream.errors import RecordsDamagedError

_LOGGER = logging.getLogger(__name__)


class _Words(NamedTuple):
    """The counters of a role, and what it means that records are passed over."""

    damaged: CounterName
    foreign: CounterName
    outcome: str


_WORDS: Final = {
    "publisher": _Words(
        "gsr_publisher_damaged_records_total",
        "gsr_publisher_foreign_records_total",
        "what it said of users and items is not known any more",
    ),
    "serve": _Words(
        "gsr_serve_damaged_records_total",
        "gsr_serve_foreign_records_total",
        "lists and clicks of some users are out of date here",
    ),
}
KEPT_PLACES: Final = 10_000
"""Stretches that are known to have been told of; beyond, all are forgotten and told of again."""


class ReadTrouble:
    """Reports and counts what cannot be read; the role goes on with the rest.

    Parameters
    ----------
    metrics
        Of the role.
    role
        Whose counters they are.
    """

    def __init__(self, metrics: Metrics, role: Literal["publisher", "serve"]) -> None:
        words = _WORDS[role]
        self._damaged = metrics.counter(words.damaged)
        self._foreign = metrics.counter(words.foreign)
        self._outcome = words.outcome
        self._told: set[tuple[str, int, int]] = set()

    def damaged(self, damage: RecordsDamagedError) -> None:
        """Say once that a stretch cannot be read, and count its records."""
        place = (damage.topic, damage.partition, damage.offset)
        if place in self._told:
            return
        if len(self._told) >= KEPT_PLACES:
            self._told.clear()
        self._told.add(place)
        self._damaged.inc(damage.records)
        _LOGGER.error("%s. It is passed over: %s.", damage, self._outcome)

    def foreign(self) -> None:
        """Count a record of another format."""
        self._foreign.inc()

"""Counts of a Kafka log's trouble: reconnects, retries, rebalances, stalls."""

import threading
from collections import Counter
from typing import Final, Literal, get_args

from stream.log.kafka.cluster.reachability import Reachability

Event = Literal[
    "reconnects",  # clients that were given up and opened anew
    "retries",  # calls that were tried again after passing trouble
    "rebalances",  # assignments taken by this process's members
    "lost_partitions",  # partitions taken away without being asked
    "fetch_errors",  # polls that ended in an error
    "stalls",  # readers that got nothing although there was something
]
EVENTS: Final[tuple[Event, ...]] = get_args(Event)


class KafkaFigures:
    """Counts since the log was opened; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Event] = Counter()
        self.fallback = False
        """Whether some reader decodes record by record, not by batch."""
        self.brokers: Final = Reachability()
        """Which brokers cannot be reached."""
        self.waiting_past_end = 0
        """Partitions whose position is past the log's end: their log has lost records."""

    def fell_back(self) -> None:
        """Remember that something was decoded record by record."""
        self.fallback = True

    def count(self, event: Event, by: int = 1) -> None:
        """Count `event`."""
        with self._lock:
            self._counts[event] += by

    def counts(self) -> dict[Event, int]:
        """Return each event's count."""
        with self._lock:
            return {event: self._counts[event] for event in EVENTS}

"""Appends lists and their withdrawals, as the only publisher of each partition."""

from collections.abc import Iterable
from typing import Final

from consumers.config import LogSection
from stream.events.recommendation import Recommendation
from stream.log.interface import Log, Outgoing, Writer

DEFAULT_KEY: Final = b"default"
"""Key of the one record on the topic of default lists."""


class ListSender:
    """Writers of recommendations, one per partition, each locking out its predecessors.

    Parameters
    ----------
    log
        The log.
    topics
        Names of the topics.
    """

    def __init__(self, log: Log, topics: LogSection) -> None:
        self._writers: dict[int, Writer] = {
            partition: log.writer(topics.recommendations, fence=f"publisher-{partition}")
            for partition in log.end_offsets(topics.recommendations)
        }
        self._default = log.writer(topics.default_recommendations, fence="publisher")

    def send(self, lists: Iterable[tuple[int, Recommendation]]) -> None:
        """Append each (partition, list); durable on return."""
        self._append((partition, one.user_id.encode(), one.encode()) for partition, one in lists)

    def withdraw(self, users: Iterable[tuple[int, str]]) -> None:
        """Append a tombstone for each (partition, user); durable on return."""
        self._append((partition, user_id.encode(), None) for partition, user_id in users)

    def send_default(self, default: Recommendation) -> None:
        """Append the default list."""
        self._default.append([Outgoing(DEFAULT_KEY, default.encode())])

    def close(self) -> None:
        """Let go of the writers."""
        for writer in self._writers.values():
            writer.close()
        self._default.close()

    def _append(self, records: Iterable[tuple[int, bytes, bytes | None]]) -> None:
        by_partition: dict[int, list[Outgoing]] = {}
        for partition, key, value in records:
            by_partition.setdefault(partition, []).append(Outgoing(key, value, partition=partition))
        for partition, outgoing in by_partition.items():
            self._writers[partition].append(outgoing)

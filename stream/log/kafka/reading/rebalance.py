"""Rebalances, passed from kafka-python's network thread to the thread that polls."""

import logging
from collections import deque
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from kafka import ConsumerRebalanceListener, TopicPartition


class Change(NamedTuple):
    """A change of a member's partitions.

    Parameters
    ----------
    kind
        Which call of `RebalanceListener` it becomes.
    partitions
        Sorted.
    """

    kind: Literal["assigned", "revoked", "lost"]
    partitions: tuple[int, ...]


class RebalanceInterrupt(Exception):  # noqa: N818 - raised to be caught, never an error
    """Ends the poll in which a rebalance happened, so that its caller handles the changes."""


class RebalanceQueue(ConsumerRebalanceListener):  # type: ignore[misc] # kafka-python is untyped
    """Takes changes down and interrupts the poll.

    kafka-python calls listeners in its network thread, where nothing that waits for the cluster
    may be called and a slow listener stops the heartbeats. An error of a listener, however, ends
    the poll, at a well-defined point. So the changes are kept, the poll is ended, and the poller
    handles them in its own thread, free to seek, to save positions and to take its time.

    This holds for the cooperative protocol, where a member learns after the rebalance what it is
    to give up, and nobody else gets that before the member has joined once more.
    """

    def __init__(self) -> None:
        self.changes: deque[Change] = deque()
        self._closed = False

    def close(self) -> None:
        """Leave without a word: whoever closes knows what it owned."""
        self._closed = True
        self.changes.clear()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Keep what was taken over."""
        self._interrupt("assigned", assigned)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Keep what is to be given up: nobody else gets it before this member joins again."""
        self._interrupt("revoked", revoked)

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """Keep what is gone already."""
        self._interrupt("lost", lost)

    def _interrupt(
        self, kind: Literal["assigned", "revoked", "lost"], places: Iterable[TopicPartition]
    ) -> None:
        partitions = tuple(sorted(place.partition for place in places))
        if self._closed or not partitions:
            return
        self.changes.append(Change(kind, partitions))
        raise RebalanceInterrupt


class _Quiet(logging.Filter):
    """Drops kafka-python's report of an interrupt as an error of the listener."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log `record`."""
        return not (
            isinstance(record.exc_info, tuple)
            and isinstance(record.exc_info[1], RebalanceInterrupt)
        )


_COORDINATOR_LOG: Final = logging.getLogger("kafka.coordinator.consumer")
_COORDINATOR_LOG.addFilter(_Quiet())

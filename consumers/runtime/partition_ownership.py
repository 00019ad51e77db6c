"""Ownership of a topic's partitions by one member of a group."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Final, Generic, TypeVar

from prometheus_client import Counter

from stream.clock import Clock
from stream.errors import FencedError
from stream.log.interface import Reader

_LOGGER = logging.getLogger(__name__)

FENCED_PATIENCE_SECONDS: Final = 120.0
"""How long the group may take to say what a fence has said already: the partition has moved."""
STANDBY_SECONDS: Final = 15.0
"""Who was given no partition for so long has joined a group that needs it only later."""

Opening = TypeVar("Opening")


class PartitionOwnership(ABC, Generic[Opening]):
    """Begins to open what the group assigns, lets go of what it takes or what a fence has moved.

    It is the reader's `RebalanceListener`. `assigned` only notes: until a partition is open, which
    the role does step by step, it is paused while polling goes on.

    Parameters
    ----------
    member
        The kind of the group's members, for messages.
    group
        The name of the group.
    fenced_topic
        The topic whose partitions only one member may use at a time, for messages.
    clock
        Times the waits.
    changes
        Counts partitions by what happened to them: assigned, revoked, lost, fenced.
    """

    def __init__(
        self, *, member: str, group: str, fenced_topic: str, clock: Clock, changes: Counter
    ) -> None:
        self._member = member
        self._group = group
        self._fenced_topic = fenced_topic
        self._clock = clock
        self._changes = changes
        self._openings: dict[int, Opening] = {}
        self._fenced: dict[int, float] = {}
        self._waits_since: float | None = clock.monotonic()
        self._reader: Reader | None = None

    def read_with(self, reader: Reader) -> None:
        """Take the reader whose listener this is; from now on the group's word is waited for."""
        self._reader = reader
        if self._waits_since is not None:
            self._waits_since = self._clock.monotonic()

    @property
    @abstractmethod
    def open_partitions(self) -> Collection[int]:
        """The partitions that are open."""

    @property
    def opening(self) -> bool:
        """Whether some partitions are on their way."""
        return bool(self._openings)

    @property
    def joining(self) -> bool:
        """Whether the group has still to say who owns what."""
        return self._waits_since is not None

    def settled(self) -> bool:
        """Tell whether the group has given its partitions out; a standby gets none, and no word."""
        since = self._waits_since
        return since is None or self._clock.monotonic() - since >= STANDBY_SECONDS

    def positions(self) -> dict[int, int]:
        """Return where the open partitions are read on."""
        if self._reader is None:
            return {}
        owned = self.open_partitions
        return {p: self._reader.position(p) for p in self._reader.assignment if p in owned}

    def assigned(self, partitions: Sequence[int]) -> None:
        """Note that `partitions` are to be opened; they are paused until then."""
        self._waits_since = None
        for partition in partitions:
            if partition not in self.open_partitions and partition not in self._openings:
                self._fenced.pop(partition, None)
                self._openings[partition] = self._begin(partition)
        self._pause(partitions)
        self._count("assigned", len(partitions))

    def revoked(self, partitions: Sequence[int]) -> None:
        """Let go of what the group takes."""
        self._let_go(partitions)
        self._count("revoked", len(partitions))

    def lost(self, partitions: Sequence[int]) -> None:
        """Let go at once: another process may own them already."""
        self._waits_since = self._clock.monotonic()
        self._let_go(partitions)
        self._count("lost", len(partitions))

    def fence(self, partition: int) -> None:
        """Let go of a partition that another process has taken; the group will say so too."""
        _LOGGER.warning(
            "partition %d: another %s has taken over; waiting for the group",
            partition,
            self._member,
        )
        self._fenced[partition] = self._clock.monotonic()
        self._drop(partition)
        self._pause([partition])
        self._count("fenced", 1)

    def refuse_two_owners(self) -> None:
        """Refuse to go on where a fence has moved a partition and the group does not follow.

        Raises
        ------
        FencedError
            Names the partition.
        """
        now = self._clock.monotonic()
        for partition, since in self._fenced.items():
            if now - since > FENCED_PATIENCE_SECONDS:
                raise FencedError(
                    f"another {self._member} with the group {self._group!r} has taken over "
                    f"partition {partition} of {self._fenced_topic}: stop one of the two"
                )

    @abstractmethod
    def _begin(self, partition: int) -> Opening:
        """Return what opens a partition, step by step."""

    @abstractmethod
    def _close(self, partition: int, opening: Opening | None) -> None:
        """Let go of a partition that is open, or on its way by `opening`, or neither."""

    def _read_on(self, partition: int, offset: int) -> Opening:
        """Read a partition that is open now from `offset`; return what has opened it."""
        if self._reader is not None:
            self._reader.seek(partition, offset)
            self._reader.resume([partition])
        return self._openings.pop(partition)

    def _let_go(self, partitions: Sequence[int]) -> None:
        for partition in partitions:
            self._fenced.pop(partition, None)
            self._drop(partition)

    def _let_go_of_all(self) -> None:
        self._let_go([*self.open_partitions, *self._openings])

    def _drop(self, partition: int) -> None:
        self._close(partition, self._openings.pop(partition, None))

    def _pause(self, partitions: Sequence[int]) -> None:
        if self._reader is not None:
            assigned = self._reader.assignment
            self._reader.pause([p for p in partitions if p in assigned])

    def _count(self, change: str, partitions: int) -> None:
        self._changes.labels(change).inc(partitions)

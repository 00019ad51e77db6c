"""The interface of a topic's storage: records, fences, saved positions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from stream.log.interface import Outgoing, RecordBatch, TopicSpec


class Bounds(NamedTuple):
    """Where a partition starts and ends.

    Parameters
    ----------
    start
        The oldest offset that may still be read.
    end
        The offset that the next record will get.
    """

    start: int
    end: int


class Fence(NamedTuple):
    """A writer's right to append under a name, until the name's epoch moves on.

    Parameters
    ----------
    name
        What the writers that exclude each other share.
    epoch
        Grows by one with each writer that is opened under the name.
    """

    name: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """The records that one bounded round of cleaning removed.

    Parameters
    ----------
    expired
        Records past the topic's retention.
    superseded
        Records of a compacted topic whose key has a newer record.
    tombstones
        Tombstones of a compacted topic that were kept long enough.
    removed_bytes
        Size of all of them.
    more
        There is more to remove: call again.
    """

    expired: int = 0
    superseded: int = 0
    tombstones: int = 0
    removed_bytes: int = 0
    more: bool = False


class TopicStorage(Protocol):
    """The records, fences and saved positions of one topic; safe for several threads."""

    @property
    def spec(self) -> TopicSpec:
        """The topic's settings."""
        ...

    def identity(self) -> str:
        """Return what tells the topic from every other one that ever has its name."""
        ...

    @property
    def replaced(self) -> bool:
        """Whether the topic was deleted; another one may have taken its place."""
        ...

    def change_spec(self, spec: TopicSpec) -> None:
        """Replace the topic's settings; partitions and compaction stay as they are."""
        ...

    def bounds(self) -> dict[int, Bounds]:
        """Return every partition's bounds, all as of one moment."""
        ...

    def read(self, partition: int, offset: int, max_records: int) -> RecordBatch | None:
        """Return the first records of `partition` at or after `offset`; None: there are none."""
        ...

    def append(
        self, records: Mapping[int, Sequence[Outgoing]], fences: Collection[Fence]
    ) -> dict[int, int]:
        """Append all `records` (by partition) or none; return each partition's first offset.

        Raises
        ------
        FencedError
            The epoch of one of `fences` has moved on.
        """
        ...

    def take_fence(self, name: str) -> Fence:
        """Move the epoch of `name` on, which locks out whoever held it."""
        ...

    def first_offset_at(self, partition: int, time: float) -> int:
        """Return the first offset appended at or after `time`, else the partition's end."""
        ...

    def saved_positions(self, group: str) -> dict[int, int]:
        """Return the positions that `group` saved."""
        ...

    def save_positions(self, group: str, positions: Mapping[int, int]) -> None:
        """Save `positions` for `group`; durable on return."""
        ...

    def change_mark(self) -> object:
        """Return what differs, as the calling thread sees it, after anybody changed the topic."""
        ...

    def clean(self, max_records: int) -> Cleaned:
        """Apply retention and compaction to at most about `max_records` records."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...

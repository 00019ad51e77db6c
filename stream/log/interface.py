"""The interface of an event log: topics, readers, writers.

A log holds named *topics*; a topic has a fixed number of *partitions*; a partition is a sequence
of records with offsets that only grow and are never reused. Records with the same key go to the
same partition. A record without a value is a *tombstone*.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

Headers = tuple[tuple[str, bytes], ...]

TOPIC_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,199}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """The settings of a topic.

    Parameters
    ----------
    name
        Lower-case letters, digits, dots and hyphens; at most 200.
    partitions
        How many; fixed for the topic's life, because state is kept per partition.
    compacted
        Keep only the newest record of each key (eventually).
    retention_seconds, retention_bytes
        Delete the oldest records past this age or this size of one partition; None keeps them.
    tombstone_seconds
        How long compaction leaves a tombstone, so that a slow reader still learns of it.

    Raises
    ------
    ValueError
        A setting that no topic can have.
    """

    name: str
    partitions: int = 1
    compacted: bool = False
    retention_seconds: float | None = None
    retention_bytes: int | None = None
    tombstone_seconds: float = 86_400.0

    def __post_init__(self) -> None:
        if not TOPIC_NAME.fullmatch(self.name):
            raise ValueError(
                f"{self.name!r} cannot name a topic: use lower-case letters, digits, dots and "
                "hyphens, at most 200, beginning with a letter or a digit"
            )
        if self.partitions < 1:
            raise ValueError(f"topic {self.name} needs at least one partition")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to append.

    Parameters
    ----------
    key
        Decides the partition, unless `partition` does; None spreads records evenly.
    value
        The payload; None writes a tombstone.
    headers
        Small named byte strings.
    partition
        Overrides the key's partition: dead letters and sequences stay with their source.
    """

    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Consecutive records of one partition, column by column.

    Parameters
    ----------
    topic, partition
        Where they come from.
    offsets
        int64 [n], strictly increasing; compaction, retention and fenced appends may leave gaps.
    append_times
        float64 [n], seconds since the epoch at which the log took the record; never decreasing
        within a partition.
    keys, values
        n entries each; a value of None is a tombstone.
    headers
        n entries, or empty where no record of the batch has any.
    """

    topic: str
    partition: int
    offsets: npt.NDArray[np.int64]
    append_times: npt.NDArray[np.float64]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    headers: Sequence[Headers] = ()

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def next_offset(self) -> int:
        """The offset to read from after this batch."""
        return int(self.offsets[-1]) + 1


class RebalanceListener(Protocol):
    """Is told when a reader's partitions change; every call must return quickly."""

    def assigned(self, partitions: Sequence[int]) -> None:
        """Take over `partitions`; seek them before the next poll."""
        ...

    def revoked(self, partitions: Sequence[int]) -> None:
        """Finish and hand over `partitions`; they are still owned during the call."""
        ...

    def lost(self, partitions: Sequence[int]) -> None:
        """Drop `partitions` at once; another process may own them already."""
        ...


class Reader(Protocol):
    """Reads the partitions of one topic in order, from positions that it keeps.

    It reads the topic that had the name when the reader was opened: where that is deleted and
    another one made, nothing comes. A reader belongs to one thread at a time.
    """

    @property
    def assignment(self) -> tuple[int, ...]:
        """The partitions that this reader reads."""
        ...

    @property
    def topic_id(self) -> str | None:
        """What tells the topic that is read from others of its name: see `Log.topic_ids`."""
        ...

    def seek(self, partition: int, offset: int) -> None:
        """Read `partition` from `offset` next; past the end waits there.

        Raises
        ------
        OffsetExpiredError
            From the next `poll`, where `offset` is older than the partition's start and the
            topic is not compacted.
        """
        ...

    def position(self, partition: int) -> int:
        """Return the offset that is read next."""
        ...

    def poll(self, max_records: int, timeout_seconds: float) -> list[RecordBatch]:
        """Return what is there, at most `max_records`, at most one batch per partition.

        Returns as soon as there is anything, and an empty list after `timeout_seconds`. Full
        partitions take turns, so that none starves. Large values may end a batch early. Positions
        move past what is returned; they are saved only by `Log.save_positions`.

        Raises
        ------
        OffsetExpiredError
            A position fell off retention; no position has moved, and `seek` is the way on.
        RecordsDamagedError
            What comes next in a partition cannot be read, however often it is fetched; all before
            it was returned, and `seek` is the way past.
        LogUnavailableError
            Passing trouble; no position has moved.
        """
        ...

    def pause(self, partitions: Sequence[int]) -> None:
        """Keep polling alive but return nothing of `partitions` until `resume`."""
        ...

    def resume(self, partitions: Sequence[int]) -> None:
        """Undo `pause`."""
        ...

    def close(self) -> None:
        """Let go of everything; a closed reader may be closed again."""
        ...


class Writer(Protocol):
    """Appends to one topic. What `append` has returned is durable and in order.

    A writer belongs to one thread at a time.
    """

    def append(self, records: Sequence[Outgoing]) -> list[tuple[int, int]]:
        """Append all of `records` and return each one's (partition, offset).

        Raises
        ------
        FencedError
            A writer with the same fence name was opened later.
        LogUnavailableError
            Passing trouble; nothing, or only a prefix, was written.
        LogFullError
            The disk is full or not writable; nothing was written.
        RecordTooLargeError
            The topic takes no such record; nothing, or only a prefix, was written.
        ValueError
            A partition that the topic does not have, or no key on a compacted topic; nothing was
            written.
        """
        ...

    def close(self) -> None:
        """Let go of everything; a closed writer may be closed again."""
        ...


class Log(Protocol):
    """Topics, and readers and writers of them; safe for several processes at once."""

    def create_topic(self, spec: TopicSpec) -> None:
        """Create a topic; does nothing where it exists with the same settings.

        Raises
        ------
        TopicMismatchError
            It exists with other settings.
        """
        ...

    def set_retention(self, topic: str, *, seconds: float | None, size_bytes: int | None) -> None:
        """Change how long a topic keeps its records; what is past it leaves with time.

        Parameters
        ----------
        topic
            Must exist.
        seconds, size_bytes
            As `retention_seconds` and `retention_bytes` of `TopicSpec`.
        """
        ...

    def topics(self) -> dict[str, TopicSpec]:
        """Return every topic's settings."""
        ...

    def topic_ids(self, topics: Collection[str]) -> dict[str, str | None]:
        """Return what tells each of `topics` from every other one that ever has its name.

        An id is given when a topic is created, stays for its life and is never given again, so
        who remembers it notices a topic that was deleted and made anew. Asked for anew each time.

        Returns
        -------
        Topic to id; None where the log gives none. A topic that does not exist is left out.
        """
        ...

    def reader(
        self,
        topic: str,
        *,
        partitions: Sequence[int] | None = None,
        group: str | None = None,
        listener: RebalanceListener | None = None,
    ) -> Reader:
        """Open a reader at the group's saved positions, or at the start where there are none.

        Parameters
        ----------
        topic
            Must exist, else UnknownTopicError.
        partitions
            Exactly these; None: all of them, or with `group` this member's share.
        group
            Whose saved positions to start from.
        listener
            Told of changes; the first assignment is announced in the first `poll`.
        """
        ...

    def writer(self, topic: str, *, fence: str | None = None) -> Writer:
        """Open a writer; one with `fence` locks out every earlier one of the same name."""
        ...

    def start_offsets(self, topic: str) -> dict[int, int]:
        """Return each partition's oldest offset that may still be read."""
        ...

    def end_offsets(self, topic: str) -> dict[int, int]:
        """Return the offset that each partition's next record will get, or none before it."""
        ...

    def written_offsets(self, topic: str) -> dict[int, int]:
        """Return the offset after each partition's newest record, whether it can be read or not.

        Beyond `end_offsets` lies what waits for the end of an open transaction, where the log
        knows such.
        """
        ...

    def offsets_at(self, topic: str, time: float) -> dict[int, int]:
        """Return each partition's first offset appended at or after `time` (else its end)."""
        ...

    def saved_positions(self, group: str, topic: str) -> dict[int, int]:
        """Return the positions that `group` saved, partition by partition."""
        ...

    def save_positions(self, group: str, topic: str, positions: Mapping[int, int]) -> None:
        """Save for `group` the offsets to read next; durable on return."""
        ...

    def close(self) -> None:
        """Let go of everything; a closed log may be closed again."""
        ...

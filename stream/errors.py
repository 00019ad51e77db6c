"""Errors of events, logs and state.

::

    StreamError
    ├── EventFileError        an event file cannot be read; names file and line
    ├── RecordFormatError     a record of one of our own topics cannot be read
    ├── LogError
    │   ├── TopicMismatchError    a topic exists with other settings
    │   ├── UnknownTopicError     a topic does not exist
    │   ├── OffsetExpiredError    an offset fell off retention
    │   ├── FencedError           another writer has taken over
    │   ├── LogFullError          the log's disk is full or not writable
    │   ├── LogCorruptError       a log file is damaged, foreign or of another format
    │   │   └── RecordsDamagedError   a stretch of a partition cannot be read; `seek` goes past
    │   ├── RecordTooLargeError   a topic takes no record of that size
    │   └── LogUnavailableError   passing trouble: try again (retriable)
    └── StateError
        ├── StateMismatchError    state was written with another shape or format
        ├── StateLockedError      another process owns the state
        ├── StateCorruptError     state on disk contradicts itself
        └── StorageFullError      the disk is full or not writable
"""

from collections.abc import Sequence
from typing import ClassVar


class StreamError(Exception):
    """Root of every error that this package raises on purpose.

    The message tells the operator what happened and what to do.
    """

    retriable: ClassVar[bool] = False


class EventFileError(StreamError):
    """An event file cannot be read.

    Parameters
    ----------
    path
        The file.
    reason
        What is wrong and what to do.
    line
        Line (or row) number, from 1, where it is known.
    """

    def __init__(self, path: str, reason: str, line: int | None = None) -> None:
        self.path = path
        self.reason = reason
        self.line = line
        place = path if line is None else f"{path}, line {line}"
        super().__init__(f"{place}: {reason}")


class RecordFormatError(StreamError):
    """A record of one of our own topics cannot be read: something else wrote to the topic."""


class LogError(StreamError):
    """The event log refused or failed."""


class TopicMismatchError(LogError):
    """A topic exists with settings that would break its contract."""


class UnknownTopicError(LogError):
    """A topic does not exist: create it, or correct its name."""


class OffsetExpiredError(LogError):
    """The wanted offset is older than what the log still holds.

    Parameters
    ----------
    topic, partition
        Where.
    offset
        The wanted offset.
    start_offset
        The oldest offset that the log still holds.
    """

    def __init__(self, topic: str, partition: int, offset: int, start_offset: int) -> None:
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.start_offset = start_offset
        super().__init__(
            f"{topic}[{partition}]: offset {offset} is gone, the log starts at {start_offset}. "
            "If a newer state exists, put it back; then raise the topic's retention."
        )


class FencedError(LogError):
    """Another writer with the same name has taken over: this one must stop."""


class LogFullError(LogError):
    """The log's disk is full or not writable: free space or correct the permissions, then restart.

    Nothing of the refused append was written, and what the log holds is intact and readable.
    """


class LogCorruptError(LogError):
    """A log file is damaged, is no log file, or was written in another format."""


class RecordsDamagedError(LogCorruptError):
    """A stretch of a partition cannot be read, however often it is fetched.

    Parameters
    ----------
    topic, partition
        Where.
    offset
        The first offset that cannot be read.
    next_offset
        The offset behind the stretch; None where not even that can be told.
    reason
        What is wrong.
    """

    def __init__(
        self, topic: str, partition: int, offset: int, next_offset: int | None, reason: str
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.next_offset = next_offset
        self.reason = reason
        end = "where it ends is not known" if next_offset is None else f"ends before {next_offset}"
        super().__init__(
            f"{topic}[{partition}]: the record batch at offset {offset} ({end}) is damaged: "
            f"{reason}"
        )

    @property
    def records(self) -> int:
        """How many offsets are lost, as far as that can be told; at least 1."""
        return 1 if self.next_offset is None else self.next_offset - self.offset


class RecordTooLargeError(LogError):
    """A topic takes no record of that size.

    Parameters
    ----------
    topic
        Which one.
    rows
        Which records of the append, ascending; those before them may have been written where the
        writer has no fence.
    limit
        The largest record that it takes, bytes; None where only the broker knows.
    """

    def __init__(self, topic: str, rows: Sequence[int], limit: int | None) -> None:
        self.topic = topic
        self.rows = tuple(rows)
        self.limit = limit
        least = " that large" if limit is None else f" of more than {limit} bytes"
        super().__init__(
            f"append to {topic}: it takes no record{least}; on Kafka, raise its max.message.bytes "
            "with kafka-configs.sh --alter"
        )


class LogUnavailableError(LogError):
    """The log cannot be reached just now; the same call may succeed later."""

    retriable = True


class StateError(StreamError):
    """The state store refused or failed."""


class StateMismatchError(StateError):
    """State on disk was written with another format or another shape-changing setting."""


class StateLockedError(StateError):
    """Another process owns this state directory: stop it first, or use another directory."""


class StateCorruptError(StateError):
    """State on disk contradicts itself: `gsr state check` says what mends it."""


class StorageFullError(StateError):
    """The disk is full or not writable: free space or correct the permissions, then restart."""

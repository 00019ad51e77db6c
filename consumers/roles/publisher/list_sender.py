"""Appends of lists and tombstones, as the only publisher of each partition."""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol, runtime_checkable

from consumers.config.sections.log import LogSection
from consumers.topics.oversized_records import append_what_fits
from stream.errors import FencedError, RecordTooLargeError
from stream.events.records.recommendation import Recommendation
from stream.log.interface import Log, Outgoing, Writer

DEFAULT_KEY: Final = b"default"
"""Key of the one record on the topic of default lists."""


DEFAULT_OWNER: Final = 0
"""Who has this partition sends the default list."""


@runtime_checkable
class AppendsTogether(Protocol):
    """A log whose appends each wait for a disk, so that one for all partitions is cheaper."""

    def append_together(self, appends: Sequence[tuple[Writer, Sequence[Outgoing]]]) -> None:
        """Append what several writers to one topic have: all of it, or nothing and an error."""
        ...


class ListSender:
    """Writers of recommendations, one per partition, each locking out its predecessors.

    Nothing is sent to partitions that were not taken. One whose writer turns out to be locked out
    is dropped, and told by `take_fenced`.

    Parameters
    ----------
    log
        The log.
    topics
        Names of the topics.
    group
        Of the publishers that lock each other out.

    Attributes
    ----------
    oversized
        How many lists were left out because their topic takes none that large.
    """

    def __init__(self, log: Log, topics: LogSection, group: str) -> None:
        self._log = log
        self._together = log if isinstance(log, AppendsTogether) else None
        self._topics = topics
        self._group = group
        self._writers: dict[int, Writer] = {}
        self._default: Writer | None = None
        self._fenced: set[int] = set()
        self.oversized = 0

    @property
    def sends_default(self) -> bool:
        """Whether the default list is this sender's."""
        return self._default is not None

    def take(self, partition: int) -> None:
        """Lock out whoever sent to `partition` before."""
        self.drop(partition)
        self._writers[partition] = self._log.writer(
            self._topics.recommendations, fence=f"{self._group}-{partition}"
        )
        if partition == DEFAULT_OWNER:
            self._default = self._log.writer(
                self._topics.default_recommendations, fence=self._group
            )

    def drop(self, partition: int) -> None:
        """Send nothing to `partition` any more."""
        writer = self._writers.pop(partition, None)
        if writer is not None:
            writer.close()
        if partition == DEFAULT_OWNER and self._default is not None:
            self._default.close()
            self._default = None

    def take_fenced(self) -> list[int]:
        """Return the partitions that another sender has taken since the last call."""
        fenced, self._fenced = sorted(self._fenced), set()
        return fenced

    def send(self, lists: Iterable[tuple[int, Recommendation]]) -> None:
        """Append each (partition, list); durable on return."""
        self._append((partition, one.user_id.encode(), one.encode()) for partition, one in lists)

    def withdraw(self, users: Iterable[tuple[int, str]]) -> None:
        """Append a tombstone for each (partition, user); durable on return."""
        self._append((partition, user_id.encode(), None) for partition, user_id in users)

    def send_default(self, default: Recommendation) -> None:
        """Append the default list, where it is this sender's."""
        if self._default is None:
            return
        try:
            self._append_to(self._default, [Outgoing(DEFAULT_KEY, default.encode())])
        except FencedError:
            self._lock_out(DEFAULT_OWNER)

    def close(self) -> None:
        """Let go of the writers."""
        for partition in list(self._writers):
            self.drop(partition)

    def _append(self, records: Iterable[tuple[int, bytes, bytes | None]]) -> None:
        by_partition: dict[int, list[Outgoing]] = {}
        for partition, key, value in records:
            by_partition.setdefault(partition, []).append(Outgoing(key, value, partition=partition))
        appends = [
            (partition, writer, outgoing)
            for partition, outgoing in by_partition.items()
            if (writer := self._writers.get(partition)) is not None
        ]
        if self._append_together([(writer, outgoing) for _, writer, outgoing in appends]):
            return
        for partition, writer, outgoing in appends:
            try:
                self._append_to(writer, outgoing)
            except FencedError:
                self._lock_out(partition)

    def _append_together(self, appends: Sequence[tuple[Writer, Sequence[Outgoing]]]) -> bool:
        """Append to all partitions at once, where the log can and nothing is wrong; say so."""
        if self._together is None:
            return False
        try:
            self._together.append_together(appends)
        except (FencedError, RecordTooLargeError):
            return False  # nothing was written: one by one shows which it is
        return True

    def _append_to(self, writer: Writer, records: list[Outgoing]) -> None:
        self.oversized += len(records) - len(append_what_fits(writer, records))

    def _lock_out(self, partition: int) -> None:
        self.drop(partition)
        self._fenced.add(partition)

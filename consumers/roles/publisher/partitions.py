"""The partitions that one publisher serves, as the group gives and takes them."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.publisher.list_sender import ListSender
from consumers.roles.publisher.read_trouble import ReadTrouble
from consumers.roles.publisher.restore import PartitionRestore
from consumers.roles.publisher.state import UserTable
from stream.clock import Clock
from stream.errors import FencedError, LogUnavailableError
from stream.log.interface import Log, Reader

_LOGGER = logging.getLogger(__name__)

RESTORE_SECONDS: Final = 0.25
"""How much of one step may go into restoring."""
FENCED_PATIENCE_SECONDS: Final = 120.0
"""How long the group may take to say what a fence has said already: the partition has moved."""


@dataclass(slots=True)
class _Opening:
    began: float
    restore: PartitionRestore | None = None
    steps: Iterator[None] = field(default_factory=lambda: iter(()))


class PublishedPartitions:
    """Restores what is assigned, lets go of what is revoked or lost.

    It is the reader's `RebalanceListener`. `assigned` only notes; `advance` locks out whoever
    published the partition before, reads its lists and sequences, a bounded time per step, and
    then lets the reader go on. Until then the partition is paused and its users are held back.

    Parameters
    ----------
    config
        All settings.
    log, clock, metrics
        As the role got them.
    users
        Rows of the partitions that are served.
    sender
        Whose writers are opened and closed here.
    trouble
        Told of what cannot be read.
    left
        Told the partition that was let go of, and the rows of users who have so left the table.
    """

    def __init__(
        self,
        config: GsrConfig,
        log: Log,
        clock: Clock,
        metrics: Metrics,
        *,
        users: UserTable,
        sender: ListSender,
        trouble: ReadTrouble,
        left: Callable[[int, Sequence[int]], None],
    ) -> None:
        self.serving: set[int] = set()
        self._waits_since: float | None = clock.monotonic()
        self.newest_version = 0
        self._config = config
        self._log = log
        self._clock = clock
        self._metrics = metrics
        self._users = users
        self._sender = sender
        self._trouble = trouble
        self._left = left
        self._openings: dict[int, _Opening] = {}
        self._fenced: dict[int, float] = {}
        self._ahead: set[int] = set()
        self._ready: list[tuple[int, bool]] = []
        self._reader: Reader | None = None

    def waited_seconds(self) -> float | None:
        """Return how long the group's word on who owns what has been awaited; None: it is known."""
        return None if self._waits_since is None else self._clock.monotonic() - self._waits_since

    @property
    def restoring(self) -> bool:
        """Whether some partitions are on their way."""
        return bool(self._openings)

    def read_with(self, reader: Reader) -> None:
        """Take the reader whose listener this is."""
        self._reader = reader

    # -- what the group says -------------------------------------------------------------------

    def assigned(self, partitions: Sequence[int]) -> None:
        """Note that `partitions` are to be restored; they are paused until then."""
        self._waits_since = None
        for partition in partitions:
            if partition not in self.serving and partition not in self._openings:
                self._fenced.pop(partition, None)
                self._users.hold(partition)
                self._openings[partition] = _Opening(self._clock.monotonic())
        self._pause(partitions)
        self._count("assigned", len(partitions))

    def revoked(self, partitions: Sequence[int]) -> None:
        """Let go: lists are durable as soon as they are sent, and what is due shows anew."""
        self._let_go(partitions)
        self._count("revoked", len(partitions))

    def lost(self, partitions: Sequence[int]) -> None:
        """Let go; whoever has the partitions now locks us out."""
        self._waits_since = self._clock.monotonic()
        self._let_go(partitions)
        self._count("lost", len(partitions))

    def close(self) -> None:
        """Let go of everything."""
        self._let_go([*self.serving, *self._openings])

    # -- the work ------------------------------------------------------------------------------

    def note_ends(self, ends: Mapping[int, int]) -> None:
        """Restore anew what ends before what was read of it: the topic was deleted and made anew.

        Where the users' sequences were, there are none now, or others'. Twice in a row it must be
        so: a broker that has just begun to lead may know of less for a moment.

        Parameters
        ----------
        ends
            Of the partitions of `sequences`.
        """
        if self._reader is None:
            return
        read = {p: self._reader.position(p) for p in self._reader.assignment if p in self.serving}
        before, self._ahead = self._ahead, {p for p, at in read.items() if ends[p] < at}
        emptied = sorted(before & self._ahead)
        if not emptied:
            return
        _LOGGER.warning(
            "partitions %s of %s end before what was read of them: was the topic deleted? They are "
            "read anew; ingest sends all sequences again",
            emptied,
            self._config.log.sequences,
        )
        self._let_go(emptied)
        self.assigned(emptied)

    def advance(self) -> list[tuple[int, bool]]:
        """Restore for a while; return the (partition, whether its sequences are known) now ready.

        Raises
        ------
        FencedError
            Another publisher took a partition over, but the group does not know of it.
        LogUnavailableError
            Passing trouble; the partition is restored from the beginning next time.
        """
        self._note_fences()
        deadline = self._clock.monotonic() + RESTORE_SECONDS
        for partition in sorted(self._openings):
            if self._restore(partition, deadline):
                self._ready.append((partition, self._finish(partition)))
            if self._clock.monotonic() > deadline:
                break
        ready, self._ready = self._ready, []
        return [(partition, known) for partition, known in ready if partition in self.serving]

    def _restore(self, partition: int, deadline: float) -> bool:
        opening = self._openings[partition]
        try:
            if opening.restore is None:
                self._sender.take(partition)
                topics = self._config.log
                opening.restore = PartitionRestore(
                    self._log,
                    topics.recommendations,
                    topics.sequences,
                    partition,
                    self._users,
                    self._trouble,
                )
                opening.steps = opening.restore.steps()
            for _ in opening.steps:
                self._metrics.beat()
                if self._clock.monotonic() > deadline:
                    return False
        except LogUnavailableError:
            self._left(partition, self._users.remove_partition(partition))
            self._openings[partition] = _Opening(opening.began)
            raise
        return True

    def _finish(self, partition: int) -> bool:
        opening = self._openings.pop(partition)
        restore = opening.restore
        if restore is None or self._reader is None:
            raise AssertionError(partition)
        self._reader.seek(partition, restore.sequences_end)
        self._reader.resume([partition])
        self._users.release(partition)
        self.serving.add(partition)
        self.newest_version = max(self.newest_version, restore.newest_version)
        self._measure()
        self._metrics.histogram("gsr_publisher_restore_seconds").observe(
            self._clock.monotonic() - opening.began
        )
        _LOGGER.info("partition %d: serves from offset %d", partition, restore.sequences_end)
        return not restore.sequences_damaged

    def _note_fences(self) -> None:
        now = self._clock.monotonic()
        for partition in self._sender.take_fenced():
            _LOGGER.warning(
                "partition %d: another publisher has taken over; waiting for the group", partition
            )
            self._fenced[partition] = now
            self._drop(partition)
            self._pause([partition])
            self._count("fenced", 1)
        for partition, since in self._fenced.items():
            if now - since > FENCED_PATIENCE_SECONDS:
                raise FencedError(
                    f"another publisher with the group {self._config.publisher.group!r} has taken "
                    f"over partition {partition} of {self._config.log.recommendations}: stop one "
                    "of the two"
                )

    def _let_go(self, partitions: Sequence[int]) -> None:
        for partition in list(partitions):
            self._fenced.pop(partition, None)
            self._drop(partition)

    def _drop(self, partition: int) -> None:
        self._openings.pop(partition, None)
        self.serving.discard(partition)
        self._sender.drop(partition)
        self._left(partition, self._users.remove_partition(partition))
        self._users.release(partition)
        self._measure()

    def _pause(self, partitions: Sequence[int]) -> None:
        if self._reader is not None:
            assigned = self._reader.assignment
            self._reader.pause([p for p in partitions if p in assigned])

    def _measure(self) -> None:
        self._metrics.gauge("gsr_publisher_partitions").set(len(self.serving))
        self._metrics.gauge("gsr_publisher_restoring_partitions").set(len(self._openings))

    def _count(self, change: str, partitions: int) -> None:
        counter = self._metrics.counter("gsr_publisher_partition_changes_total")
        counter.labels(change).inc(partitions)

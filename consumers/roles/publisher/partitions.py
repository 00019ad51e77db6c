"""The partitions that one publisher serves."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from consumers.config.settings import GsrConfig
from consumers.metrics.registry import Metrics
from consumers.roles.publisher.list_sender import ListSender
from consumers.roles.publisher.partition_restore import PartitionRestore
from consumers.roles.publisher.user_table import NOWHERE, UserTable
from consumers.runtime.partition_ownership import PartitionOwnership
from consumers.topics.read_trouble import ReadTrouble
from stream.clock import Clock
from stream.errors import FencedError, LogUnavailableError
from stream.log.interface import Log

_LOGGER = logging.getLogger(__name__)

RESTORE_SECONDS: Final = 0.25
"""How much of one step may go into restoring."""


@dataclass(slots=True)
class _Opening:
    began: float
    restore: PartitionRestore | None = None
    steps: Iterator[None] = field(default_factory=lambda: iter(()))


class PublishedPartitions(PartitionOwnership[_Opening]):
    """Restores what is assigned, lets go of what is revoked or lost.

    `advance` locks out whoever published a partition before, reads its lists and sequences, a
    bounded time per step, and then lets the reader go on. Until then its users are held back.
    Nothing has to be finished when a partition leaves: lists are durable as soon as they are sent,
    and its next owner finds anew what is due.

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
        super().__init__(
            member="publisher",
            group=config.publisher.group,
            fenced_topic=config.log.recommendations,
            clock=clock,
            changes=metrics.counter("gsr_publisher_partition_changes_total"),
        )
        self.serving: set[int] = set()
        self.newest_version = 0
        self._config = config
        self._log = log
        self._metrics = metrics
        self._users = users
        self._sender = sender
        self._trouble = trouble
        self._left = left
        self._past_end: AbstractSet[int] = frozenset()
        self._saved: dict[int, int] = {}
        self._ready: list[tuple[int, bool]] = []

    @property
    def open_partitions(self) -> Collection[int]:
        """The partitions that are served."""
        return self.serving

    def close(self) -> None:
        """Let go of everything."""
        self._let_go_of_all()

    # -- the work ------------------------------------------------------------------------------

    def note_past_end(self, past_end: AbstractSet[int]) -> None:
        """Restore anew what ends before what was read of it: the topic was deleted and made anew.

        Where the users' sequences were, there are none now, or others'. Twice in a row it must be
        so: a broker that has just begun to lead may know of less for a moment.

        Parameters
        ----------
        past_end
            The partitions of `sequences` that do.
        """
        before, self._past_end = self._past_end, past_end & self.serving
        emptied = sorted(before & self._past_end)
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

    def save_positions(self, due: Iterable[int]) -> None:
        """Save up to where every list has been sent; `due` are the rows of users to whom one is.

        Trouble is none: only lag tools read them, a publisher begins with what the topics hold.
        """
        positions = self.positions()
        for row in due:
            partition = int(self._users.partitions[row])
            offset = int(self._users.sequence_offsets[row])
            if offset != NOWHERE and partition in positions:
                positions[partition] = min(positions[partition], offset)
        if not positions or positions == self._saved:
            return
        topics, group = self._config.log, self._config.publisher.group
        try:
            self._log.save_positions(group, topics.sequences, positions)
        except (FencedError, LogUnavailableError) as error:
            _LOGGER.info("positions were not saved: %s", error)
        else:
            self._saved = positions

    def advance(self) -> list[tuple[int, bool]]:
        """Restore for a while; return the (partition, whether its sequences are known) now ready.

        Raises
        ------
        FencedError
            Another publisher took a partition over, but the group does not know of it.
        LogUnavailableError
            Passing trouble; the partition is restored from the beginning next time.
        """
        for partition in self._sender.take_fenced():
            self.fence(partition)
        self.refuse_two_owners()
        deadline = self._clock.monotonic() + RESTORE_SECONDS
        for partition in sorted(self._openings):
            restored = self._restore(partition, deadline)
            if restored is not None:
                self._serve(partition, restored)
                self._ready.append((partition, not restored.sequences_damaged))
            if self._clock.monotonic() > deadline:
                break
        ready, self._ready = self._ready, []
        return [(partition, known) for partition, known in ready if partition in self.serving]

    def _restore(self, partition: int, deadline: float) -> PartitionRestore | None:
        """Read on until the deadline; return what was read once it is all."""
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
                    return None
        except LogUnavailableError:
            self._left(partition, self._users.remove_partition(partition))
            self._openings[partition] = _Opening(opening.began)
            raise
        return opening.restore

    def _serve(self, partition: int, restore: PartitionRestore) -> None:
        opening = self._read_on(partition, restore.sequences_end)
        self._users.release(partition)
        self.serving.add(partition)
        self.newest_version = max(self.newest_version, restore.newest_version)
        self._measure()
        self._metrics.histogram("gsr_publisher_restore_seconds").observe(
            self._clock.monotonic() - opening.began
        )
        _LOGGER.info("partition %d: serves from offset %d", partition, restore.sequences_end)

    def _begin(self, partition: int) -> _Opening:
        self._users.hold(partition)
        return _Opening(self._clock.monotonic())

    def _close(self, partition: int, opening: _Opening | None) -> None:  # noqa: ARG002 - it holds nothing
        self.serving.discard(partition)
        self._sender.drop(partition)
        self._left(partition, self._users.remove_partition(partition))
        self._users.release(partition)
        self._measure()

    def _measure(self) -> None:
        self._metrics.gauge("gsr_publisher_partitions").set(len(self.serving))
        self._metrics.gauge("gsr_publisher_restoring_partitions").set(len(self._openings))

"""A reader of a topic storage, wherever that keeps its records."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

from stream.clock import Clock
from stream.errors import LogError, OffsetExpiredError
from stream.log.checks import check_assigned, check_offsets
from stream.log.embedded.topic_storage import TopicStorage
from stream.log.interface import RebalanceListener, RecordBatch

_SHORTEST_WAIT_SECONDS: Final = 0.0005
_LONGEST_WAIT_SECONDS: Final = 0.008


class StorageReader:
    """A `Reader` of some partitions of one topic.

    Between two polls it holds nothing open in the storage. While it waits it looks every few
    milliseconds whether the topic has changed, which costs some microseconds; the longer nothing
    comes, the less often. A poll reads nothing where nothing has changed since the last one.

    Parameters
    ----------
    storage
        The topic.
    positions
        The partitions to read, each with the offset to begin at.
    clock
        Times the waiting.
    listener
        Told of all partitions in the first `poll`.
    """

    def __init__(
        self,
        storage: TopicStorage,
        positions: Mapping[int, int],
        clock: Clock,
        listener: RebalanceListener | None = None,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._listener = listener
        self._positions = dict(positions)
        self._turns = sorted(positions)  # whoever was served goes to the end
        self._paused: set[int] = set()
        self._read_to_end: object = None  # the topic's change mark as of which nothing was left
        self._wait = _SHORTEST_WAIT_SECONDS
        self._closed = False

    @property
    def assignment(self) -> tuple[int, ...]:
        """The partitions that this reader reads."""
        return tuple(sorted(self._positions))

    @cached_property
    def topic_id(self) -> str | None:
        """What tells the topic that is read from others of its name."""
        return self._storage.identity()

    def seek(self, partition: int, offset: int) -> None:
        """Read `partition` from `offset` next; past the end waits there."""
        check_offsets([offset])
        self._check_assigned([partition])
        self._positions[partition] = offset
        self._read_to_end = None

    def position(self, partition: int) -> int:
        """Return the offset that is read next."""
        self._check_assigned([partition])
        return self._positions[partition]

    def pause(self, partitions: Sequence[int]) -> None:
        """Keep polling alive but return nothing of `partitions` until `resume`."""
        self._check_assigned(partitions)
        self._paused.update(partitions)

    def resume(self, partitions: Sequence[int]) -> None:
        """Undo `pause`."""
        self._check_assigned(partitions)
        self._paused.difference_update(partitions)
        self._read_to_end = None

    def poll(self, max_records: int, timeout_seconds: float) -> list[RecordBatch]:
        """Return what is there, at most `max_records`, at most one batch per partition."""
        if self._closed:
            raise LogError(f"this reader of {self._storage.spec.name} was closed")
        if self._listener is not None:
            listener, self._listener = self._listener, None
            listener.assigned(self.assignment)
        deadline = self._clock.monotonic() + timeout_seconds
        # Taken before reading, so that whatever the reading misses shows as a change.
        mark = self._storage.change_mark()
        batches = [] if mark == self._read_to_end else self._read(max_records)
        while not batches:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                break
            self._clock.sleep(min(self._wait, left))
            self._wait = min(2 * self._wait, _LONGEST_WAIT_SECONDS)
            seen, mark = mark, self._storage.change_mark()
            if mark != seen:
                batches = self._read(max_records)
        if batches:
            self._wait = _SHORTEST_WAIT_SECONDS
        self._read_to_end = None if batches else mark
        return batches

    def close(self) -> None:
        """Refuse further polls."""
        self._closed = True

    def _read(self, max_records: int) -> list[RecordBatch]:
        ends = {partition: bounds.end for partition, bounds in self._storage.bounds().items()}
        batches: list[RecordBatch] = []
        moved: dict[int, int] = {}
        left = max_records
        for partition in self._turns:
            position = self._positions[partition]
            if left <= 0 or position >= ends[partition] or partition in self._paused:
                continue
            batch = self._storage.read(partition, position, left)
            if batch is None or batch.offsets[0] > position:
                self._check_gap(partition, position)
            if batch is None:
                moved[partition] = ends[partition]
                continue
            batches.append(batch)
            moved[partition] = batch.next_offset
            left -= len(batch)
        self._positions.update(moved)
        self._turns.sort(key=moved.__contains__)
        return batches

    def _check_gap(self, partition: int, position: int) -> None:
        """Only compaction may leave gaps; any other means that retention overtook the reader."""
        spec = self._storage.spec
        if not spec.compacted:
            start = self._storage.bounds()[partition].start
            raise OffsetExpiredError(spec.name, partition, position, start)

    def _check_assigned(self, partitions: Sequence[int]) -> None:
        check_assigned(self._storage.spec.name, self._positions, partitions)

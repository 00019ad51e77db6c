"""A partition's state as of one flush, read by other processes than the one that writes it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from stream.state.config import StateConfig
from stream.state.feed import FeedChunk
from stream.state.graph_arrays import ItemTable
from stream.state.user_buffer import UserBuffer


@dataclass(frozen=True, slots=True)
class CheckpointMeta:
    """What a partition's state says of itself.

    Parameters
    ----------
    partition
        Partition of `clicks`.
    next_offset
        Offset of the first record that is not in it.
    watermark
        Newest event time; -inf before the first click.
    feed_start, feed_stop
        Sequence numbers that the accepted feed covers: ``feed_start : feed_stop``.
    next_index
        The index that the next new item will get.
    config
        The shape of the state.
    event_names
        Event names by code.
    counters
        Clicks by outcome, and rows that fell off the feed, since the state began.
    """

    partition: int
    next_offset: int
    watermark: float
    feed_start: int
    feed_stop: int
    next_index: int
    config: StateConfig
    event_names: tuple[str, ...]
    counters: Mapping[str, int]


class Checkpoint:
    """A checkpoint directory, opened read-only."""

    @classmethod
    def open(cls, path: Path) -> "Checkpoint":
        """Open a directory that `PartitionStore.checkpoint` wrote.

        Raises
        ------
        StateMismatchError
            Another format version.
        StateCorruptError
            Torn or damaged.
        """
        raise NotImplementedError

    @property
    def meta(self) -> CheckpointMeta:
        """What the state says of itself."""
        raise NotImplementedError

    def vocabulary(self, start_index: int = 0) -> list[tuple[int, str]]:
        """Return (index, item id) of every item with an index from `start_index` on, ascending.

        Items that have left the state are not in it; feed rows may still name their indexes.
        """
        raise NotImplementedError

    def feed(self, start_sequence: int, limit: int) -> FeedChunk:
        """Return at most `limit` rows of the accepted feed from `start_sequence` on.

        Starts later where the oldest rows have left (`FeedChunk.start` tells); empty at the end.
        """
        raise NotImplementedError

    def buffers(self, user_ids: Sequence[str]) -> dict[str, UserBuffer]:
        """Return the buffers of those of `user_ids` that are known."""
        raise NotImplementedError

    def items(self) -> ItemTable:
        """Return every item with its counters."""
        raise NotImplementedError

    def users(self, limit: int | None = None) -> Iterator[tuple[str, UserBuffer]]:
        """Yield users in the order of their ids, at most `limit`."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the files; a closed checkpoint may be closed again."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

"""The durable state of one partition of `clicks`."""

from dataclasses import dataclass
from pathlib import Path

from stream.clock import Clock
from stream.events.click import ClickBatch, EventRules
from stream.state.applied import Applied
from stream.state.config import StateConfig
from stream.state.user_buffer import UserBuffer


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """How a store runs; none of it shapes what is stored.

    Parameters
    ----------
    flush_bytes
        Changed bytes after which a flush is due.
    flush_seconds
        Age of the oldest change after which a flush is due.
    cached_users
        Users kept in memory; those touched longest ago leave after a flush.
    block_cache_bytes, write_buffer_bytes
        Bounds of RocksDB's memory, all column families together.
    """

    flush_bytes: int = 16 * 1024 * 1024
    flush_seconds: float = 2.0
    cached_users: int = 131_072
    block_cache_bytes: int = 64 * 1024 * 1024
    write_buffer_bytes: int = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """Gauges and totals of a store.

    Parameters
    ----------
    users_cached, items, edges
        In memory now.
    dirty_bytes
        Changed since the last flush, roughly.
    flushes
        Since opening.
    flush_seconds, longest_flush_seconds
        The last flush, and the longest one since opening, in all.
    longest_hold_seconds
        The longest time that a flush's write held the interpreter since opening.
    rocksdb_memory_bytes, rocksdb_disk_bytes
        Memtables, block cache and table readers; live SST files.
    accepted, duplicates, too_old, forgotten, feed_dropped
        Totals since the state began; `feed_dropped` counts rows that fell off the feed.
    items_removed
        Items that left by age or for room, since the state began.
    """

    users_cached: int
    items: int
    edges: int
    dirty_bytes: int
    flushes: int
    flush_seconds: float
    longest_flush_seconds: float
    longest_hold_seconds: float
    rocksdb_memory_bytes: int
    rocksdb_disk_bytes: int
    accepted: int
    duplicates: int
    too_old: int
    forgotten: int
    feed_dropped: int
    items_removed: int


class PartitionStore:
    """State arrays with RocksDB below: exact after any crash, because the offset is inside.

    A store works for one thread of one process, which holds the directory's lock.
    """

    @classmethod
    def open(
        cls,
        path: Path,
        partition: int,
        config: StateConfig,
        rules: EventRules,
        clock: Clock,
        options: StoreOptions | None = None,
    ) -> "PartitionStore":
        """Open the state in directory `path`, or begin it there.

        Raises
        ------
        StateLockedError
            Another process has it open.
        StateMismatchError
            It was written with another format, partition or shape.
        StateCorruptError
            It contradicts itself.
        StorageFullError
            The directory cannot be written.
        """
        raise NotImplementedError

    @property
    def next_offset(self) -> int:
        """Offset to read from: everything before it has been applied."""
        raise NotImplementedError

    @property
    def durable_offset(self) -> int:
        """What `next_offset` was at the last flush."""
        raise NotImplementedError

    @property
    def watermark(self) -> float:
        """Newest event time of any click so far; -inf before the first."""
        raise NotImplementedError

    def apply(self, batch: ClickBatch, watermark: float, next_offset: int) -> Applied:
        """Apply a decoded batch; in memory until the next flush.

        Parameters
        ----------
        batch
            The valid clicks, in log order; may be empty.
        watermark
            The codec's watermark after the batch; must be what the clicks themselves give.
        next_offset
            The offset after the batch's last record, valid or not.
        """
        raise NotImplementedError

    def due_for_flush(self) -> bool:
        """Tell whether enough has changed, or changes are old enough, to flush."""
        raise NotImplementedError

    def flush(self) -> None:
        """Write every change and the offset in one atomic batch; does nothing without changes.

        Raises
        ------
        StorageFullError
            Nothing was written; the store refuses further work and must be closed.
        """
        raise NotImplementedError

    def checkpoint(self, directory: Path) -> None:
        """Flush, then write a consistent copy to `directory`, which must not exist.

        Files are hard links where `directory` is on the same file system.
        """
        raise NotImplementedError

    def drain_touched(self) -> list[str]:
        """Return the users accepted or forgotten since the last call, each once.

        For each, `user` tells what to publish; None means a tombstone.
        """
        raise NotImplementedError

    def user(self, user_id: str) -> UserBuffer | None:
        """Return what is known of a user (items are rows, see `item_ids`); None: nothing."""
        raise NotImplementedError

    def item_ids(self, buffer: UserBuffer) -> list[str | None]:
        """Return the buffer's item ids; None where the item has left the state."""
        raise NotImplementedError

    def stats(self) -> StoreStats:
        """Return gauges and totals."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of everything without flushing; a closed store may be closed again."""
        raise NotImplementedError

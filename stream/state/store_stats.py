"""Gauges and totals of a store."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from gsr.counters.counters import Counters
from stream.state.meta import TOTALS
from stream.state.rocks import Database, property_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """Gauges and totals of a store.

    Parameters
    ----------
    users_cached, items, edges
        In memory now.
    user_bytes
        Memory of the users, roughly.
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
    feed_bytes
        Accepted clicks that are kept for the trainer, before compression.
    accepted, duplicates, too_old, forgotten, feed_dropped
        Totals since the state began; `feed_dropped` counts rows that fell off the feed.
    items_removed
        Items that left by age or for room, since the state began.
    """

    users_cached: int
    user_bytes: int
    items: int
    edges: int
    dirty_bytes: int
    flushes: int
    flush_seconds: float
    longest_flush_seconds: float
    longest_hold_seconds: float
    rocksdb_memory_bytes: int
    rocksdb_disk_bytes: int
    feed_bytes: int
    accepted: int
    duplicates: int
    too_old: int
    forgotten: int
    feed_dropped: int
    items_removed: int


@dataclass(slots=True)
class FlushTimes:
    """How often a store was flushed since it was opened, and how long that took.

    Parameters
    ----------
    flushes, flush_seconds, longest_flush_seconds, longest_hold_seconds
        As in `StoreStats`.
    """

    flushes: int = 0
    flush_seconds: float = 0.0
    longest_flush_seconds: float = 0.0
    longest_hold_seconds: float = 0.0

    def note(self, seconds: float, hold_seconds: float) -> None:
        """Count a flush that took `seconds`, and held the interpreter for `hold_seconds`."""
        self.flushes += 1
        self.flush_seconds = seconds
        self.longest_flush_seconds = max(self.longest_flush_seconds, seconds)
        self.longest_hold_seconds = max(self.longest_hold_seconds, hold_seconds)


def gather_stats(
    database: Database,
    counters: Counters,
    flush_times: FlushTimes,
    totals: Mapping[str, int],
    *,
    dirty_bytes: int,
    feed_bytes: int,
) -> StoreStats:
    """Return the stats of a store from its parts."""
    items = counters.items
    return StoreStats(
        users_cached=len(counters.users),
        user_bytes=counters.users.nbytes,
        items=len(items),
        edges=int(items.columns.row_lengths[: items.used].sum()),
        dirty_bytes=dirty_bytes,
        rocksdb_memory_bytes=(
            property_of(database, "rocksdb.cur-size-all-mem-tables")
            + property_of(database, "rocksdb.estimate-table-readers-mem")
            + int(database.rocks.property_int_value("rocksdb.block-cache-usage") or 0)
        ),
        rocksdb_disk_bytes=property_of(database, "rocksdb.live-sst-files-size"),
        feed_bytes=feed_bytes,
        **asdict(flush_times),
        **{name: totals[name] for name in TOTALS},
    )

"""The durable state of one partition of `clicks`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from rocksdict import Checkpoint as RocksCheckpoint

from gsr.counters.applied_clicks import (
    ACCEPTED,
    DUPLICATE,
    FORGET_EVENT,
    FORGOTTEN,
    TOO_OLD,
    AppliedClicks,
)
from gsr.counters.click_batch import ClickBatch
from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from gsr.counters.id_column import IdColumn, join_ids
from gsr.counters.user_buffer import UserBuffer
from gsr.errors import CountersFullError
from stream.clock import Clock
from stream.errors import StateError
from stream.events.clicks.rules import EventRules
from stream.state.directory_lock import DirectoryLock
from stream.state.feed import CHUNK_ROWS, FeedChunk, FeedTail, decode_chunk, empty_chunk
from stream.state.flush import FlushBatch
from stream.state.meta import ANEW, StateMeta, encode_meta, refuse_mismatch
from stream.state.packing import clicks_in, newest_time, seen_in, unpack_users, user_bytes
from stream.state.reading import (
    read_chunk_sizes,
    read_items,
    read_meta,
    read_users,
    sequence_key,
)
from stream.state.rocks import (
    Database,
    fetch,
    open_database,
    plain_errors,
    property_of,
    scan,
    writable,
)

OVERFULL: Final = 2
"""So many times the changed bytes that make a flush due are the most that there may be."""

_FIRST_USERS = 16_384
_SWEPT_USERS = 1000
"""Stored users looked at per flush for their age."""

_COUNTERS = ("accepted", "duplicates", "too_old", "forgotten")
_OUTCOMES = (ACCEPTED, DUPLICATE, TOO_OLD, FORGOTTEN)
_BYTES_PER_MARK = 4


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
        Users kept in memory after a flush; those touched longest ago leave.
    cached_user_bytes
        Memory that they may take, roughly.
    block_cache_bytes, write_buffer_bytes
        Bounds of RocksDB's memory, all column families together.
    """

    flush_bytes: int = 64 * 1024 * 1024
    flush_seconds: float = 2.0
    cached_users: int = 1_000_000
    cached_user_bytes: int = 256 * 1024 * 1024
    block_cache_bytes: int = 64 * 1024 * 1024
    write_buffer_bytes: int = 128 * 1024 * 1024


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


class PartitionStore:
    """State arrays with RocksDB below: exact after any crash, because the offset is inside.

    Make one with `PartitionStore.open`. A store works for one thread of one process, which holds
    the directory's lock.
    """

    def __init__(
        self,
        path: Path,
        database: Database,
        lock: DirectoryLock,
        meta: StateMeta,
        rules: EventRules,
        clock: Clock,
        options: StoreOptions,
    ) -> None:
        self.path = path
        self._database = database
        self._lock = lock
        self._meta = meta
        self._clock = clock
        self._options = options
        self._broken = ""
        self._open = True
        self._next_offset = meta.next_offset
        self._counters = dict(meta.counters)
        self._touched: list[IdColumn] = []
        self._changed_at: float | None = None
        self._swept_to = b""
        self._flushes = 0
        self._flush_seconds = 0.0
        self._longest_flush_seconds = 0.0
        self._longest_hold_seconds = 0.0
        weights = np.array(list(rules.weights.values()), dtype=np.float64)
        self.arrays = Counters(
            meta.config, weights, users=min(options.cached_users * 5 // 4, _FIRST_USERS)
        )
        with plain_errors(path):
            self._feed = self._load()

    @classmethod
    def open(
        cls,
        path: Path,
        partition: int,
        config: CounterConfig,
        rules: EventRules,
        clock: Clock,
        options: StoreOptions | None = None,
        lock: DirectoryLock | None = None,
    ) -> "PartitionStore":
        """Open the state in directory `path`, or begin it there.

        Parameters
        ----------
        path, partition, config, rules, clock, options
            What and how.
        lock
            The directory's lock, where the caller holds it already; the store takes it over, and
            releases it also where opening fails.

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
        options = StoreOptions() if options is None else options
        names = tuple(rules.weights)
        with writable(path):
            path.mkdir(parents=True, exist_ok=True)
            lock = DirectoryLock(path) if lock is None else lock
        try:
            database = open_database(
                path / "db", options.block_cache_bytes, options.write_buffer_bytes
            )
        except BaseException:
            lock.release()
            raise
        try:
            with plain_errors(path):
                stored = read_meta(database, str(path))
            if stored is not None:
                refuse_mismatch(stored, partition, config, names, str(path))
            meta = _begin(partition, config, names) if stored is None else stored
            return cls(
                path, database, lock, replace(meta, event_names=names), rules, clock, options
            )
        except BaseException:
            database.close()
            lock.release()
            raise

    def _load(self) -> FeedTail:
        """Bring the items into memory; users come when they click. Return the feed's end."""
        meta = self._meta
        arrays = self.arrays
        arrays.absorb(read_items(self._database, meta), keep_indexes=True)
        arrays.items.number_from(meta.next_index)
        arrays.items_removed = self._counters["items_removed"]
        arrays.progress.watermark[0] = meta.watermark
        arrays.mark_clean()
        arrays.users.source = self._bring_in
        first = meta.feed_stop // CHUNK_ROWS * CHUNK_ROWS
        tail = empty_chunk(first)
        if first < meta.feed_stop:
            value = fetch(self._database, "feed", sequence_key(first))
            tail = decode_chunk(first, value or b"")
        if tail.stop != meta.feed_stop:
            raise StateError(f"{self.path}: the accepted feed ends early: restore a backup.")
        return FeedTail(
            meta.config.feed_bytes,
            meta.feed_start,
            self._counters["feed_dropped"],
            read_chunk_sizes(self._database),
            tail,
        )

    def _bring_in(self, user_ids: IdColumn, slots: npt.NDArray[np.int64]) -> None:
        """Fill slots with stored users; those who are not stored stay empty."""
        if self._meta.feed_stop == 0:
            return  # nobody was ever stored
        with plain_errors(self.path):
            stored = read_users(self._database, user_ids)
        if not stored:
            return
        slot_of: dict[str, int] = dict(zip(user_ids, slots.tolist(), strict=True))
        found = np.array([slot_of[user_id] for user_id in stored], dtype=np.int64)
        values = [value for value, _ in stored.values()]
        users = self.arrays.users
        lengths = np.fromiter(map(clicks_in, values), dtype=np.int64, count=len(values))
        users.give_room(found, lengths)
        packed = np.frombuffer(b"".join(values), dtype=np.uint8)
        unpack_users(user_bytes(users.columns), found, lengths, packed)
        for slot, (value, seen) in zip(found.tolist(), stored.values(), strict=True):
            if seen_in(value) > 0:
                users.put_seen(slot, np.frombuffer(seen, dtype=np.uint32))

    @property
    def next_offset(self) -> int:
        """Offset to read from: everything before it has been applied."""
        return self._next_offset

    @property
    def durable_offset(self) -> int:
        """What `next_offset` was at the last flush."""
        return self._meta.next_offset

    @property
    def watermark(self) -> float:
        """Newest event time of any click so far; -inf before the first."""
        return self.arrays.watermark

    @property
    def feed_stop(self) -> int:
        """The sequence number that the next accepted click will get."""
        return self._feed.stop

    @property
    def topic_ids(self) -> Mapping[str, str]:
        """The ids of the topics that the state belongs to: see `StateMeta.topic_ids`."""
        return self._meta.topic_ids

    def belong_to(self, topic_ids: Mapping[str, str]) -> None:
        """Note, durably, which topics the state belongs to from now on; others stay as they are.

        Parameters
        ----------
        topic_ids
            As in `StateMeta.topic_ids`.

        Raises
        ------
        ValueError
            Something was applied that has not been flushed.
        StorageFullError
            Nothing was written.
        """
        if self._changed_at is not None:
            raise ValueError("flush first: what was applied belongs to the topics of before")
        meta = replace(self._meta, topic_ids={**self._meta.topic_ids, **topic_ids})
        if meta != self._meta:
            changes = FlushBatch(self._database, 0)
            changes.add_meta(encode_meta(meta))
            with plain_errors(self.path):
                changes.write()
            self._meta = meta

    def remember_topic(self, role: str, mark: str) -> None:
        """Note, with the next flush, what tells one of the topics from others of its name."""
        self._meta = replace(self._meta, topic_ids={**self._meta.topic_ids, role: mark})

    def begin_with_history(self, clicks: int) -> None:
        """Make room for `clicks` from before the log: their offsets count up to -1.

        Raises
        ------
        ValueError
            Something has been applied already.
        """
        if self._feed.stop or self._next_offset or self._changed_at is not None:
            raise ValueError("only an empty state can begin with history")
        self._next_offset = -clicks
        self._counters["history"] = clicks

    def apply(self, batch: ClickBatch, watermark: float, next_offset: int) -> AppliedClicks:
        """Apply a decoded batch; in memory until the next flush.

        Parameters
        ----------
        batch
            The valid clicks, in log order; may be empty.
        watermark
            The codec's watermark after the batch; must be what the clicks themselves give.
        next_offset
            The offset after the batch's last record, valid or not.

        Raises
        ------
        ValueError
            The batch holds records that have been applied already, or the watermark is another.
        StateError
            An earlier flush failed (see `flush`), or there is no room for more items.
        """
        self._refuse_if_broken()
        first = int(batch.offsets[0]) if len(batch) else next_offset
        if first < self._next_offset:
            raise ValueError(f"offset {first} has been applied: go on at {self._next_offset}")
        try:
            applied = self.arrays.apply(batch)
        except CountersFullError as error:
            raise StateError(f"{self.path}: {error}; build the state anew {ANEW}") from error
        if self.watermark != watermark:
            raise ValueError(f"watermark {watermark} given, {self.watermark} found in the clicks")
        self._next_offset = next_offset
        if self._changed_at is None:
            self._changed_at = self._clock.monotonic()
        for name, outcome in zip(_COUNTERS, _OUTCOMES, strict=True):
            self._counters[name] += applied.count(outcome)
        self._append_feed(batch, applied)
        return applied

    def _append_feed(self, batch: ClickBatch, applied: AppliedClicks) -> None:
        """Add the clicks that changed something to the feed and to the touched users."""
        told = np.flatnonzero((applied.outcomes == ACCEPTED) | (applied.outcomes == FORGOTTEN))
        user_ids = IdColumn.of(batch.user_ids).rows(told).compact()
        self._touched.append(user_ids)
        forget = batch.forget[told]
        self._feed.append(
            FeedChunk(
                self._feed.stop,
                user_ids,
                applied.item_indexes[told],
                np.where(forget, 0.0, batch.times[told]),
                np.where(forget, FORGET_EVENT, batch.events[told]).astype(np.uint8),
                batch.append_times[told],
                batch.offsets[told],
            )
        )

    def due_for_flush(self) -> bool:
        """Tell whether enough has changed, or changes are old enough, to flush."""
        if self._changed_at is None:
            return False
        return (
            self._dirty_bytes() >= self._options.flush_bytes
            or self.overfull
            or self._clock.monotonic() - self._changed_at >= self._options.flush_seconds
        )

    @property
    def overfull(self) -> bool:
        """Whether only a flush keeps memory, and the time that a flush takes, in bounds."""
        return (
            self._dirty_bytes() >= OVERFULL * self._options.flush_bytes
            or len(self.arrays.users) > self._options.cached_users * 5 // 4
            or self.arrays.users.nbytes > self._options.cached_user_bytes * 5 // 4
        )

    def _dirty_bytes(self) -> int:
        """Return roughly how much a flush would write."""
        return int(self.arrays.progress.dirty_bytes[0]) + self._feed.pending_bytes

    def flush(self) -> None:
        """Write every change and the offset in one atomic batch; does nothing without changes.

        Raises
        ------
        StorageFullError
            Nothing was written; the store refuses further work and must be closed.
        """
        self._refuse_if_broken()
        if self._changed_at is None:
            return
        started = self._clock.monotonic()
        changes = FlushBatch(self._database, self._dirty_bytes())
        changes.add_items(self.arrays.items)
        with plain_errors(self.path):
            changes.drop_users(self._expired_users())
        changes.add_users(self.arrays.users)
        changes.add_feed(self._feed.changes())
        meta = self._current_meta()
        changes.add_meta(encode_meta(meta))
        holding = self._clock.monotonic()
        try:
            with plain_errors(self.path):
                changes.write()
        except StateError as error:
            self._broken = str(error)
            raise
        done = self._clock.monotonic()
        self._longest_hold_seconds = max(self._longest_hold_seconds, done - holding)
        self._meta = meta
        self._changed_at = None
        self.arrays.mark_clean()
        self._let_users_go()
        self._flushes += 1
        self._flush_seconds = self._clock.monotonic() - started
        self._longest_flush_seconds = max(self._longest_flush_seconds, self._flush_seconds)

    def _let_users_go(self) -> None:
        self.arrays.evict_users(self._options.cached_users, self._options.cached_user_bytes)

    def _current_meta(self) -> StateMeta:
        """Return what the state says of itself now."""
        self._counters["feed_dropped"] = self._feed.dropped
        self._counters["items_removed"] = self.arrays.items_removed
        return StateMeta(
            partition=self._meta.partition,
            next_offset=self._next_offset,
            watermark=self.watermark,
            feed_start=self._feed.start,
            feed_stop=self._feed.stop,
            next_index=self.arrays.items.next_index,
            config=self._meta.config,
            event_names=self._meta.event_names,
            counters=dict(self._counters),
            topic_ids=self._meta.topic_ids,
        )

    def _expired_users(self) -> list[bytes]:
        """Look at some stored users; return the keys of those who count as absent already."""
        ttl = self._meta.config.user_ttl_seconds
        if ttl is None:
            return []
        horizon = self.watermark - ttl
        stored = scan(self._database, "users", self._swept_to)
        looked_at = list(islice(stored, _SWEPT_USERS + 1))
        self._swept_to = looked_at.pop()[0] if len(looked_at) > _SWEPT_USERS else b""
        return [key for key, value in looked_at if newest_time(value) < horizon]

    def checkpoint(self, directory: Path) -> None:
        """Flush, then write a consistent copy to `directory`, which must not exist.

        Files are hard links where `directory` is on the same file system.

        Raises
        ------
        StorageFullError
            No space, or not writable.
        """
        self.flush()
        with writable(directory), plain_errors(directory):
            directory.parent.mkdir(parents=True, exist_ok=True)
            RocksCheckpoint(self._database.rocks).create_checkpoint(str(directory))

    def drain_touched(self) -> IdColumn:
        """Return the users of the clicks accepted or forgotten since the last call, in order.

        For each, `user` tells what to publish; None means a tombstone.
        """
        touched = self._touched
        self._touched = []
        return touched[0] if len(touched) == 1 else join_ids([IdColumn.of([]), *touched])

    def user(self, user_id: str) -> UserBuffer | None:
        """Return what is known of a user (items are rows, see `item_ids`); None: nothing."""
        self._refuse_if_broken()
        return self.arrays.user_buffer(user_id)

    def users(self, user_ids: IdColumn) -> list[UserBuffer | None]:
        """Return what is known of each of some users (see `user`)."""
        self._refuse_if_broken()
        found = self.arrays.user_buffers(user_ids)
        if self._changed_at is None and self.overfull:
            # Reading brings users in, and without a change no flush would let any go.
            self._let_users_go()
        return found

    def stored_user_ids(self, from_key: bytes, limit: int) -> list[str]:
        """Return at most `limit` ids of users on disk, in byte order from `from_key` on.

        Those who came since the last flush are not among them; some may count as absent by age.
        """
        self._refuse_if_broken()
        with plain_errors(self.path):
            found = islice(scan(self._database, "users", from_key), limit)
            return [key.decode() for key, _ in found]

    def item_ids(self, buffer: UserBuffer) -> list[str | None]:
        """Return the buffer's item ids; None where the item has left the state."""
        id_of = self.arrays.items.id_of
        return [id_of(row) if row >= 0 else None for row in buffer.items.tolist()]

    def stats(self) -> StoreStats:
        """Return gauges and totals."""
        columns = self.arrays.items.columns
        with plain_errors(self.path):
            memory = (
                property_of(self._database, "rocksdb.cur-size-all-mem-tables")
                + property_of(self._database, "rocksdb.estimate-table-readers-mem")
                + int(self._database.rocks.property_int_value("rocksdb.block-cache-usage") or 0)
            )
            disk = property_of(self._database, "rocksdb.live-sst-files-size")
        return StoreStats(
            users_cached=len(self.arrays.users),
            user_bytes=self.arrays.users.nbytes,
            items=len(self.arrays.items),
            edges=int(columns.row_lengths[: self.arrays.items.used].sum()),
            dirty_bytes=self._dirty_bytes(),
            flushes=self._flushes,
            flush_seconds=self._flush_seconds,
            longest_flush_seconds=self._longest_flush_seconds,
            longest_hold_seconds=self._longest_hold_seconds,
            rocksdb_memory_bytes=memory,
            rocksdb_disk_bytes=disk,
            feed_bytes=self._feed.nbytes,
            accepted=self._counters["accepted"],
            duplicates=self._counters["duplicates"],
            too_old=self._counters["too_old"],
            forgotten=self._counters["forgotten"],
            feed_dropped=self._feed.dropped,
            items_removed=self.arrays.items_removed,
        )

    def _refuse_if_broken(self) -> None:
        """Refuse to work after a flush failed: memory is ahead of what the log will replay."""
        if self._broken:
            raise StateError(
                f"A flush failed earlier; close the state and start again. ({self._broken})"
            )

    def close(self) -> None:
        """Let go of everything without flushing; a closed store may be closed again."""
        if self._open:
            self._open = False
            failed = bool(self._broken)
            self._broken = self._broken or "The state was closed."
            try:
                with plain_errors(self.path):
                    self._database.close()
            except StateError:
                # RocksDB repeats the error that made the flush fail; that one was raised then.
                if not failed:
                    raise
            finally:
                self._lock.release()


def _begin(partition: int, config: CounterConfig, names: tuple[str, ...]) -> StateMeta:
    """Return what an empty state says of itself."""
    return StateMeta(
        partition=partition,
        next_offset=0,
        watermark=-math.inf,
        feed_start=0,
        feed_stop=0,
        next_index=0,
        config=config,
        event_names=names,
        counters=dict.fromkeys((*_COUNTERS, "feed_dropped", "items_removed", "history"), 0),
    )

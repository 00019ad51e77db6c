"""The store of one partition's state: counters in memory, made durable by flushes."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rocksdict import Checkpoint as RocksCheckpoint

from gsr.counters.applied_clicks import AppliedClicks
from gsr.counters.click_batch import ClickBatch
from gsr.counters.config import CounterConfig
from gsr.counters.counters import FEW_USERS, Counters
from gsr.counters.ids.id_column import IdColumn, join_ids
from gsr.counters.users.user_buffer import UserBuffer
from gsr.errors import CountersFullError
from stream.clock import Clock
from stream.errors import StateError
from stream.events.clicks.rules import EventRules
from stream.state.directory_lock import DirectoryLock
from stream.state.feed import accepted_rows
from stream.state.flush import FlushBatch
from stream.state.flush_schedule import FlushSchedule
from stream.state.meta import (
    ANEW,
    OUTCOME_TOTALS,
    StateMeta,
    encode_meta,
    new_meta,
    refuse_mismatch,
)
from stream.state.reading import load_items, read_feed_tail, read_meta
from stream.state.rocks import Database, open_database, plain_errors, writable
from stream.state.store_options import StoreOptions
from stream.state.store_stats import FlushTimes, StoreStats, gather_stats
from stream.state.stored_users import StoredUsers


class PartitionStore:
    """Counters with RocksDB below: exact after any crash, because the offset is inside.

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
        self._counts = dict(meta.counters)
        self._touched: list[IdColumn] = []
        self._schedule = FlushSchedule(options, clock)
        self._stored = StoredUsers(database, meta.config.user_ttl_seconds)
        self._flush_times = FlushTimes()
        weights = np.array(list(rules.weights.values()), dtype=np.float64)
        few_users = min(options.cached_users * 5 // 4, FEW_USERS)
        self._counters = Counters(meta.config, weights, users=few_users)
        with plain_errors(path):
            load_items(database, meta, self._counters)
            self._feed = read_feed_tail(database, meta, str(path))
        self._counters.users.source = self._bring_in

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
        with ExitStack() as undo:
            undo.callback(lock.release)
            database = open_database(
                path / "db", options.block_cache_bytes, options.write_buffer_bytes
            )
            undo.callback(database.close)
            with plain_errors(path):
                meta = read_meta(database, str(path))
            if meta is None:
                meta = new_meta(partition, config, names)
            refuse_mismatch(meta, partition, config, names, str(path))
            meta = replace(meta, event_names=names)
            store = cls(path, database, lock, meta, rules, clock, options)
            undo.pop_all()
            return store

    def _bring_in(self, user_ids: IdColumn, slots: npt.NDArray[np.int64]) -> None:
        """Fill slots with stored users; those who are not stored stay empty."""
        if self._meta.feed_stop > 0:  # else nobody was ever stored
            with plain_errors(self.path):
                self._stored.bring_in(self._counters.users, user_ids, slots)

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
        return self._counters.watermark

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
        if self._schedule.pending:
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
        if self._feed.stop or self._next_offset or self._schedule.pending:
            raise ValueError("only an empty state can begin with history")
        self._next_offset = -clicks
        self._counts["history"] = clicks

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
            applied = self._counters.apply(batch)
        except CountersFullError as error:
            raise StateError(f"{self.path}: {error}; build the state anew {ANEW}") from error
        if self.watermark != watermark:
            raise ValueError(f"watermark {watermark} given, {self.watermark} found in the clicks")
        self._next_offset = next_offset
        self._schedule.note_change()
        for name, outcome in OUTCOME_TOTALS.items():
            self._counts[name] += applied.count(outcome)
        rows = accepted_rows(self._feed.stop, batch, applied)
        self._touched.append(IdColumn.of(rows.user_ids))
        self._feed.append(rows)
        return applied

    def due_for_flush(self) -> bool:
        """Tell whether enough has changed, or changes are old enough, to flush."""
        return self._schedule.due(self._dirty_bytes(), self._counters.users)

    @property
    def overfull(self) -> bool:
        """Whether only a flush keeps memory, and the time that a flush takes, in bounds."""
        return self._schedule.overfull(self._dirty_bytes(), self._counters.users)

    def _dirty_bytes(self) -> int:
        """Return roughly how much a flush would write."""
        return int(self._counters.progress.dirty_bytes[0]) + self._feed.pending_bytes

    def flush(self) -> None:
        """Write every change and the offset in one atomic batch; does nothing without changes.

        Raises
        ------
        StorageFullError
            Nothing was written; the store refuses further work and must be closed.
        """
        self._refuse_if_broken()
        if not self._schedule.pending:
            return
        started = self._clock.monotonic()
        changes = FlushBatch(self._database, self._dirty_bytes())
        changes.add_items(self._counters.items)
        with plain_errors(self.path):
            changes.drop_users(self._stored.expired(self.watermark))
        changes.add_users(self._counters.users)
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
        self._meta = meta
        self._counters.mark_clean()
        self._let_users_go()
        seconds = self._clock.monotonic() - started
        self._schedule.note_flush(seconds)
        self._flush_times.note(seconds, done - holding)

    def _let_users_go(self) -> None:
        self._counters.evict_users(self._options.cached_users, self._options.cached_user_bytes)

    def _current_meta(self) -> StateMeta:
        """Return shape and progress as they are now."""
        return replace(
            self._meta,
            next_offset=self._next_offset,
            watermark=self.watermark,
            feed_start=self._feed.start,
            feed_stop=self._feed.stop,
            next_index=self._counters.items.next_index,
            counters=self._totals(),
        )

    def _totals(self) -> dict[str, int]:
        """Return the totals since the state began."""
        return {
            **self._counts,
            "feed_dropped": self._feed.dropped,
            "items_removed": self._counters.items_removed,
        }

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
        return self._counters.user_buffer(user_id)

    def users(self, user_ids: IdColumn) -> list[UserBuffer | None]:
        """Return what is known of each of some users (see `user`)."""
        self._refuse_if_broken()
        found = self._counters.user_buffers(user_ids)
        if self.overfull and not self._schedule.pending:
            # Reading brings users in, and without a change no flush would let any go.
            self._let_users_go()
        return found

    def stored_user_ids(self, from_key: bytes, limit: int) -> list[str]:
        """Return at most `limit` ids of users on disk, in byte order from `from_key` on.

        Those who came since the last flush are not among them; some may count as absent by age.
        """
        self._refuse_if_broken()
        with plain_errors(self.path):
            return self._stored.ids(from_key, limit)

    def item_ids(self, buffer: UserBuffer) -> list[str | None]:
        """Return the buffer's item ids; None where the item has left the state."""
        id_of = self._counters.items.id_of
        return [id_of(row) if row >= 0 else None for row in buffer.items.tolist()]

    def stats(self) -> StoreStats:
        """Return gauges and totals."""
        with plain_errors(self.path):
            return gather_stats(
                self._database,
                self._counters,
                self._flush_times,
                self._totals(),
                dirty_bytes=self._dirty_bytes(),
                feed_bytes=self._feed.nbytes,
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

"""Sequence records of users whose clicks were applied: coalesced, and bounded in rate."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from consumers.roles.ingest.user_chunks import UserChunks
from consumers.roles.ingest.waiting_users import WaitingUsers
from consumers.runtime.token_bucket import TokenBucket
from consumers.topics.log_range import poll_past_damage, say_damage
from gsr.counters.ids.byte_column import ByteColumn
from gsr.counters.ids.id_column import IdColumn
from gsr.counters.users.user_buffer import UserBuffer
from stream.clock import Clock
from stream.errors import OffsetExpiredError, RecordsDamagedError
from stream.events.clicks.utf8_kernel import utf8_rows
from stream.events.records.sequence import sequence_record
from stream.log.interface import Log, Outgoing, Reader, RecordBatch
from stream.state.store import PartitionStore

USERS_PER_APPEND: Final = 500
CATCH_UP_USERS_PER_APPEND: Final = 100
MAX_WAITING_USERS: Final = 100_000
CATCH_UP_SHARE: Final = 1.0 / 32.0
"""Share of the byte rate used while clicks wait: records sent then are soon replaced."""
_REREAD_RECORDS: Final = 20_000


class SequenceBudgets:
    """Bytes of sequences per second: in calm operation, and while clicks wait.

    Parameters
    ----------
    bytes_per_second
        In calm operation.
    clock
        Of which only differences are used.
    """

    def __init__(self, bytes_per_second: float, clock: Clock) -> None:
        self.live = TokenBucket(bytes_per_second, clock)
        self.catching_up = TokenBucket(bytes_per_second * CATCH_UP_SHARE, clock)


class PartitionSequences:
    """Sends the sequences of one partition's touched users, coalesced and throttled.

    `sent_offset` never passes a click whose user's sequence was not appended after that click
    was applied. A restart goes on from a saved `sent_offset`, even where the
    state's own durable offset is further on: the keys of the clicks in between are read again
    from the log, and their users' sequences sent. The same reading-again bounds memory: when too
    many users wait during a bulk catch-up, the waiting list is dropped and rebuilt from the log.

    Clicks that have left the log cannot be read again, and a topic that was emptied has lost more
    than the newest sequences. Then, after `resend`, the state itself tells whose to send: all of
    them, in the same way and at the same rate.

    Parameters
    ----------
    log, clicks
        The log and the topic of clicks.
    partition
        Which one; sequences go to the same number.
    store
        The partition's state, which says what to send.
    event_names
        Event names by code.
    sent_offset
        Up to where sequences are known to have been sent.
    linger_seconds
        How long a touched user waits for further clicks.
    budgets
        Bytes that may be sent, shared by all partitions.
    clock
        Times the linger.
    max_waiting
        Users that may wait in memory.

    Attributes
    ----------
    missed
        Clicks left the log before their users' sequences were sent: `resend` is called for.
    """

    def __init__(
        self,
        log: Log,
        clicks: str,
        partition: int,
        *,
        store: PartitionStore,
        event_names: Sequence[str],
        sent_offset: int,
        linger_seconds: float,
        budgets: SequenceBudgets,
        clock: Clock,
        max_waiting: int,
    ) -> None:
        self._log = log
        self._clicks = clicks
        self._partition = partition
        self._store = store
        self._event_names = tuple(event_names)
        self._linger = linger_seconds
        self._budgets = budgets
        self._clock = clock
        self._max_waiting = max_waiting
        self._waiting = WaitingUsers()
        self._forgotten: set[str] = set()
        self._oldest_wait: float | None = None
        self._reader: Reader | None = None
        self._read_again_from = 0
        self.missed = False
        self._taken: IdColumn = IdColumn.of([])
        self._drained = 0
        self._stored: UserChunks | None = None
        if sent_offset < store.next_offset:
            self._read_again(sent_offset)

    @property
    def waiting_users(self) -> int:
        """How many users are known to wait."""
        return len(self._waiting)

    @property
    def sent_offset(self) -> int:
        """Every click before this offset is in an appended sequence."""
        if self._waiting:
            return self._waiting.oldest_offset
        return self._read_again_from if self._reader is not None else self._store.next_offset

    @property
    def resending(self) -> bool:
        """Whether there are users whose sequence is to be sent only because `resend` was called."""
        return self._stored is not None

    def resend(self) -> None:
        """Send every stored user's sequence, beside what waits; the state must be flushed."""
        self.missed = False
        self._stored = UserChunks(self._store)

    def touch(self, users: IdColumn, first_offset: int, forgotten: Iterable[str] = ()) -> None:
        """Note users whose state changed by clicks from `first_offset` on."""
        if self._reader is not None:
            return  # the log will tell
        self._wait(users, first_offset, forgotten)
        if len(self._waiting) > self._max_waiting:
            start = self.sent_offset
            self._waiting.clear()
            self._forgotten.clear()
            if self._stored is not None:
                self._stored.again()
            self._read_again(start)

    def _wait(self, users: IdColumn, offset: int, forgotten: Iterable[str] = ()) -> None:
        self._waiting.add(users, offset)
        self._forgotten.update(forgotten)
        if self._waiting and self._oldest_wait is None:
            self._oldest_wait = self._clock.monotonic()

    def take(self, *, catching_up: bool = False, everything: bool = False) -> list[Outgoing]:
        """Return the records that are due, a bounded number; append them, then call `sent`.

        Parameters
        ----------
        catching_up
            Clicks wait: send less, because what is sent now is soon replaced.
        everything
            Wait for nothing and return all of it (an orderly stop), except what would have to be
            read again.
        """
        if self._reader is not None:
            self._gather()
        elif self._stored is not None and self._stored.is_due(self._drained):
            self._gather_stored(self._stored)
        budget = self._budgets.catching_up if catching_up else self._budgets.live
        if not self._waiting or not (everything or self._due(budget)):
            return []
        usual = CATCH_UP_USERS_PER_APPEND if catching_up else USERS_PER_APPEND
        limit = len(self._waiting) if everything else usual
        self._taken = self._waiting.oldest(limit)
        buffers = self._store.users(self._taken)
        found = map(self._record, self._taken, buffers)
        records = [record for record in found if record is not None]
        budget.spend(sum(map(size_of, records)))
        return records

    def sent(self) -> None:
        """Note that what `take` returned last was appended."""
        self._waiting.drop_oldest(len(self._taken))
        self._drained += len(self._taken)
        if self._forgotten:
            self._forgotten.difference_update(self._taken)
        self._taken = IdColumn.of([])
        if not self._waiting:
            self._oldest_wait = None

    def close(self) -> None:
        """Let go of the log."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _due(self, budget: TokenBucket) -> bool:
        if self._oldest_wait is None:
            return False
        lingered = self._clock.monotonic() - self._oldest_wait >= self._linger
        return lingered and budget.left() > 0

    def _record(self, user_id: str, buffer: UserBuffer | None) -> Outgoing | None:
        key = user_id.encode()
        if buffer is None or not len(buffer):
            # A user whom the state never knew (all clicks refused) has no sequence to withdraw.
            if user_id not in self._forgotten:
                return None
            return Outgoing(key, None, partition=self._partition)
        record = sequence_record(
            user_id,
            buffer,
            self._store.item_ids(buffer),
            self._event_names,
            self._partition,
            self._store.next_offset,
        )
        return Outgoing(key, record.encode(), partition=self._partition)

    def _read_again(self, offset: int) -> None:
        reader = self._log.reader(self._clicks, partitions=[self._partition])
        self._read_again_from = offset
        reader.seek(self._partition, offset)
        self._reader = reader

    def _gather_stored(self, stored: UserChunks) -> None:
        """Note the next users whom the state knows of; at its end everybody's was sent."""
        users = stored.take()
        if not len(users):
            self._stored = None
            return
        self._wait(users, self._store.next_offset)
        stored.wait_until(self._drained + len(self._waiting))

    def _gather(self) -> None:
        """Note the users of the next stretch of clicks that were applied but not sent."""
        reader, stop = self._reader, self._store.next_offset
        if reader is None or len(self._waiting) > self._max_waiting // 2:
            return
        if self._read_again_from < stop:
            try:
                batches = poll_past_damage(self._log, reader, _REREAD_RECORDS, 0.0, self._tell)
            except OffsetExpiredError as expired:
                self.missed = True
                self._read_again_from = expired.start_offset
                reader.seek(self._partition, expired.start_offset)
                return
            if batches:
                self._note(batches[0], stop)
            else:
                # Compaction and transactions leave gaps: the reader may have passed some.
                self._read_again_from = max(self._read_again_from, reader.position(self._partition))
        if self._read_again_from >= stop:
            reader.close()
            self._reader = None

    def _tell(self, damage: RecordsDamagedError) -> None:
        """Have all users sent again: the state knows whose clicks were there, the log no more."""
        say_damage(damage)
        self.missed = True

    def _note(self, batch: RecordBatch, stop: int) -> None:
        count = int(np.searchsorted(batch.offsets, stop))
        keys, values = ByteColumn.of(batch.keys)[:count], ByteColumn.of(batch.values)[:count]
        rows = utf8_rows(keys)
        users = IdColumn.of_bytes(ByteColumn(keys.data, keys.starts[rows], keys.lengths[rows]))
        forgotten = users.rows(np.flatnonzero(values.lengths[rows] < 0))
        self._wait(users, self._read_again_from, forgotten)
        self._read_again_from = stop if count < len(batch) else batch.next_offset


def size_of(record: Outgoing) -> int:
    """Return the bytes of a record's key and value."""
    return len(record.key or b"") + len(record.value or b"")

"""The publisher role: keeps every user's list on the topic as fresh as the contract says.

A list is *due*, and then always sent, when its user's newest accepted click is newer than the one
it knows of, or when the model that served when that click was accepted is newer than the list's.
Lists are also made anew after a model change (the walk) and when an item that they hold is taken
down or expires; those are sent only if their items changed. So a list's `source_offset` tells
which clicks it knows, and an old `model_version` on a calm user's list means that newer models
would recommend the same, or that the walk has not come by yet.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from consumers.artifacts import ArtifactStore
from consumers.config import GsrConfig
from consumers.due_users import Due, DueUsers
from consumers.item_controls import ItemControls
from consumers.list_scan import ListScan
from consumers.list_sender import ListSender
from consumers.log_range import read_range
from consumers.metrics import Metrics
from consumers.publisher_restore import restore_lists, restore_sequences
from consumers.publisher_state import NOWHERE, UserTable, list_hash
from consumers.sequence_follower import follow_sequences
from consumers.sequence_lookup import SequenceLookup
from consumers.serving import Serving
from consumers.walk import Walk
from stream.clock import Clock
from stream.errors import LogUnavailableError, RecordFormatError, StreamError
from stream.events.recommendation import Reason, Recommendation
from stream.events.sequence import SequenceRecord, decode_sequence
from stream.log.interface import Log, RecordBatch
from stream.state.fingerprint import fingerprint

_LOGGER = logging.getLogger(__name__)

POLL_RECORDS: Final = 5_000
IDLE_POLL_SECONDS: Final = 0.02
MEASURE_SECONDS: Final = 1.0
KEPT_RECORDS: Final = 5_000
"""Sequence records of due users that are kept in memory; others are read again when needed."""
EVICTED_PART: Final = 20
"""One in so many users leaves at once when there are too many."""


class PublisherRole:
    """Follows sequences, item controls, models and views; sends lists.

    Parameters
    ----------
    config
        All settings; `log`, `events`, `model` and `publisher` are used.
    log, clock, metrics
        The seams to the world.
    artifacts
        Where models and views come from.
    """

    def __init__(
        self,
        config: GsrConfig,
        log: Log,
        clock: Clock,
        metrics: Metrics,
        artifacts: ArtifactStore,
    ) -> None:
        self._config = config
        self._log = log
        self._clock = clock
        self._metrics = metrics
        settings, topics = config.publisher, config.log
        # Whoever published before is locked out before its last records are read.
        self._sender = ListSender(log, topics)
        self._users = UserTable(settings.list_length)
        self._due = DueUsers()
        self._records: dict[int, bytes] = {}
        self._controls = ItemControls()
        self._serving = Serving(config, artifacts, clock)
        self._walk = Walk(settings.walk_users_per_second, settings.active_user_seconds, clock)
        self._lookup = SequenceLookup(log, topics.sequences)
        self._scan = ListScan(log, topics.recommendations, self._users)
        self._evicted = False
        self._items = log.reader(topics.items)
        self._reader = log.reader(topics.sequences)
        self._default_due = clock.monotonic()
        self._default_hash: int | None = None
        self._measure_due = clock.monotonic()
        self._floor = self._version = 0
        self._restore()

    def _restore(self) -> None:
        """Rebuild what is known from the topics, read to their ends, and coalesce what is due."""
        topics, now = self._config.log, self._clock.time()
        for partition, end in self._log.end_offsets(topics.items).items():
            start = self._log.start_offsets(topics.items)[partition]
            for batch in read_range(self._log, topics.items, partition, start, end):
                self._controls.apply(batch, now)
            self._items.seek(partition, end)
        self._floor = restore_lists(
            self._log, topics.recommendations, self._users, self._metrics.beat
        )
        ends = restore_sequences(self._log, topics.sequences, self._users, self._metrics.beat)
        for partition, end in ends.items():
            self._reader.seek(partition, end)
        self._withdraw_unfollowed(empty=not any(ends.values()))
        self._mark("click", self._users.due_by_click())
        self._controls.take_newly_blocked(now)
        self._mark_holders(self._controls.blocked)
        _LOGGER.info(
            "%d users, %d of them due; newest list of model %d",
            len(self._users),
            len(self._due),
            self._floor,
        )

    def _withdraw_unfollowed(self, *, empty: bool) -> None:
        """Withdraw the lists of users who were forgotten while no publisher ran."""
        gone = self._users.unfollowed()
        if gone and empty:
            _LOGGER.warning(
                "%s never held a record, but %d users have lists: the lists stay until their "
                "users click again. Was the topic deleted?",
                self._config.log.sequences,
                len(gone),
            )
        else:
            self._withdraw(gone)

    # -- the loop ------------------------------------------------------------------------------

    def step(self) -> bool:
        """Read what is new and send one batch of lists; True where there was any work.

        Raises
        ------
        FencedError
            Another publisher has taken over.
        StreamError
            The log cannot go on; the message says what to do.
        """
        self._refresh()
        self._follow_items()
        sendable = self.publishing and len(self._due) > 0
        before = {p: self._reader.position(p) for p in self._reader.assignment}
        batches = self._reader.poll(POLL_RECORDS, 0.0 if sendable else IDLE_POLL_SECONDS)
        try:
            for batch in batches:
                self._follow_sequences(batch)
        except LogUnavailableError:
            for partition, offset in before.items():
                self._reader.seek(partition, offset)
            raise
        worked = bool(batches)
        if self.publishing:
            worked |= self._send_due()
            worked |= self._send_default()
            worked |= self._send_shortened()
        self._evict()
        self._measure()
        return worked

    @property
    def publishing(self) -> bool:
        """Whether there is something to make lists from that is not older than the lists."""
        return self._serving.ready and self._serving.version >= self._floor

    def checks(self) -> dict[str, bool]:
        """Return what must hold before the publisher counts as ready."""
        return {
            "view": self._serving.ready,
            "model_not_older_than_lists": self._serving.version >= self._floor,
            "default_list": self._default_hash is not None,
        }

    def close(self) -> None:
        """Save positions and let go; what is due is due again after the next start."""
        try:
            self._save_positions()
        finally:
            self._reader.close()
            self._items.close()
            self._lookup.close()
            self._scan.close()
            self._sender.close()

    # -- what is new ---------------------------------------------------------------------------

    def _refresh(self) -> None:
        if not self._serving.refresh() or not self._serving.ready:
            return
        gauge, version = self._metrics.gauge, self._serving.version
        gauge("gsr_publisher_view_timestamp_seconds").set(self._serving.view_created_at)
        if version == self._version:
            return
        self._version = version
        gauge("gsr_publisher_model_version").set(version)
        gauge("gsr_publisher_model_timestamp_seconds").set(self._serving.model_created_at)
        if version < self._floor:
            _LOGGER.warning(
                "model %d is older than lists that are on the topic (model %d); lists wait for a "
                "newer one. Was the artifact store restored from a backup? `gsr models rollback` "
                "gives an old model a new number.",
                version,
                self._floor,
            )
            return
        _LOGGER.info("model %d serves", version)
        accepted = self._users.accepted_times[: self._users.extent]
        self._mark("model", self._users.due_by_version(self._serving.versions_at(accepted)))
        self._walk.move_target(version)

    def _follow_items(self) -> None:
        now = self._clock.time()
        for batch in self._items.poll(POLL_RECORDS, 0.0):
            self._controls.apply(batch, now)
        self._mark_holders(self._controls.take_newly_blocked(now))
        if self._controls.take_changed():
            self._serving.recommender.block(self._controls.blocked)
            self._default_due = min(self._default_due, self._clock.monotonic())

    def _follow_sequences(self, batch: RecordBatch) -> None:
        """Note who clicked; withdraw the lists of who is to be forgotten."""
        forgotten: dict[int, None] = {}
        clicked: dict[int, bytes] = {}
        changes = follow_sequences(batch, self._users, add_forgotten=self._evicted)
        for row, value in changes:
            if value is None:
                forgotten[row] = None
                clicked.pop(row, None)
            else:
                clicked[row] = value
        now = self._clock.monotonic()
        self._due.add("click", clicked, now)
        for row, value in clicked.items():
            if row in self._records or len(self._records) < KEPT_RECORDS:
                self._records[row] = value
        # Who clicked again after being forgotten gets a new list, but loses the old one first.
        back = [row for row in forgotten if row in clicked]
        self._withdraw_lists(back)
        self._withdraw([self._id(row) for row in forgotten if row not in clicked])
        self._metrics.counter("gsr_publisher_sequences_total").inc(len(batch))

    def _mark(self, reason: Reason, rows: Iterable[int]) -> None:
        self._due.add(reason, map(int, rows), self._clock.monotonic())

    def _mark_holders(self, item_ids: Iterable[str]) -> None:
        """Have the lists made anew that hold one of `item_ids`."""
        items = list(item_ids)
        if not items:
            return
        marks = np.array([fingerprint(item) for item in items], dtype=np.uint32)
        self._mark("items", self._users.holding(marks))
        if self._evicted:
            self._scan.look_for(items)

    # -- what goes out -------------------------------------------------------------------------

    def _send_due(self) -> bool:
        settings = self._config.publisher
        waited = self._due.longest_wait(self._clock.monotonic())
        if len(self._due) >= settings.users_per_batch or waited >= settings.linger_seconds:
            due = self._due.take(settings.users_per_batch)
        else:
            due = []
        room = settings.users_per_batch - len(due)
        asked = {one.row for one in due}
        walked = [
            Due(row, "model")
            for row in self._walk.stride(self._users, room).tolist()
            if row not in asked
        ]
        if not due and not walked:
            return False
        try:
            self._send([*due, *walked])
        except StreamError:
            for one in due:
                self._due.add(one.reason, [one.row], self._clock.monotonic())
            raise
        return True

    def _send(self, due: Sequence[Due]) -> None:
        users, version, now = self._users, self._serving.version, self._clock.time()
        found = self._find_records(due)
        started = self._clock.monotonic()
        lists = self._serving.recommender.recommend([record for _, record in found])
        self._metrics.histogram("gsr_publisher_score_seconds").observe(
            self._clock.monotonic() - started
        )
        outgoing: list[tuple[int, Recommendation]] = []
        sent: list[tuple[int, SequenceRecord, Recommendation]] = []
        for (one, record), made in zip(found, lists, strict=True):
            users.checked_versions[one.row] = version
            if not self._is_due(one.row) and list_hash(made.items) == users.list_hashes[one.row]:
                self._metrics.counter("gsr_publisher_unchanged_lists_total").inc()
                continue
            recommendation = Recommendation(
                user_id=record.user_id,
                items=made.items,
                model_version=version,
                generated_at=now,
                last_click_at=record.last_click_at,
                reason="cold" if made.cold else one.reason,
                source_offset=record.source_offset,
            )
            outgoing.append((int(users.partitions[one.row]), recommendation))
            sent.append((one.row, record, recommendation))
        self._sender.send(outgoing)
        self._count_sent(sent)

    def _count_sent(self, sent: Iterable[tuple[int, SequenceRecord, Recommendation]]) -> None:
        now = self._clock.time()
        latency = self._metrics.histogram("gsr_publisher_click_to_list_seconds")
        for row, record, one in sent:
            if record.source_offset > self._users.listed_click_offsets[row]:
                latency.observe(max(0.0, now - record.accepted_at))
            self._users.set_list(row, record.source_offset, one.model_version, one.items)
            self._metrics.counter("gsr_publisher_lists_total").labels(one.reason).inc()
        self._metrics.gauge("gsr_publisher_list_timestamp_seconds").set(now)

    def _is_due(self, row: int) -> bool:
        users = self._users
        if users.click_offsets[row] > users.listed_click_offsets[row]:
            return True
        at_click = self._serving.versions_at(users.accepted_times[row : row + 1])[0]
        return bool(users.listed_versions[row] < at_click)

    def _find_records(self, due: Sequence[Due]) -> list[tuple[Due, SequenceRecord]]:
        """Return the sequences of `due`; leaves out those whose record is on its way."""
        users = self._users
        missing = [one.row for one in due if one.row not in self._records]
        places = {
            row: (int(users.partitions[row]), int(users.sequence_offsets[row]))
            for row in missing
            if users.sequence_offsets[row] != NOWHERE
        }
        read = self._lookup.read(places.values()) if places else {}
        found: list[tuple[Due, SequenceRecord]] = []
        for one in due:
            value = self._records.pop(one.row, None) or read.get(places.get(one.row, (0, NOWHERE)))
            if value is None:
                # The record was replaced: the reader will come upon the newer one.
                continue
            try:
                found.append((one, decode_sequence(value)))
            except RecordFormatError as error:
                _LOGGER.warning("a sequence of %r is ignored: %s", self._id(one.row), error)
        return found

    def _withdraw(self, user_ids: Sequence[str]) -> None:
        """Forget users and send tombstones for their lists."""
        rows = [self._users.row_of(user_id) for user_id in user_ids]
        self._withdraw_lists(rows)
        for row, user_id in zip(rows, user_ids, strict=True):
            self._due.discard(row)
            self._records.pop(row, None)
            self._users.remove(user_id)

    def _withdraw_lists(self, rows: Sequence[int]) -> None:
        # Whose list is not known any more may have one all the same.
        versions = self._users.listed_versions
        listed = [row for row in rows if self._evicted or versions[row] != NOWHERE]
        self._sender.withdraw((int(self._users.partitions[row]), self._id(row)) for row in listed)
        for row in listed:
            self._users.clear_list(row)
        self._metrics.counter("gsr_publisher_tombstones_total").inc(len(listed))

    def _send_default(self) -> bool:
        if self._clock.monotonic() < self._default_due:
            return False
        settings = self._config.publisher
        self._default_due = self._clock.monotonic() + settings.default_list_interval_seconds
        items = self._serving.recommender.default_list(settings.default_list_length)
        found = list_hash(items)
        if found == self._default_hash:
            return False
        self._sender.send_default(
            Recommendation(
                user_id="",
                items=items,
                model_version=self._serving.version,
                generated_at=self._clock.time(),
                reason="cold",
            )
        )
        self._default_hash = found
        return True

    def _send_shortened(self) -> bool:
        """Take blocked items out of the lists of users who are not kept in memory."""
        if not self._scan.running:
            return False
        shortened = self._scan.step(self._clock.time())
        self._sender.send(shortened)
        self._metrics.counter("gsr_publisher_lists_total").labels("items").inc(len(shortened))
        return True

    def _id(self, row: int) -> str:
        user_id = self._users.id_of(row)
        if user_id is None:
            raise LookupError(f"row {row} of the table of users is empty")
        return user_id

    # -- chores --------------------------------------------------------------------------------

    def _save_positions(self) -> None:
        """Save up to where every due list has been sent."""
        topic, users = self._config.log.sequences, self._users
        positions = {p: self._reader.position(p) for p in self._reader.assignment}
        for row in self._due.rows():
            partition, offset = int(users.partitions[row]), int(users.sequence_offsets[row])
            if offset != NOWHERE:
                positions[partition] = min(positions[partition], offset)
        self._log.save_positions(self._config.publisher.group, topic, positions)

    def _evict(self) -> None:
        """Let go of those whose click is oldest, when there are too many."""
        limit = self._config.publisher.kept_users
        if len(self._users) <= limit:
            return
        waiting = self._due.rows()
        for user_id in self._users.oldest(len(self._users) - limit + limit // EVICTED_PART):
            if self._users.row_of(user_id) not in waiting:
                self._users.remove(user_id)
        self._evicted = True

    def _measure(self) -> None:
        if self._clock.monotonic() < self._measure_due:
            return
        self._measure_due = self._clock.monotonic() + MEASURE_SECONDS
        self._save_positions()
        ends = self._log.end_offsets(self._config.log.sequences)
        values = {
            "lag_records": sum(ends[p] - self._reader.position(p) for p in self._reader.assignment),
            "due_users": len(self._due),
            "walk_remaining_users": self._walk.remaining,
            "walk_progress_ratio": self._walk.progress(self._users),
            "users": len(self._users),
            "blocked_items": len(self._controls.blocked),
        }
        for name, value in values.items():
            self._metrics.gauge(f"gsr_publisher_{name}").set(value)

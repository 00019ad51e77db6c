"""Lists: made, compared with those on the topic, sent or withdrawn."""

import logging
import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from consumers.config.sections.publisher import PublisherSection
from consumers.metrics.registry import Metrics
from consumers.roles.publisher.attribution.replaced_lists import ReplacedLists
from consumers.roles.publisher.due_users import Due, DueUsers
from consumers.roles.publisher.list_numbers import with_list_id
from consumers.roles.publisher.list_sender import ListSender
from consumers.roles.publisher.sequence_cache import SequenceCache
from consumers.roles.publisher.sequence_lookup import SequenceLookup
from consumers.roles.publisher.user_table import (
    NOWHERE,
    REASONS,
    ListColumns,
    ListOrigins,
    UserTable,
)
from consumers.roles.publisher.walk import Walk
from consumers.serving.made_lists import list_hashes
from consumers.serving.newest_artifacts import NewestArtifacts
from stream.clock import Clock, Periodic
from stream.errors import RecordFormatError, StreamError
from stream.events.records.list_id import list_id, list_number
from stream.events.records.recommendation import Recommendation
from stream.events.records.sequence import SequenceRecord, decode_sequence

_LOGGER = logging.getLogger(__name__)


class Publication:
    """Makes and sends due lists in batches, except those that would not change.

    Parameters
    ----------
    settings
        Batch size, linger, and the default list's length and pace.
    users
        What is known of users; the lists that are sent are noted here.
    replaced
        Keeps the lists that these replace, for a while.
    due
        Who is due.
    walk
        Who is refreshed without being due.
    serving
        Makes the lists.
    sender, lookup
        Where lists go, and where sequences are found that are not at hand.
    clock, metrics
        The seams to the world.

    Attributes
    ----------
    records
        Sequences at hand.
    """

    def __init__(
        self,
        settings: PublisherSection,
        *,
        users: UserTable,
        replaced: ReplacedLists,
        due: DueUsers,
        walk: Walk,
        serving: NewestArtifacts,
        sender: ListSender,
        lookup: SequenceLookup,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._users = users
        self._replaced = replaced
        self._due = due
        self._walk = walk
        self._serving = serving
        self._sender = sender
        self._lookup = lookup
        self._clock = clock
        self._metrics = metrics
        self.records = SequenceCache(settings.kept_record_bytes)
        self._next_default = Periodic(clock, settings.default_list_interval_seconds)
        self._default_ids: list[str] | None = None

    @property
    def has_default(self) -> bool:
        """Whether the default list has been sent since the start, or is another publisher's."""
        return self._default_ids is not None or not self._sender.sends_default

    def leave(self, rows: Sequence[int]) -> None:
        """Drop what waits for users who have left the table with their partition."""
        for row in rows:
            self._due.discard(row)
        self.records.drop(rows)

    def patience(self) -> float:
        """Return for how many seconds those who are due may wait for others; inf: nobody is due."""
        if not self._due:
            return math.inf
        if len(self._due) >= self._settings.users_per_batch:
            return 0.0
        waited = self._due.longest_wait(self._clock.monotonic())
        return max(0.0, self._settings.linger_seconds - waited)

    def send_due(self) -> bool:
        """Send one batch of due lists, and of the walk's where there is room; True for any."""
        settings = self._settings
        if self._due and self.patience() > 0.0:
            return False  # in a moment; whom the walk visits comes with them
        due = self._due.take(settings.users_per_batch)
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
        found = self._find_records(due)
        if not found:
            return
        rows = np.array([one.row for one, _ in found], dtype=np.int64)
        started = self._clock.monotonic()
        lists = self._serving.recommender.make([record for _, record in found])
        self._metrics.histogram("gsr_publisher_score_seconds").observe(
            self._clock.monotonic() - started
        )
        early = np.zeros(len(rows), dtype=np.bool_)
        for at in np.flatnonzero(lists.lengths == 0).tolist():
            one, record = found[at]
            early[at] = self._is_early(one.row, record)
            if early[at]:
                self._due.postpone(one)
        users, hashes = self._users, list_hashes(lists.marks, lists.lengths)
        unchanged = ~early & ~self._are_due(rows) & (hashes == users.list_hashes[rows])
        self._metrics.counter("gsr_publisher_unchanged_lists_total").inc(int(unchanged.sum()))
        places = np.flatnonzero(~early & ~unchanged)
        version, now = self._serving.version, self._clock.time()
        sent = [found[at][1] for at in places.tolist()]
        numbers = [
            list_number(record.user_id, items_hash, record.source_offset, version)
            for record, items_hash in zip(sent, hashes[places].tolist(), strict=True)
        ]
        outgoing = [
            Recommendation(
                user_id=record.user_id,
                items=lists.items(at),
                model_version=version,
                generated_at=now,
                last_click_at=record.last_click_at,
                reason="cold" if lists.cold[at] else one.reason,
                source_offset=record.source_offset,
                list_id=list_id(number),
            )
            for number, at, (one, record) in (
                (number, at, found[at]) for number, at in zip(numbers, places.tolist(), strict=True)
            )
        ]
        checked, rows = rows[~early], rows[places]
        self._sender.send(zip(users.partitions[rows].tolist(), outgoing, strict=True))
        # Not before: where nothing could be sent, the walk has to come by again.
        users.checked_versions[checked] = version
        users.checked_arrivals[checked] = self._serving.recommender.arrivals
        self._count_sent(rows, sent, outgoing)
        self._replaced.keep(rows[users.listed_versions[rows] != NOWHERE])
        origins = ListOrigins(
            click_offsets=np.array([record.source_offset for record in sent], dtype=np.int64),
            versions=np.full(len(rows), version, dtype=np.int64),
            made_at=np.full(len(rows), now, dtype=np.float64),
            reasons=np.array([REASONS.index(one.reason) for one in outgoing], dtype=np.uint8),
            numbers=np.array(numbers, dtype=np.uint64),
        )
        columns = ListColumns(hashes[places], lists.marks[places], lists.lengths[places])
        users.set_lists(rows, origins, columns)

    def _count_sent(
        self,
        rows: npt.NDArray[np.int64],
        records: Iterable[SequenceRecord],
        lists: Iterable[Recommendation],
    ) -> None:
        """Count what was sent, before it is noted in the table."""
        now = self._clock.time()
        latency = self._metrics.histogram("gsr_publisher_click_to_list_seconds")
        listed = self._users.listed_click_offsets[rows].tolist()
        for record, offset in zip(records, listed, strict=True):
            if record.source_offset > offset:
                latency.observe(max(0.0, now - record.accepted_at))
        for reason, count in Counter(one.reason for one in lists).items():
            self._metrics.counter("gsr_publisher_lists_total").labels(reason).inc(count)
        self._metrics.gauge("gsr_publisher_list_timestamp_seconds").set(now)

    def _is_early(self, row: int, record: SequenceRecord) -> bool:
        """Tell whether a list is empty only because the view is behind its user's clicks.

        Who has a list loses it all the same: it holds nothing but what they have seen by now, or
        may not get.
        """
        counted = self._serving.counts(record.source_partition, record.source_offset)
        return not counted and not self._users.list_lengths[row]

    def _are_due(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which users' lists are due, bool [n], by a click or by the model of its time."""
        users = self._users
        by_click = users.click_offsets[rows] > users.listed_click_offsets[rows]
        at_click = self._serving.versions_at(users.accepted_times[rows])
        due: npt.NDArray[np.bool_] = by_click | (users.listed_versions[rows] < at_click)
        return due

    def _find_records(self, due: Sequence[Due]) -> list[tuple[Due, SequenceRecord]]:
        """Return the sequences of `due`; leaves out those whose record is on its way."""
        users = self._users
        kept = {one.row: self.records.get(one.row) for one in due}
        missing = [row for row, value in kept.items() if value is None]
        places = {
            row: (int(users.partitions[row]), int(users.sequence_offsets[row]))
            for row in missing
            if users.sequence_offsets[row] != NOWHERE
        }
        read = self._lookup.read(places.values()) if places else {}
        found: list[tuple[Due, SequenceRecord]] = []
        for one in due:
            value = kept[one.row] or read.get(places.get(one.row, (0, NOWHERE)))
            if value is None:
                # The record was replaced: the reader will come upon the newer one.
                continue
            user_id = users.name_of(one.row)
            try:
                record = decode_sequence(value)
            except RecordFormatError as error:
                _LOGGER.warning("a sequence of %r is ignored: %s", user_id, error)
                continue
            if record.user_id == user_id:  # else the topic was made anew: it is read anew soon
                found.append((one, record))
        return found

    def send_shortened(self, lists: Iterable[tuple[int, Recommendation]]) -> None:
        """Send (partition, list) of users who are not kept in memory, as `ListScan` found them.

        A list of which nothing is left is withdrawn: there are other items.
        """
        left, emptied = [], []
        for partition, one in lists:
            if one.items:
                left.append((partition, one))
            else:
                emptied.append((partition, one.user_id))
        self._sender.send(left)
        self._sender.withdraw(emptied)
        self._metrics.counter("gsr_publisher_lists_total").labels("items").inc(len(left))

    def withdraw(self, user_ids: Sequence[str], *, unknown_too: bool = False) -> None:
        """Forget users and send tombstones for their lists; see `withdraw_lists`."""
        rows = [self._users.row_of(user_id) for user_id in user_ids]
        self.withdraw_lists(rows, unknown_too=unknown_too)
        for row, user_id in zip(rows, user_ids, strict=True):
            self._due.discard(row)
            self._users.remove(user_id)
        self.records.drop(rows)

    def withdraw_lists(self, rows: Sequence[int], *, unknown_too: bool = False) -> None:
        """Send tombstones for the lists of `rows`.

        With `unknown_too` also where no list is known: whoever left memory may have one.
        """
        versions = self._users.listed_versions
        listed = [row for row in rows if unknown_too or versions[row] != NOWHERE]
        self._sender.withdraw(
            (int(self._users.partitions[row]), self._users.name_of(row)) for row in listed
        )
        for row in listed:
            self._replaced.forget(self._users.name_of(row))
            self._users.clear_list(row)
        self._metrics.counter("gsr_publisher_tombstones_total").inc(len(listed))

    def hurry_default(self) -> None:
        """Have the default list looked at in the next round."""
        self._next_default.restart(0.0)

    def send_default(self) -> bool:
        """Send the default list, if it is time to and it changed; True where it went."""
        if not self._sender.sends_default:
            self._default_ids = None
            return False
        if not self._next_default.due():
            return False
        items = self._serving.recommender.default_list(self._settings.default_list_length)
        ids = [item.item_id for item in items]
        if ids == self._default_ids:
            return False
        default = Recommendation(
            user_id="",
            items=items,
            model_version=self._serving.version,
            generated_at=self._clock.time(),
            reason="cold",
        )
        self._sender.send_default(with_list_id(default))
        self._default_ids = ids
        return True

"""The publisher role: keeps every user's list on the topic as fresh as the contract says.

A list is *due*, and then always sent, when its user's newest accepted click is newer than the one
it knows of, or when the model that served when that click was accepted is newer than the list's.
Lists are also made anew after a model change (the walk), when an item that they hold is taken down
(at once or by the `expires_at` of its control), and when they are short and new items have come;
those are sent only if their items changed. So a list's `source_offset` tells which clicks it knows,
and an old `model_version` on a calm user's list means that newer models would recommend the same,
or that the walk has not come by yet.
"""

import logging
from collections.abc import Container, Iterable, Sequence
from typing import Final

import numpy as np

from consumers.artifacts.store import ArtifactStore
from consumers.artifacts.written_settings import refuse_other_journal
from consumers.config.settings import GsrConfig
from consumers.metrics.names import GaugeName
from consumers.metrics.registry import Metrics
from consumers.roles.publisher.attribution.replaced_lists import ReplacedLists
from consumers.roles.publisher.attribution.served_clicks import ServedClicks
from consumers.roles.publisher.due_users import DueUsers
from consumers.roles.publisher.forgotten_users import ForgottenUsers
from consumers.roles.publisher.list_scan import ListScan
from consumers.roles.publisher.list_sender import ListSender
from consumers.roles.publisher.partitions import PublishedPartitions
from consumers.roles.publisher.publication import Publication
from consumers.roles.publisher.sequence_follower import follow_sequences
from consumers.roles.publisher.sequence_lookup import SequenceLookup
from consumers.roles.publisher.user_table import UserTable
from consumers.roles.publisher.walk import Walk
from consumers.serving.item_controls import ItemControls
from consumers.serving.newest_artifacts import NewestArtifacts
from consumers.topics.followed_topic import FollowedTopic
from consumers.topics.log_range import poll_past_damage, read_range
from consumers.topics.read_trouble import ReadTrouble
from gsr.counters.ids.fingerprint import fingerprint
from stream.clock import Clock, Periodic
from stream.errors import LogUnavailableError, RecordsDamagedError
from stream.events.records.recommendation import Reason
from stream.log.interface import Log, Reader, RecordBatch

_LOGGER = logging.getLogger(__name__)

POLL_RECORDS: Final = 5_000
IDLE_POLL_SECONDS: Final = 0.02
FOLLOW_SECONDS: Final = 0.5
"""Sequences are followed for so long before lists are made, where they come that fast."""
MEASURE_SECONDS: Final = 1.0
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
        refuse_other_journal(artifacts, config)
        self._config = config
        self._log = log
        self._clock = clock
        self._metrics = metrics
        settings, topics = config.publisher, config.log
        self._sender = ListSender(log, topics, settings.group)
        self._users = UserTable(settings.list_length)
        replaced = ReplacedLists(self._users)
        self._due = DueUsers()
        self._trouble = ReadTrouble(metrics, "publisher")
        self._controls = ItemControls(self._trouble.foreign)
        self._serving = NewestArtifacts(config, artifacts, clock)
        self._walk = Walk(settings.walk_users_per_second, settings.active_user_seconds, clock)
        self._lookup = SequenceLookup(log, topics.sequences, self._trouble.damaged)
        self._items = log.reader(topics.items)
        self._publication = Publication(
            settings,
            users=self._users,
            replaced=replaced,
            due=self._due,
            walk=self._walk,
            serving=self._serving,
            sender=self._sender,
            lookup=self._lookup,
            clock=clock,
            metrics=metrics,
        )
        self._served = None
        if settings.attribution:
            self._served = ServedClicks(
                config,
                log,
                clock,
                metrics,
                users=self._users,
                replaced=replaced,
            )
        self._forgotten = ForgottenUsers(
            log, config, clock, self._users, self._publication.withdraw
        )
        self._partitions = PublishedPartitions(
            config,
            log,
            clock,
            metrics,
            users=self._users,
            sender=self._sender,
            trouble=self._trouble,
            left=self._leave,
        )
        self._scan = ListScan(
            log,
            topics.recommendations,
            self._users,
            self._partitions.serving,
            self._trouble.damaged,
        )
        self._reader = log.reader(topics.sequences, group=settings.group, listener=self._partitions)
        self._partitions.read_with(self._reader)
        self._next_measure = Periodic(clock, MEASURE_SECONDS)
        self._sequences = FollowedTopic(log, topics.sequences, clock)
        self._version = 0
        self._read_items()

    def _leave(self, partition: int, rows: Sequence[int]) -> None:
        """Drop what waits for a partition and its users, who have left the table."""
        if self._served is not None:
            self._served.leave(partition)
        self._forgotten.leave([partition])
        self._publication.leave(rows)

    def _read_items(self) -> None:
        """Learn of all item controls before anything is sent."""
        topic, now = self._config.log.items, self._clock.time()
        for partition, end in self._log.end_offsets(topic).items():
            start = self._log.start_offsets(topic)[partition]
            for batch in read_range(self._log, topic, partition, start, end, self._trouble.damaged):
                self._controls.apply(batch, now)
            self._items.seek(partition, end)
        self._controls.take_newly_blocked(now)

    def _open_partitions(self) -> bool:
        """Restore what was assigned, coalescing what is due there; True where any became ready."""
        ready = self._partitions.advance()
        self._forgotten.look_for([partition for partition, known in ready if known])
        if not ready:
            return False
        self._mark("click", self._users.due_by_click())
        accepted = self._users.accepted_times[: self._users.extent]
        self._mark("model", self._users.due_by_version(self._serving.versions_at(accepted)))
        self._mark_holders(self._controls.blocked)
        self._mark_short()
        _LOGGER.info(
            "%d users, %d of them due; newest list of model %d",
            len(self._users),
            len(self._due.rows()),
            self._partitions.newest_version,
        )
        self._warn_of_older_model()
        return True

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
        hurry = self._partitions.opening or self._partitions.joining
        patience = self._publication.patience() if self.publishing else IDLE_POLL_SECONDS
        worked = self._follow(0.0 if hurry else min(patience, IDLE_POLL_SECONDS))
        worked |= self._open_partitions()
        self._forgotten.look(self._partitions.positions)
        if self._served is not None:  # before lists go out that know of these clicks
            worked |= self._served.step(self._partitions.serving)
        if self.publishing:
            worked |= self._publication.send_due()
            worked |= self._publication.send_default()
            if self._scan.running:
                self._publication.send_shortened(self._scan.step(self._clock.time()))
                worked = True
        self._evict()
        self._measure()
        return worked

    @property
    def publishing(self) -> bool:
        """Whether there is something to make lists from that is not older than the lists."""
        return self._serving.has_items and self._serving.version >= self._partitions.newest_version

    def checks(self) -> dict[str, bool]:
        """Return what must hold before the publisher counts as ready."""
        return {
            "assigned": self._partitions.settled() and not self._partitions.opening,
            "progressing": self._sequences.is_recent()
            and not self._sequences.stalled(self._config.process.stalled_seconds),
            "view": self._serving.has_items,
            "model_not_older_than_lists": (
                self._serving.version >= self._partitions.newest_version
            ),
            "default_list": self._publication.has_default,
            "sequences": self._forgotten.complete,
        }

    def close(self) -> None:
        """Save positions and let go; what is due is due again after the next start."""
        try:
            if self._served is not None:
                self._served.close()
            self._partitions.save_positions(self._due.rows())
        finally:
            self._partitions.close()
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
        self._due.take_up(self._clock.monotonic())
        self._mark_short()
        if version == self._version:
            return
        self._version = version
        gauge("gsr_publisher_model_version").set(version)
        gauge("gsr_publisher_model_timestamp_seconds").set(self._serving.model_created_at)
        if self._warn_of_older_model():
            return
        _LOGGER.info("model %d serves", version)
        accepted = self._users.accepted_times[: self._users.extent]
        self._mark("model", self._users.due_by_version(self._serving.versions_at(accepted)))
        self._walk.move_target(version)

    def _warn_of_older_model(self) -> bool:
        """Say what to do where lists are of a newer model than the store has; True where so."""
        version, newest = self._serving.version, self._partitions.newest_version
        if not 0 < version < newest:
            return False
        _LOGGER.warning(
            "model %d is older than lists that are on the topic (model %d); lists wait for a newer "
            "one. Is the artifact store a fresh one, or restored from a backup? `gsr models "
            "rollback %d --above %d` gives this model a newer number.",
            version,
            newest,
            version,
            newest,
        )
        return True

    def _follow_items(self) -> None:
        now = self._clock.time()
        for batch in self._poll(self._items, 0.0):
            self._controls.apply(batch, now)
        self._mark_holders(self._controls.take_newly_blocked(now))
        if self._controls.take_changed():
            self._serving.recommender.block(self._controls.blocked)
            self._mark_short()
            self._publication.hurry_default()

    def _follow(self, seconds: float) -> bool:
        """Follow sequences until nothing more is at hand, for a while; True where any came.

        A list is best made from the newest: who clicks often gets one list for many sequences.
        """
        until = self._clock.monotonic() + FOLLOW_SECONDS
        batches = self._poll(self._reader, seconds)
        worked = bool(batches)
        while batches:
            self._follow_batches(batches)
            if self._clock.monotonic() >= until:
                break
            batches = self._poll(self._reader, 0.0)
        return worked

    def _poll(self, reader: Reader, seconds: float) -> list[RecordBatch]:
        """Read on, past what cannot be read: lists can be made anew."""
        return poll_past_damage(self._log, reader, POLL_RECORDS, seconds, self._tell_damage)

    def _tell_damage(self, damage: RecordsDamagedError) -> None:
        """Count it; whose sequence cannot be read was not forgotten."""
        self._trouble.damaged(damage)
        if damage.topic == self._config.log.sequences:
            self._forgotten.leave([damage.partition])

    def _follow_batches(self, batches: Sequence[RecordBatch]) -> None:
        """Follow sequences; after a failure they are read again."""
        try:
            for batch in batches:
                if batch.partition in self._partitions.serving:  # else it has just left
                    self._follow_sequences(batch)
        except LogUnavailableError:
            reading = self._reader.assignment
            for batch in batches:
                if batch.partition in reading:
                    self._reader.seek(batch.partition, int(batch.offsets[0]))
            raise

    def _follow_sequences(self, batch: RecordBatch) -> None:
        """Note who clicked; withdraw the lists of who is to be forgotten."""
        forgotten: dict[int, None] = {}
        clicked: dict[int, bytes] = {}
        changes = follow_sequences(
            batch,
            self._users,
            add_forgotten=not self._users.complete,
            foreign=self._trouble.foreign,
        )
        for row, value in changes:
            if value is None:
                forgotten[row] = None
                clicked.pop(row, None)
            else:
                clicked[row] = value
        now = self._clock.monotonic()
        self._due.add("click", clicked, now)
        for row, value in clicked.items():
            self._publication.records.keep(row, value)
        if forgotten:
            self._withdraw(forgotten, clicked)
        self._metrics.counter("gsr_publisher_sequences_total").inc(len(batch))

    def _withdraw(self, forgotten: Iterable[int], clicked: Container[int]) -> None:
        """Withdraw the lists of rows that are to be forgotten; some have `clicked` again since."""
        # Who clicked again after being forgotten gets a new list, but loses the old one first.
        back = [row for row in forgotten if row in clicked]
        unknown_too = not self._users.complete
        self._publication.withdraw_lists(back, unknown_too=unknown_too)
        self._publication.withdraw(
            [self._users.name_of(row) for row in forgotten if row not in clicked],
            unknown_too=unknown_too,
        )

    def _mark(self, reason: Reason, rows: Iterable[int]) -> None:
        self._due.add(reason, map(int, rows), self._clock.monotonic())

    def _mark_holders(self, item_ids: Iterable[str]) -> None:
        """Make those lists due that hold one of `item_ids`."""
        items = list(item_ids)
        if not items:
            return
        marks = np.array([fingerprint(item) for item in items], dtype=np.uint32)
        self._mark("items", self._users.holding(marks))
        if not self._users.complete:
            self._scan.look_for(items)

    def _mark_short(self) -> None:
        """Make those lists due that lacked items and could have more by now."""
        arrivals = self._serving.recommender.arrivals
        length = self._config.publisher.list_length
        self._mark("items", self._users.due_by_arrivals(arrivals, length))

    # -- chores --------------------------------------------------------------------------------

    def _evict(self) -> None:
        """Let go of those whose click is oldest, when there are too many."""
        limit = self._config.publisher.kept_users
        if len(self._users) <= limit or self._partitions.opening:
            return
        waiting = self._due.rows()
        for user_id in self._users.oldest(len(self._users) - limit + limit // EVICTED_PART):
            row = self._users.row_of(user_id)
            if row not in waiting:
                self._publication.records.drop([row])
                self._users.remove(user_id)
        self._users.complete = False

    def _measure(self) -> None:
        if not self._next_measure.due():
            return
        self._partitions.save_positions(self._due.rows())
        if self._served is not None:
            self._served.measure()
        oversized, self._sender.oversized = self._sender.oversized, 0
        self._metrics.counter("gsr_publisher_oversized_lists_total").inc(oversized)
        followed, reader = self._sequences, self._reader
        followed.measure({p: reader.position(p) for p in reader.assignment})
        self._partitions.note_past_end({p for p, lag in followed.lags.items() if lag.past_end})
        values: dict[GaugeName, float] = {
            "gsr_publisher_lag_records": sum(lag.readable for lag in followed.lags.values()),
            "gsr_publisher_progress_timestamp_seconds": min(
                map(followed.progressed_at, followed.lags), default=self._clock.time()
            ),
            "gsr_publisher_due_users": len(self._due.rows()),
            "gsr_publisher_kept_record_bytes": self._publication.records.nbytes,
            "gsr_publisher_kept_record_limit_bytes": self._publication.records.limit_bytes,
            "gsr_publisher_walk_remaining_users": self._walk.remaining,
            "gsr_publisher_walk_progress_ratio": self._walk.progress(self._users),
            "gsr_publisher_users": len(self._users),
            "gsr_publisher_blocked_items": len(self._controls.blocked),
        }
        for name, value in values.items():
            self._metrics.gauge(name).set(value)

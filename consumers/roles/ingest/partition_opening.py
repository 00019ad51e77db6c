"""The opening of an assigned partition: lock, restore where that helps, open."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from consumers.artifacts.restoring import refuse_other_checkpoint
from consumers.artifacts.store import ArtifactStore
from consumers.config.settings import GsrConfig
from consumers.errors import ArtifactError, ClicksExpiredError
from consumers.roles.ingest.checkpoint_fetch import CheckpointFetch
from consumers.roles.ingest.topic_origin import TopicOrigin
from stream.clock import Clock, Periodic
from stream.errors import StateCorruptError, StateLockedError, StateMismatchError
from stream.state.directory_lock import DirectoryLock
from stream.state.restoring import holds_state
from stream.state.store import PartitionStore
from stream.state.store_options import StoreOptions

_LOGGER = logging.getLogger(__name__)

_FIRST_RETRY_SECONDS: Final = 0.5
_LONGEST_RETRY_SECONDS: Final = 30.0

Source = Literal["local", "checkpoint", "nothing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionBounds:
    """What the log says of a partition.

    Parameters
    ----------
    start, end
        The oldest offset that may still be read, and the one after the newest.
    had_state
        Whether the log remembers that there was a state of this partition with clicks in it.
    """

    start: int
    end: int
    had_state: bool


def choose_source(local: int | None, checkpoint: int | None, start: int, lead: int) -> Source:
    """Return what a partition's state is best opened from.

    Parameters
    ----------
    local, checkpoint
        Up to which offset each has applied the partition; None where it is missing.
    start
        The log's oldest offset: from a smaller one nothing can be read on.
    lead
        A local state that a checkpoint leads by more records than this is not caught up from the
        log, which takes longer than restoring.

    Examples
    --------
    >>> choose_source(local=90, checkpoint=100, start=0, lead=50)
    'local'
    >>> choose_source(local=20, checkpoint=100, start=0, lead=50)
    'checkpoint'
    >>> choose_source(local=90, checkpoint=100, start=95, lead=50)
    'checkpoint'
    >>> choose_source(local=None, checkpoint=None, start=0, lead=50)
    'nothing'
    """
    if local is None:
        return "nothing" if checkpoint is None else "checkpoint"
    if checkpoint is None or checkpoint <= local:
        return "local"
    return "local" if local >= start and checkpoint - local <= lead else "checkpoint"


class PartitionOpening:
    """Brings a partition's state up, a little at each `advance`, while the partition is paused.

    The local database is opened where it is there and usable. Where it is missing, damaged, behind
    the log's start or far behind the newest checkpoint, that checkpoint is brought from the
    artifact store first, on a thread, so that polling goes on. While another process (the old
    owner, just letting go) holds the state directory, it is waited for.

    Parameters
    ----------
    config
        All settings.
    partition
        Which one.
    ask_bounds
        Returns what the log says of it now.
    origin
        The topic that is read, for what else was made from another one.
    artifacts
        Where checkpoints are.
    clock
        Times waiting.

    Attributes
    ----------
    restored_offset
        Of the checkpoint that was brought, None where none was.
    checkpointed_offset
        Of the newest checkpoint, 0 where none is known.
    """

    def __init__(
        self,
        config: GsrConfig,
        partition: int,
        ask_bounds: Callable[[], PartitionBounds],
        origin: TopicOrigin,
        artifacts: ArtifactStore,
        clock: Clock,
    ) -> None:
        self.partition = partition
        self.restored_offset: int | None = None
        self.checkpointed_offset = 0
        self._config = config
        self._ask_bounds = ask_bounds
        self._origin = origin
        self._artifacts = artifacts
        self._clock = clock
        self._path: Path = config.ingest_directory / f"partition-{partition}"
        self._began = clock.monotonic()
        self._lock: DirectoryLock | None = None
        self._store: PartitionStore | None = None
        self._fetch: CheckpointFetch | None = None
        self._next_try = Periodic(clock, _LONGEST_RETRY_SECONDS)
        self._retry_after = _FIRST_RETRY_SECONDS

    @property
    def locked(self) -> bool:
        """Whether another process still holds the state directory."""
        return self._lock is None and self._store is None

    @property
    def restoring(self) -> bool:
        """Whether a checkpoint is on its way."""
        return self._fetch is not None

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return self._clock.monotonic() - self._began

    def advance(self) -> PartitionStore | None:
        """Do what can be done without waiting; return the open state once it is there.

        Raises
        ------
        StateLockedError
            Another process has held the directory for `ingest.lock_wait_seconds`.
        StateMismatchError, StateCorruptError, StorageFullError
            The state cannot be used, and no checkpoint can take its place.
        ClicksExpiredError
            Clicks that the state lacks are no longer in the log.
        OtherTopicError
            The state, or the checkpoint, was made from another topic.
        """
        if self._store is None:
            if self._lock is None and not self._try_lock():
                return None
            store = self._bring()
            if store is not None:
                with _closed_on_error(store):
                    self._origin.tie(store)
            self._store = store
        return self._store

    def abandon(self) -> None:
        """Let go without waiting; what is being restored ends as a local state to begin with."""
        if self._fetch is not None and self._lock is not None:
            self._fetch.release_when_done(self._lock)
            self._fetch = self._lock = None
        if self._store is not None:
            self._store.close()
            self._store = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def lost_records(self, store: PartitionStore) -> int:
        """Return how many records the log no longer has that the state needed next.

        Raises
        ------
        ClicksExpiredError
            Some, and `ingest.accept_gap` is off.
        """
        topic, bounds = self._config.log.clicks, self._ask_bounds()
        start = bounds.start
        if store.next_offset == 0 and not bounds.had_state:
            return 0  # a beginning: there never was a state that knew more
        lost = max(0, start - store.next_offset)
        if lost and not self._config.ingest.accept_gap:
            self._origin.check_name(f"the state in {self._path}")
            raise ClicksExpiredError(topic, self.partition, store.next_offset, start)
        return lost

    # -- steps ---------------------------------------------------------------------------------

    def _try_lock(self) -> bool:
        self._path.mkdir(parents=True, exist_ok=True)
        try:
            self._lock = DirectoryLock(self._path)
        except StateLockedError:
            if self.seconds >= self._config.ingest.lock_wait_seconds:
                raise
            return False
        return True

    def _bring(self) -> PartitionStore | None:
        if self._fetch is not None:
            if not self._fetch.done:
                return None
            fetch, self._fetch = self._fetch, None
            return self._open_restored(fetch.number) if self._arrived(fetch) else None
        return None if self._next_try.seconds_left() > 0 else self._look()

    def _look(self) -> PartitionStore | None:
        """Open the local state, or begin to restore."""
        newest, trouble = self._newest_checkpoint()
        self.checkpointed_offset = newest or 0
        bounds = self._ask_bounds()  # after the checkpoint, which else might be ahead of it
        store, damage = self._open_local()
        if damage is not None and not self._try_lock():
            return None
        if store is not None:
            with _closed_on_error(store):
                self._origin.compare(store.topic_ids, f"the state in {self._path}")
        self._refuse_other_log(newest, bounds.end, "newest checkpoint", store)
        local = None if store is None else store.next_offset
        self._refuse_other_log(local, bounds.end, "state", store)
        if trouble is not None and (local is None or local < bounds.start):
            self._later(store, trouble)
            return None
        lead = self._config.ingest.restore_lead_records
        if newest is not None and choose_source(local, newest, bounds.start, lead) == "checkpoint":
            self._begin_restoring(newest, store)
            return None
        if damage is not None:
            raise damage
        return self._open() if store is None else store

    def _newest_checkpoint(self) -> tuple[int | None, ArtifactError | None]:
        try:
            return self._artifacts.newest_checkpoint(self.partition), None
        except ArtifactError as error:
            _LOGGER.warning("partition %d: cannot look for checkpoints: %s", self.partition, error)
            return None, error

    def _open_local(self) -> tuple[PartitionStore | None, StateCorruptError | None]:
        if not holds_state(self._path):
            return None, None
        try:
            return self._open(), None
        except StateCorruptError as error:
            return None, error

    def _refuse_checkpoint(self, checkpoint: Path) -> None:
        """Refuse one that fits badly before it takes the place of a state that may be better."""
        self._origin.compare_checkpoint(checkpoint)
        refuse_other_checkpoint(checkpoint, self.partition, self._config)

    def _begin_restoring(self, number: int, store: PartitionStore | None) -> None:
        if not self._let_go_of(store):
            return
        self._fetch = CheckpointFetch(
            self._artifacts, self.partition, number, self._path, self._refuse_checkpoint
        )
        _LOGGER.info(
            "partition %d: restoring the checkpoint of offset %d%s",
            self.partition,
            number,
            "" if store is None else f" over the local state of offset {store.next_offset}",
        )

    def _open_restored(self, number: int) -> PartitionStore:
        try:
            return self._open()
        except StateCorruptError as error:
            raise self._damaged(number, error) from error

    def _damaged(self, number: int, error: StateCorruptError) -> StateCorruptError:
        return StateCorruptError(
            f"partition {self.partition}: the checkpoint of offset {number} in the artifact store "
            f"is damaged: `gsr state check` says what mends it. ({error})"
        )

    def _arrived(self, fetch: CheckpointFetch) -> bool:
        if fetch.error is None:
            self.restored_offset = fetch.number
            return True
        if isinstance(fetch.error, StateCorruptError):
            raise self._damaged(fetch.number, fetch.error) from fetch.error
        # A checkpoint may have been pruned meanwhile; the next look finds a newer one.
        if not isinstance(fetch.error, (ArtifactError, FileNotFoundError)):
            raise fetch.error
        self._later(None, fetch.error)
        return False

    def _later(self, store: PartitionStore | None, error: Exception) -> None:
        self._let_go_of(store)
        self._next_try.restart(self._retry_after)
        _LOGGER.warning(
            "partition %d: restoring failed, trying again in %.1f s: %s",
            self.partition,
            self._retry_after,
            error,
        )
        self._retry_after = min(2 * self._retry_after, _LONGEST_RETRY_SECONDS)

    def _let_go_of(self, store: PartitionStore | None) -> bool:
        """Close a store, which takes the lock with it; tell whether the lock is ours again."""
        if store is None:
            return True
        store.close()
        return self._try_lock()

    def _open(self) -> PartitionStore:
        config, ingest, rules = self._config, self._config.ingest, self._config.events.rules()
        lock, self._lock = self._lock, None
        return PartitionStore.open(
            self._path,
            self.partition,
            config.state.shape(),
            rules,
            self._clock,
            StoreOptions(
                flush_bytes=ingest.flush_dirty_bytes,
                flush_seconds=ingest.flush_interval_seconds,
                cached_users=ingest.cached_users,
                cached_user_bytes=ingest.cached_user_bytes,
            ),
            lock,
        )

    def _refuse_other_log(
        self, offset: int | None, end: int, what: str, store: PartitionStore | None = None
    ) -> None:
        if offset is None or offset <= end:
            return
        if store is not None:
            store.close()
        self._origin.check_name(f"the {what}")
        raise StateMismatchError(
            f"{self._config.log.clicks}[{self.partition}]: the {what} has applied records up to "
            f"offset {offset}, but the log ends at {end}: it is another log, or records were lost "
            "with a broker. Name the log that this was built from, or bring back a replica with "
            "these records. Where they are gone for good, begin with another state directory and "
            "artifact store, and keep these: a new state knows only what the log still holds."
        )


@contextmanager
def _closed_on_error(store: PartitionStore) -> Iterator[None]:
    try:
        yield
    except BaseException:
        store.close()
        raise

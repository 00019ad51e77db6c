"""Follows the topics of lists and of sequences into the store of users."""

import logging
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from consumers.config.sections.log import LogSection
from consumers.metrics.registry import Metrics
from consumers.roles.serve.user_store import KINDS, Change, Kind, UserStore
from consumers.topics.followed_topic import FollowedTopic
from consumers.topics.log_range import poll_past_damage
from consumers.topics.read_trouble import ReadTrouble
from stream.clock import Clock
from stream.errors import RecordFormatError
from stream.events.records.recommendation import RECOMMENDATION_SCHEMA_VERSION
from stream.events.records.record_json import decode_record
from stream.events.records.sequence import SEQUENCE_SCHEMA_VERSION
from stream.log.interface import Log, RecordBatch

_LOGGER = logging.getLogger(__name__)

POLL_RECORDS: Final = 5_000
NEWEST_USERS: Final = 200


class _ListHead(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """What tells a list from any other record; its items are skipped in decoding."""

    user_id: str
    model_version: int
    schema_version: int = RECOMMENDATION_SCHEMA_VERSION


class _SequenceHead(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """What tells a sequence from any other record, and newer ones from older ones."""

    user_id: str
    next_offset: int
    schema_version: int = SEQUENCE_SCHEMA_VERSION


_LISTS: Final = msgspec.json.Decoder(_ListHead)
_SEQUENCES: Final = msgspec.json.Decoder(_SequenceHead)


class UserTopics:
    """Reads both topics from where the store stands.

    Parameters
    ----------
    log, topics
        Where they are.
    store
        Filled; holds the positions.
    clock, metrics
        Of the role.
    trouble
        Told of what cannot be read.

    Attributes
    ----------
    newest_list_at
        When the log took the newest list that was read, seconds since the epoch; None before the
        first since the start.
    newest_users
        Who clicked last since the start, newest first; another tuple after each change.
    """

    def __init__(
        self,
        log: Log,
        topics: LogSection,
        store: UserStore,
        clock: Clock,
        metrics: Metrics,
        trouble: ReadTrouble,
    ) -> None:
        self._log = log
        self._store = store
        self._metrics = metrics
        self._trouble = trouble
        self.newest_list_at: float | None = None
        self.newest_users: tuple[str, ...] = ()
        self.topics: Mapping[Kind, str] = {
            "lists": topics.recommendations,
            "sequences": topics.sequences,
        }
        self.followed = {kind: FollowedTopic(log, self.topics[kind], clock) for kind in KINDS}
        self._readers = {kind: log.reader(self.topics[kind]) for kind in KINDS}
        self._targets = {kind: log.end_offsets(self.topics[kind]) for kind in KINDS}
        for kind, reader in self._readers.items():
            for partition, offset in store.positions(kind).items():
                reader.seek(partition, offset)
        self._positions = {kind: self._read_next(kind) for kind in KINDS}

    def follow(self, seconds: float) -> bool:
        """Take over what has come, waiting for it at most `seconds`; True where anything had."""
        worked = False
        for kind in KINDS:
            before = self._positions[kind]
            reader = self._readers[kind]
            wait = 0.0 if worked else seconds / len(KINDS)
            batches = poll_past_damage(self._log, reader, POLL_RECORDS, wait, self._trouble.damaged)
            after = self._read_next(kind)
            if after == before:
                continue
            worked = True
            try:
                self._store.write(kind, self._changes(kind, batches), after)
            except BaseException:
                for partition, offset in before.items():
                    reader.seek(partition, offset)
                raise
            count = sum(map(len, batches))
            self._metrics.counter("gsr_serve_records_total").labels(kind).inc(count)
            self._positions[kind] = after
            if kind == "sequences":
                self._note_users(batches)
            elif batches:
                self.newest_list_at = max(float(batch.append_times[-1]) for batch in batches)
        return worked

    def _note_users(self, batches: list[RecordBatch]) -> None:
        """Note whose clicks have come; who is forgotten is not named any more."""
        newest: dict[bytes, bool] = {}
        for batch in batches:
            for key, value in zip(batch.keys, batch.values, strict=True):
                if key is not None:
                    newest.pop(key, None)
                    newest[key] = value is not None
        names = [key.decode("utf-8", "replace") for key, there in newest.items() if there]
        touched = {key.decode("utf-8", "replace") for key in newest}
        others = (name for name in self.newest_users if name not in touched)
        self.newest_users = (*names[::-1], *others)[:NEWEST_USERS]

    def positions(self, kind: Kind) -> dict[int, int]:
        """Return partition -> the offset behind what the store holds."""
        return self._positions[kind]

    def _read_next(self, kind: Kind) -> dict[int, int]:
        reader = self._readers[kind]
        return {partition: reader.position(partition) for partition in reader.assignment}

    def caught_up(self) -> bool:
        """Return whether all has been read that was there when the role began."""
        return all(
            self.positions(kind).get(partition, end) >= end
            for kind in KINDS
            for partition, end in self._targets[kind].items()
        )

    def measure(self) -> None:
        """Ask the log how far behind the readers are."""
        for kind, followed in self.followed.items():
            followed.measure(self.positions(kind))

    def close(self) -> None:
        """Let go of the readers."""
        for reader in self._readers.values():
            reader.close()

    def _changes(self, kind: Kind, batches: list[RecordBatch]) -> Iterator[Change]:
        """Yield what the records say, in their order; those of others are counted."""
        for batch in batches:
            rows = zip(batch.offsets.tolist(), batch.keys, batch.values, strict=True)
            for offset, key, value in rows:
                if key is None:
                    self._trouble.foreign()
                elif value is None:
                    yield Change(key, 0, None)
                else:
                    try:
                        order = _order(kind, offset, value)
                    except RecordFormatError as error:
                        _LOGGER.warning("%s: the record of %r: %s", batch.topic, key, error)
                        self._trouble.foreign()
                    else:
                        yield Change(key, order, value)


def _order(kind: Kind, offset: int, value: bytes) -> int:
    """Return what orders the records of a user, after a look whether this is one."""
    if kind == "lists":
        decode_record(_LISTS, value, RECOMMENDATION_SCHEMA_VERSION)
        return offset
    return max(0, decode_record(_SEQUENCES, value, SEQUENCE_SCHEMA_VERSION).next_offset)

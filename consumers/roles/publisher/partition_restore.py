"""The restore of a partition: its lists and sequences, read before anything is sent there."""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from consumers.roles.publisher.sequence_follower import follow_sequences
from consumers.roles.publisher.user_table import (
    NOWHERE,
    REASONS,
    ListOrigins,
    UserTable,
    list_columns,
)
from consumers.topics.log_range import read_range
from consumers.topics.read_trouble import ReadTrouble
from stream.errors import RecordFormatError, RecordsDamagedError
from stream.events.records.list_id import parse_list_id
from stream.events.records.recommendation import Recommendation, decode_recommendation
from stream.log.interface import Log, RecordBatch

_LOGGER = logging.getLogger(__name__)


class PartitionRestore:
    """Reads one partition of both topics to the ends that they have at the beginning.

    Whoever published there before must be locked out by then, so that no list comes after the
    ends that is not one's own.

    Parameters
    ----------
    log
        The log.
    lists, sequences
        The topics of recommendations and of sequences.
    partition
        Which one.
    trouble
        Told of what cannot be read.
    users
        Filled. A user whose newest sequence is a tombstone keeps only the list, as one who was
        forgotten.

    Attributes
    ----------
    newest_version
        The newest model version of all lists so far.
    sequences_end
        The offset to read sequences on from.
    sequences_damaged
        Whether some sequences could not be read: their users were not forgotten.
    """

    def __init__(
        self,
        log: Log,
        lists: str,
        sequences: str,
        partition: int,
        users: UserTable,
        trouble: ReadTrouble,
    ) -> None:
        self.newest_version = 0
        self.sequences_end = 0
        self.sequences_damaged = False
        self._trouble = trouble
        self._log = log
        self._lists = lists
        self._sequences = sequences
        self._partition = partition
        self._users = users

    def steps(self) -> Iterator[None]:
        """Yield after each batch, until all is read."""
        for batch in self._whole(self._lists, self._log.end_offsets(self._lists)):
            self._note_lists(batch)
            yield
        ends = self._log.end_offsets(self._sequences)
        self.sequences_end = ends[self._partition]
        for batch in self._whole(self._sequences, ends):
            deque(follow_sequences(batch, self._users, foreign=self._trouble.foreign), maxlen=0)
            yield

    def _note_lists(self, batch: RecordBatch) -> None:
        """Note the lists of a batch, which holds no user twice."""
        rows: list[int] = []
        found: list[Recommendation] = []
        for key, value in zip(batch.keys, batch.values, strict=True):
            user_id = (key or b"").decode(errors="replace")
            if value is None:
                self._users.remove(user_id)
                continue
            try:
                record = decode_recommendation(value)
            except RecordFormatError as error:
                _LOGGER.warning("%s: a record of %r is ignored: %s", self._lists, user_id, error)
                self._trouble.foreign()
                continue
            rows.append(self._users.add(user_id, self._partition))
            found.append(record)
        origins = _origins(found)
        self.newest_version = max(self.newest_version, int(origins.versions.max(initial=0)))
        self._users.set_lists(
            np.array(rows, dtype=np.int64),
            origins,
            list_columns([one.items for one in found]),
            restored=True,
        )

    def _whole(self, topic: str, ends: dict[int, int]) -> Iterator[RecordBatch]:
        start = self._log.start_offsets(topic)[self._partition]
        stop = ends[self._partition]
        batches = read_range(self._log, topic, self._partition, start, stop, self._tell)
        return map(newest_of_each_key, batches)

    def _tell(self, damage: RecordsDamagedError) -> None:
        self._trouble.damaged(damage)
        self.sequences_damaged |= damage.topic == self._sequences


def _origins(lists: Sequence[Recommendation]) -> ListOrigins:
    offsets = [NOWHERE if one.source_offset is None else one.source_offset for one in lists]
    return ListOrigins(
        click_offsets=np.array(offsets, dtype=np.int64),
        versions=np.array([one.model_version for one in lists], dtype=np.int64),
        made_at=np.array([one.generated_at for one in lists], dtype=np.float64),
        reasons=np.array([REASONS.index(one.reason) for one in lists], dtype=np.uint8),
        numbers=np.array([parse_list_id(one.list_id) for one in lists], dtype=np.uint64),
    )


def newest_of_each_key(batch: RecordBatch) -> RecordBatch:
    """Return a batch without the records that later ones of their key replace.

    A topic that was not compacted just now holds each active user many times.
    """
    rows = sorted({key: row for row, key in enumerate(batch.keys)}.values())
    if len(rows) == len(batch):
        return batch
    return replace(
        batch,
        offsets=batch.offsets[rows],
        append_times=batch.append_times[rows],
        keys=[batch.keys[row] for row in rows],
        values=[batch.values[row] for row in rows],
        headers=(),
    )

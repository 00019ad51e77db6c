"""What a publisher reads before it sends anything: its own lists, and everybody's sequences."""

import logging
from collections import deque
from collections.abc import Callable, Iterator

from consumers.publisher.sequence_follower import follow_sequences
from consumers.publisher.state import UserTable
from consumers.topics.log_range import read_range
from stream.errors import RecordFormatError
from stream.events.recommendation import decode_recommendation
from stream.log.interface import Log, RecordBatch

_LOGGER = logging.getLogger(__name__)


def restore_lists(log: Log, topic: str, users: UserTable, beat: Callable[[], None]) -> int:
    """Note the list that every user has; return the newest model version of all records.

    Parameters
    ----------
    log, topic
        The log, and the topic of recommendations.
    users
        Filled.
    beat
        Called between batches, because this may take long.
    """
    newest = 0
    for batch in _whole_topic(log, topic):
        for key, value in zip(batch.keys, batch.values, strict=True):
            user_id = (key or b"").decode(errors="replace")
            if value is None:
                users.remove(user_id)
                continue
            try:
                record = decode_recommendation(value)
            except RecordFormatError as error:
                _LOGGER.warning("%s: a record of %r is ignored: %s", topic, user_id, error)
                continue
            newest = max(newest, record.model_version)
            row = users.add(user_id, batch.partition)
            users.set_list(row, record.source_offset, record.model_version, record.items)
        beat()
    return newest


def restore_sequences(
    log: Log, topic: str, users: UserTable, beat: Callable[[], None]
) -> dict[int, int]:
    """Note where every user's newest sequence is; return the offsets to read on from.

    A user whose newest record is a tombstone keeps only the list, as one who was forgotten.

    Parameters
    ----------
    log, topic
        The log, and the topic of sequences.
    users
        Filled.
    beat
        Called between batches, because this may take long.
    """
    ends = log.end_offsets(topic)
    for batch in _whole_topic(log, topic, ends):
        deque(follow_sequences(batch, users), maxlen=0)
        beat()
    return ends


def _whole_topic(log: Log, topic: str, ends: dict[int, int] | None = None) -> Iterator[RecordBatch]:
    starts, ends = log.start_offsets(topic), ends or log.end_offsets(topic)
    for partition, end in ends.items():
        yield from read_range(log, topic, partition, starts[partition], end)

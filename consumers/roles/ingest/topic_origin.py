"""The identity of the topic that a state was made from: compared, and noted in the state.

A topic is known by its id. Brokers that give none leave the records themselves: there, a state
remembers the last record that it applied, and a topic that was made anew holds another one at that
offset, or none.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from xxhash import xxh3_128_hexdigest

from consumers.config.settings import GsrConfig
from consumers.errors import OtherTopicError
from consumers.topics.log_range import read_range
from stream.errors import OffsetExpiredError, RecordsDamagedError, StateError
from stream.log.interface import Log, RecordBatch
from stream.state.checkpoint import Checkpoint
from stream.state.store import PartitionStore

CLICKS: Final = "clicks"
"""What the topic is to a state, whatever its name: see `StateMeta.topic_ids`."""
_RECORD: Final = "record"

_LOGGER = logging.getLogger(__name__)


class TopicOrigin:
    """The topic of clicks that is read now, for one partition's state.

    Parameters
    ----------
    config
        `log.clicks` and `ingest.accept_topic` are used.
    log
        Asked for a record where the topic has no id.
    partition
        Which one.
    topic_id
        What tells the topic that is read from others of its name; None: nothing does.
    """

    def __init__(self, config: GsrConfig, log: Log, partition: int, topic_id: str | None) -> None:
        self._topic = config.log.clicks
        self._accepted = config.ingest.accept_topic
        self._log = log
        self._partition = partition
        self._topic_id = topic_id

    def compare(self, made_from: Mapping[str, str], whose: str) -> None:
        """Refuse what was made from another topic.

        Parameters
        ----------
        made_from
            As in `StateMeta.topic_ids`; where it says nothing, nothing is refused.
        whose
            What was made from it, as ``"the state in DIR"``.

        Raises
        ------
        OtherTopicError
            Names both, and the ways on.
        """
        before = made_from.get(CLICKS)
        if before is None:
            return
        found = self._found(before) if marks_record(before) else self._topic_id
        if found not in (None, before, self._accepted):
            raise OtherTopicError(self._topic, before, found, whose)

    def check_name(self, whose: str) -> None:
        """Refuse to go on where the name has passed to another topic since reading began.

        What the log says by name (its offsets) is said of that other topic then.

        Raises
        ------
        OtherTopicError
            Names both, and the ways on.
        """
        if self._topic_id is None:
            return
        found = self._log.topic_ids([self._topic]).get(self._topic)
        if found not in (None, self._topic_id):
            raise OtherTopicError(self._topic, self._topic_id, found, whose)

    def compare_checkpoint(self, path: Path) -> None:
        """Refuse a checkpoint that was made from another topic, as `compare` does."""
        with suppress(StateError):  # what is damaged is found, and named, at its opening
            with Checkpoint.open(path) as checkpoint:
                made_from = checkpoint.meta.topic_ids
            self.compare(made_from, f"the checkpoint of partition {self._partition} in {path}")

    def tie(self, store: PartitionStore) -> None:
        """Compare a state, and note in it which topic it belongs to where it does not say so."""
        self.compare(store.topic_ids, f"the state in {store.path}")
        before = store.topic_ids.get(CLICKS)
        if self._topic_id is None or self._topic_id == before:
            return
        if before is not None or store.next_offset > 0:
            _LOGGER.warning(
                "partition %d: from now on the state belongs to the topic %s of id %s%s",
                self._partition,
                self._topic,
                self._topic_id,
                "; it did not say which before"
                if marks_record(before)
                else ", as ingest.accept_topic says",
            )
        store.belong_to({CLICKS: self._topic_id})

    def _found(self, mark: str) -> str | None:
        """Return the mark of the record that is now at the offset of `mark`.

        None where retention has taken it, or it cannot be read: nobody can tell then.
        """
        offset, damages = int(mark.split(":")[1]), list[RecordsDamagedError]()
        with suppress(OffsetExpiredError):
            for batch in read_range(
                self._log, self._topic, self._partition, offset, offset + 1, damages.append
            ):
                return record_mark(batch)
            return None if damages else f"{_RECORD}:{offset}:none"
        return None


def remember_record(store: PartitionStore, batch: RecordBatch) -> None:
    """Let a state remember the last record of a batch, where its topic has no id."""
    if marks_record(store.topic_ids.get(CLICKS)):
        store.remember_topic(CLICKS, record_mark(batch))


def record_mark(batch: RecordBatch) -> str:
    """Return what stands for the last record of a batch, in place of its topic's id."""
    digest = xxh3_128_hexdigest(repr((batch.keys[-1], batch.values[-1])).encode())
    return f"{_RECORD}:{batch.next_offset - 1}:{digest}"


def marks_record(mark: str | None) -> bool:
    """Return whether a mark stands for a record and not for a topic's id; so does none yet."""
    return mark is None or mark.startswith(f"{_RECORD}:")

"""What is small enough to be read anew at each start: the default list, and item controls."""

import logging
from typing import Final

from consumers.config.sections.log import LogSection
from consumers.serving.item_controls import ItemControls
from consumers.topics.log_range import poll_past_damage, read_range
from consumers.topics.read_trouble import ReadTrouble
from stream.clock import Clock
from stream.errors import RecordFormatError
from stream.events.records.recommendation import Recommendation, decode_recommendation
from stream.log.interface import Log, Reader, RecordBatch

_LOGGER = logging.getLogger(__name__)

_POLL_RECORDS: Final = 5_000


class SmallTopics:
    """Follows the topics of the default list and of item controls, from their beginnings.

    Parameters
    ----------
    log, topics
        Where they are.
    clock
        Says which items have expired.
    trouble
        Told of what cannot be read.

    Attributes
    ----------
    newest
        The newest default list, None before the first.
    controls
        The newest item controls.
    """

    def __init__(self, log: Log, topics: LogSection, clock: Clock, trouble: ReadTrouble) -> None:
        self._log = log
        self._clock = clock
        self._trouble = trouble
        self._items_topic = topics.items
        self.newest: Recommendation | None = None
        self.controls = ItemControls(trouble.foreign)
        self._lists = log.reader(topics.default_recommendations)
        self._items = log.reader(topics.items)
        self._read_whole(topics.items, self._items)
        self._read_whole(topics.default_recommendations, self._lists)
        self.controls.take_newly_blocked(clock.time())
        self.controls.take_changed()

    def follow(self) -> bool:
        """Take over what has come; True where items were blocked, or are no more."""
        for batch in self._poll(self._items):
            self._take(batch)
        for batch in self._poll(self._lists):
            self._take(batch)
        self.controls.take_newly_blocked(self._clock.time())  # expires what is past its time
        return self.controls.take_changed()

    def close(self) -> None:
        """Let go of the readers."""
        self._lists.close()
        self._items.close()

    def _read_whole(self, topic: str, reader: Reader) -> None:
        starts = self._log.start_offsets(topic)
        for partition, end in self._log.end_offsets(topic).items():
            ranged = read_range(
                self._log, topic, partition, starts[partition], end, self._trouble.damaged
            )
            for batch in ranged:
                self._take(batch)
            reader.seek(partition, end)

    def _poll(self, reader: Reader) -> list[RecordBatch]:
        return poll_past_damage(self._log, reader, _POLL_RECORDS, 0.0, self._trouble.damaged)

    def _take(self, batch: RecordBatch) -> None:
        if batch.topic == self._items_topic:
            self.controls.apply(batch, self._clock.time())
            return
        for value in batch.values:
            if value is None:
                self.newest = None
                continue
            try:
                self.newest = decode_recommendation(value)
            except RecordFormatError as error:
                _LOGGER.warning("%s: a record is ignored: %s", batch.topic, error)
                self._trouble.foreign()

"""The demo's data from the topics: one shopper."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from consumers.config.settings import GsrConfig
from consumers.serving.item_titles import ItemTitles
from consumers.topics.log_range import poll_past_damage, say_damage
from stream.clock import Clock, Periodic
from stream.events.records.recommendation import Recommendation, decode_recommendation
from stream.events.records.sequence import SequenceRecord, decode_sequence
from stream.log.interface import Log

_SHOPPERS: Final = 2000
_SHOPPER_SECONDS: Final = 6.0


@dataclass(frozen=True, slots=True)
class Shopper:
    """One user: what they clicked, and what they got for it; with titles of these items."""

    sequence: SequenceRecord
    recommendation: Recommendation
    titles: Mapping[str, str] = field(default_factory=dict)


class ShopperWindow:
    """Shows the newest refreshed list, and changes every few seconds.

    Parameters
    ----------
    config
        Names the topics and the file of titles.
    log
        Read from its end on.
    clock
        Says when it is time for another shopper.
    """

    def __init__(self, config: GsrConfig, log: Log, clock: Clock) -> None:
        self._log = log
        self._titles = ItemTitles(config.titles_file)
        self._sequences: dict[str, SequenceRecord] = {}
        self._next_shopper = Periodic(clock, _SHOPPER_SECONDS)
        self.shopper: Shopper | None = None
        self._readers = [
            log.reader(topic) for topic in (config.log.sequences, config.log.recommendations)
        ]
        for reader, topic in zip(
            self._readers, (config.log.sequences, config.log.recommendations), strict=True
        ):
            for partition, end in log.end_offsets(topic).items():
                reader.seek(partition, end)

    def look(self) -> None:
        """Take in what is new on the topics."""
        sequences, recommendations = self._readers
        for batch in poll_past_damage(self._log, sequences, _SHOPPERS, 0.0, say_damage):
            for value in filter(None, batch.values):
                record = decode_sequence(value)
                self._sequences[record.user_id] = record
        while len(self._sequences) > _SHOPPERS:
            del self._sequences[next(iter(self._sequences))]
        for batch in poll_past_damage(self._log, recommendations, _SHOPPERS, 0.0, say_damage):
            values = [value for value in batch.values if value is not None]
            if not values or self._next_shopper.seconds_left() > 0:
                continue
            newest = decode_recommendation(values[-1])
            sequence = self._sequences.get(newest.user_id)
            # Only the sequence that the list was made from: a newer click may be in the list.
            made_from = None if sequence is None else sequence.source_offset
            if sequence is not None and newest.items and made_from == newest.source_offset:
                self._titles.refresh()
                items = [*sequence.items, *(entry.item_id for entry in newest.items)]
                self.shopper = Shopper(sequence, newest, self._titles.of(items))
                self._next_shopper.restart()

    def close(self) -> None:
        """Let go of topics and titles."""
        for reader in self._readers:
            reader.close()
        self._titles.close()

"""A dead-letter topic with letters on it, beside the topic that they come from."""

from collections.abc import Sequence

import numpy as np

from stream.clock import Clock
from stream.events.clicks.bad_record import BadRecord
from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.encoding import encode_click
from stream.events.clicks.rules import EventRules
from stream.events.records.dead_letters import DeadLetter, dead_letter, parse_dead_letter
from stream.log.interface import Headers, Log, Outgoing, RecordBatch, TopicSpec

NOW = 1_700_000_000.0


class DeadLetterWorld:
    """A topic of clicks and its dead letters, with two partitions each.

    Parameters
    ----------
    log
        Where they are made.
    clock
        Stamps clicks.
    create
        Make the topics first.
    source
        Name of the topic of clicks.
    """

    def __init__(
        self, log: Log, clock: Clock, *, create: bool = True, source: str = "clicks"
    ) -> None:
        self.log = log
        self.clock = clock
        self._read = {0: 0, 1: 0}
        self.source, self.dead_letters = source, f"{source}.dlq"
        for name in (self.source, self.dead_letters) if create else ():
            log.create_topic(TopicSpec(name=name, partitions=2))

    def send(self, *records: tuple[bytes | None, bytes | None], partition: int = 1) -> None:
        """Append records to clicks as they are."""
        self.log.writer(self.source).append(
            [Outgoing(key, value, (("trace", b"t-1"),), partition) for key, value in records]
        )

    def click(self, item: str, event: str | None = None, later: float = 0.0) -> bytes:
        """Return a click's bytes, of user `u`."""
        return encode_click("u", item, self.clock.time() + later, event=event)

    def ingest(self, rules: EventRules | None = None) -> list[BadRecord]:
        """Set aside what is bad among the records that came since the last call."""
        codec = ClickCodec(rules if rules is not None else EventRules())
        found = []
        writer = self.log.writer(self.dead_letters)
        for batch in self.batches(self.source):
            bad = codec.decode(batch, -np.inf).bad
            fresh = [one for one in bad if one.offset >= self._read[batch.partition]]
            self._read[batch.partition] = batch.next_offset
            writer.append([dead_letter(batch, one) for one in fresh])
            found += fresh
        return found

    def letters(self) -> list[DeadLetter]:
        """Return the dead letters, partition by partition."""
        return [
            parse_dead_letter(key, value, headers)
            for key, value, headers in self.records(self.dead_letters)
        ]

    def records(self, topic: str) -> list[tuple[bytes | None, bytes | None, Headers]]:
        """Return what is on a topic: key, value, headers."""
        return [
            (batch.keys[row], batch.values[row], batch.headers[row] if batch.headers else ())
            for batch in self.batches(topic)
            for row in range(len(batch))
        ]

    def batches(self, topic: str) -> Sequence[RecordBatch]:
        """Read a topic from its start to its end."""
        ends, found = self.log.end_offsets(topic), []
        reader = self.log.reader(topic, partitions=sorted(ends))
        try:
            for partition, start in self.log.start_offsets(topic).items():
                reader.seek(partition, start)
            while any(reader.position(p) < end for p, end in ends.items()):
                found += reader.poll(1000, 0.1)
        finally:
            reader.close()
        return sorted(found, key=lambda batch: (batch.partition, batch.next_offset))

"""Where ingest sets bad records aside, each of them once."""

from collections.abc import Iterator, Sequence

from consumers.topics.dead_letters import newest_first
from stream.events.codec import BadRecord
from stream.events.dead_letters import dead_letter
from stream.log.interface import Log, RecordBatch


class DeadLetterTopic:
    """Appends the bad records of one partition of clicks, durably and without repeats.

    Dead letters are appended before the flush that passes them, so after a crash some are read
    again. They went to the topic in the order of their offsets, so the newest one that is there
    tells which ones are.

    Parameters
    ----------
    log
        The log of both topics.
    topic
        The dead-letter topic.
    source
        The topic that the bad records come from.
    partition
        The partition number, the same in both topics.
    """

    def __init__(self, log: Log, topic: str, source: str, partition: int) -> None:
        self._writer = log.writer(topic)
        self._newest = newest_dead_letter(log, topic, source, partition)

    def append(self, batch: RecordBatch, bad: Sequence[BadRecord]) -> int:
        """Append those of `bad` that are not there yet; return how many that were."""
        fresh = [record for record in bad if record.offset > self._newest]
        if fresh:
            self._writer.append([dead_letter(batch, record) for record in fresh])
            self._newest = fresh[-1].offset
        return len(fresh)

    def close(self) -> None:
        """Let go of the writer."""
        self._writer.close()


def newest_dead_letter(log: Log, topic: str, source: str, partition: int) -> int:
    """Return the offset in `source` of the newest dead letter of `partition`, -1 for none."""
    return next(iter(_offsets(log, topic, source, partition)), -1)


def recent_dead_letters(
    log: Log, topic: str, source: str, partition: int, start: int, stop: int
) -> list[int]:
    """Return the offsets in `source` of the dead letters of ``start : stop``, ascending."""
    recent = []
    for offset in _offsets(log, topic, source, partition):
        if offset < start:
            break
        if offset < stop:
            recent.append(offset)
    return recent[::-1]


def _offsets(log: Log, topic: str, source: str, partition: int) -> Iterator[int]:
    """Yield the offsets in `source` of the dead letters of `partition`, newest first."""
    for stored in newest_first(log, topic, partition):
        letter = stored.letter
        if letter is not None and letter.topic == source and letter.partition == partition:
            yield letter.offset

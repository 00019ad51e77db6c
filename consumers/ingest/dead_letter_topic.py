"""Where ingest sets bad records aside, each of them once."""

from collections.abc import Iterable, Sequence

from consumers.topics.log_range import read_range
from stream.errors import RecordFormatError
from stream.events.codec import BadRecord
from stream.events.dead_letters import dead_letter, parse_dead_letter
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
    """Return the offset in `source` of the newest dead letter of `partition`, -1 for none.

    Reads the topic's tail, backwards in growing steps past records of other origin.
    """
    start, end = log.start_offsets(topic)[partition], log.end_offsets(topic)[partition]
    step = 1
    upper = end
    while upper > start:
        lower = max(start, upper - step)
        newest = _newest_between(read_range(log, topic, partition, lower, upper), source)
        if newest >= 0:
            return newest
        upper, step = lower, step * 4
    return -1


def _newest_between(batches: Iterable[RecordBatch], source: str) -> int:
    newest = -1
    for batch in batches:
        for row in range(len(batch)):
            headers = batch.headers[row] if batch.headers else ()
            try:
                letter = parse_dead_letter(batch.keys[row], batch.values[row], headers)
            except RecordFormatError:
                continue
            if letter.topic == source and letter.partition == batch.partition:
                newest = letter.offset
    return newest

"""What a state remembers of its clicks topic: the topic's id, or the last record that it applied.

Brokers that give topics no ids leave the records themselves: a topic that was made anew holds, at
the offset before the state's, another record or none.
"""

from typing import Final

from xxhash import xxh3_128_hexdigest

from consumers.topics.log_range import read_range
from stream.log.interface import Log, RecordBatch

CLICKS: Final = "clicks"
"""What the topic is to a state, whatever its name: see `StateMeta.topic_ids`."""
_RECORD: Final = "record"


def record_mark(batch: RecordBatch) -> str:
    """Return what stands for the last record of a batch, in place of its topic's id."""
    key, value = batch.keys[-1], batch.values[-1]
    digest = xxh3_128_hexdigest(repr((bytes(key or b""), value and bytes(value))).encode())
    return f"{_RECORD}:{batch.next_offset - 1}:{digest}"


def marks_record(mark: str | None) -> bool:
    """Return whether a mark is, or where there is none yet would be, that of a record."""
    return mark is None or mark.startswith(f"{_RECORD}:")


def found_mark(log: Log, topic: str, partition: int, mark: str) -> str | None:
    """Return the mark that the log has where the record of `mark` was.

    None where retention has taken it: nobody can tell then.
    """
    offset = int(mark.split(":")[1])
    if offset < log.start_offsets(topic)[partition]:
        return None
    for batch in read_range(log, topic, partition, offset, offset + 1):
        return record_mark(batch)
    return f"{_RECORD}:{offset}:none"

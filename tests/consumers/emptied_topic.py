"""A topic in memory that loses what it holds, as if it were deleted and made anew."""

from stream.log.embedded.memory import MemoryLog, MemoryTopic
from stream.log.interface import Log


def empty(log: Log, topic: str) -> None:
    """Take every record, offset and saved position of `topic` away; writers and readers stay."""
    assert isinstance(log, MemoryLog)
    storage = log._storages[topic]  # noqa: SLF001 - no log of ours deletes topics
    assert isinstance(storage, MemoryTopic)
    storage._partitions = [type(each)() for each in storage._partitions]  # noqa: SLF001 - the same
    storage._positions.clear()  # noqa: SLF001 - the same

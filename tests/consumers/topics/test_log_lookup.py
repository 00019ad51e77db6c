"""The newest record of a key is found."""

import pytest

from consumers.topics.log_lookup import newest_record
from stream.clock import ManualClock
from stream.errors import UnknownTopicError
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing, TopicSpec


def test_the_newest_record_of_a_key_is_found() -> None:
    """Among other keys and other partitions; a tombstone is an answer too."""
    log = MemoryLog(ManualClock())
    log.create_topic(TopicSpec(name="lists", partitions=3, compacted=True))
    writer = log.writer("lists")
    for number in range(50):
        writer.append([Outgoing(key=b"u%d" % (number % 7), value=b"v%d" % number)])
    writer.append([Outgoing(key=b"u3", value=None)])
    found = newest_record(log, "lists", b"u5")
    assert found is not None
    assert found[1] == b"v47"
    gone = newest_record(log, "lists", b"u3")
    assert gone is not None
    assert gone[1] is None
    assert newest_record(log, "lists", b"u9") is None
    with pytest.raises(UnknownTopicError):
        newest_record(log, "nothing", b"u1")

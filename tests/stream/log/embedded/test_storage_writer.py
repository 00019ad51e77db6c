"""A writer to a storage appends in one transaction and returns places in the records' order."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from stream.clock import ManualClock
from stream.errors import LogError, RecordTooLargeError
from stream.log.embedded.memory import MemoryTopic
from stream.log.embedded.storage_writer import StorageWriter
from stream.log.embedded.topic_storage import Fence
from stream.log.interface import Outgoing, TopicSpec


class Storage(MemoryTopic):
    """A storage that takes no value of more than a hundred bytes, and counts its appends."""

    appends = 0

    def append(
        self, records: Mapping[int, Sequence[Outgoing]], fence: Fence | None
    ) -> dict[int, int]:
        self.appends += 1
        if any(len(one.value or b"") > 100 for group in records.values() for one in group):
            raise RecordTooLargeError("t", (), None)
        return super().append(records, fence)


@pytest.fixture
def storage() -> Storage:
    return Storage(TopicSpec(name="t", partitions=2), ManualClock(), active_records=0)


def to(partition: int, value: bytes = b"v") -> Any:
    return Outgoing(None, value, partition=partition)


def test_records_of_several_partitions_are_one_append(storage: Storage) -> None:
    writer = StorageWriter(storage)
    assert writer.append([to(1), to(0), to(1), to(1)]) == [(1, 0), (0, 0), (1, 1), (1, 2)]
    assert writer.append([to(0), to(1)]) == [(0, 1), (1, 3)]
    assert storage.appends == 2


def test_nothing_is_no_append(storage: Storage) -> None:
    assert StorageWriter(storage).append([]) == []
    assert storage.appends == 0


def test_the_largest_record_is_the_one_that_is_too_large(storage: Storage) -> None:
    """The storage does not say which; nothing is written."""
    with pytest.raises(RecordTooLargeError) as caught:
        StorageWriter(storage).append([to(0), to(1, b"v" * 101), to(0, b"v" * 300), to(1)])
    assert caught.value.rows == (2,)
    assert {bounds.end for bounds in storage.bounds().values()} == {0}


def test_a_closed_writer_refuses(storage: Storage) -> None:
    writer = StorageWriter(storage)
    writer.close()
    with pytest.raises(LogError, match="this writer to t was closed"):
        writer.append([to(0)])

"""A writer to a storage appends in one transaction and returns places in the records' order."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from stream.clock import ManualClock
from stream.errors import FencedError, LogError, RecordTooLargeError
from stream.log.embedded.memory import MemoryTopic
from stream.log.embedded.storage_writer import StorageWriter, append_together
from stream.log.embedded.topic_storage import Fence
from stream.log.interface import Outgoing, TopicSpec


class Storage(MemoryTopic):
    """A storage that takes no value of more than a hundred bytes, and counts its appends."""

    appends = 0

    def append(
        self, records: Mapping[int, Sequence[Outgoing]], fences: Collection[Fence]
    ) -> dict[int, int]:
        self.appends += 1
        if any(len(one.value or b"") > 100 for group in records.values() for one in group):
            raise RecordTooLargeError("t", (), None)
        return super().append(records, fences)


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


def test_several_writers_append_together(storage: Storage) -> None:
    """In one transaction, each under its own fence; places are in the order of all records."""
    first, second = (StorageWriter(storage, storage.take_fence(name)) for name in ("a", "b"))
    placed = append_together([(first, [to(0), to(0)]), (second, [to(1)]), (first, [to(0)])])
    assert placed == [(0, 0), (0, 1), (1, 0), (0, 2)]
    assert storage.appends == 1


def test_one_that_is_locked_out_stops_all(storage: Storage) -> None:
    """Nothing is written of the others either."""
    first, second = (StorageWriter(storage, storage.take_fence(name)) for name in ("a", "b"))
    storage.take_fence("b")
    with pytest.raises(FencedError):
        append_together([(first, [to(0)]), (second, [to(1)])])
    assert {bounds.end for bounds in storage.bounds().values()} == {0}


def test_only_writers_to_one_topic_append_together(storage: Storage) -> None:
    """One of another topic would need a transaction of its own."""
    other = Storage(TopicSpec(name="o"), ManualClock(), active_records=0)
    with pytest.raises(ValueError, match="one topic"):
        append_together([(StorageWriter(storage), [to(0)]), (StorageWriter(other), [to(0)])])

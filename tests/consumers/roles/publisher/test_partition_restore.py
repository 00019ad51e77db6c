"""The restore of a partition from its topics."""

import numpy as np
import pytest

from consumers.metrics.registry import Metrics
from consumers.roles.publisher.partition_restore import PartitionRestore, newest_of_each_key
from consumers.roles.publisher.user_table import NOWHERE, UserTable
from consumers.topics.read_trouble import ReadTrouble
from stream.clock import ManualClock
from stream.log.embedded.memory import MemoryLog
from stream.log.interface import Outgoing, RecordBatch, TopicSpec
from tests.consumers.roles.publisher.records import list_of, sequence_of


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog(ManualClock())
    for topic in ("lists", "sequences"):
        log.create_topic(TopicSpec(name=topic, partitions=2, compacted=True))
    return log


def put(log: MemoryLog, topic: str, user: str, value: bytes | None, partition: int = 1) -> None:
    log.writer(topic).append([Outgoing(user.encode(), value, partition=partition)])


def restored(log: MemoryLog) -> tuple[PartitionRestore, UserTable]:
    users = UserTable(list_length=2)
    trouble = ReadTrouble(Metrics("publisher", ManualClock()), "publisher")
    restore = PartitionRestore(log, "lists", "sequences", 1, users, trouble)
    for _ in restore.steps():
        pass
    return restore, users


def test_lists_and_sequences_meet_in_one_row(log: MemoryLog) -> None:
    """The newest of each, of this partition alone."""
    put(log, "lists", "u", list_of("u", "a", source_offset=3, version=2).encode())
    put(log, "lists", "u", list_of("u", "a", "b", source_offset=4, version=2).encode())
    put(log, "lists", "else", list_of("else", "a", version=9).encode(), partition=0)
    put(log, "sequences", "u", sequence_of("u", source_offset=6).encode())
    restore, users = restored(log)
    row = users.row_of("u")
    assert len(users) == 1
    assert (users.listed_click_offsets[row], users.list_lengths[row]) == (4, 2)
    assert (users.click_offsets[row], users.sequence_offsets[row]) == (6, 0)
    assert (restore.newest_version, restore.sequences_end) == (2, 1)
    assert not restore.sequences_damaged


def test_a_withdrawn_list_is_none(log: MemoryLog) -> None:
    """Its user is not known by it."""
    put(log, "lists", "u", list_of("u", "a").encode())
    put(log, "lists", "u", None)
    _, users = restored(log)
    assert users.row_of("u") < 0


def test_a_forgotten_user_keeps_only_the_list(log: MemoryLog) -> None:
    """That is how it is found out that the list is to be withdrawn."""
    put(log, "lists", "u", list_of("u", "a").encode())
    put(log, "sequences", "u", sequence_of("u", source_offset=6).encode())
    put(log, "sequences", "u", None)
    _, users = restored(log)
    assert users.sequence_offsets[users.row_of("u")] == NOWHERE
    assert users.listed_without_sequence(1) == ["u"]


def test_foreign_lists_are_passed_over(log: MemoryLog) -> None:
    put(log, "lists", "u", b"{oops")
    put(log, "lists", "v", list_of("v", "a", version=3).encode())
    restore, users = restored(log)
    assert (users.row_of("u"), restore.newest_version) == (-1, 3)


def test_what_comes_after_the_beginning_is_left_to_the_reader(log: MemoryLog) -> None:
    """It reads on from the end that the restore has read to."""
    put(log, "sequences", "u", sequence_of("u", source_offset=1).encode())
    users = UserTable(list_length=2)
    trouble = ReadTrouble(Metrics("publisher", ManualClock()), "publisher")
    restore = PartitionRestore(log, "lists", "sequences", 1, users, trouble)
    for _ in restore.steps():
        put(log, "sequences", "late", sequence_of("late", source_offset=2).encode())
    assert (users.row_of("late"), restore.sequences_end) == (-1, 1)


def test_only_the_newest_record_of_a_key_is_looked_at() -> None:
    """In the order of the log, whatever was replaced."""
    batch = RecordBatch(
        topic="lists",
        partition=0,
        offsets=np.array([1, 2, 5, 9]),
        append_times=np.array([0.1, 0.2, 0.5, 0.9]),
        keys=[b"a", b"b", b"a", b"c"],
        values=[b"old", b"1", b"new", None],
    )
    newest = newest_of_each_key(batch)
    assert newest.offsets.tolist() == [2, 5, 9]
    assert list(newest.values) == [b"1", b"new", None]
    assert newest_of_each_key(newest) is newest

"""What was fetched is handed out in turns, in pieces, in order."""

import numpy as np
import pytest

from gsr.counters.ids.byte_column import ByteColumn
from stream.log.interface import RecordBatch
from stream.log.kafka.reading.fetch_buffer import FetchBuffer


def batch(partition: int, first: int, count: int) -> RecordBatch:
    values = ByteColumn.of([b"%d" % n for n in range(first, first + count)])
    return RecordBatch(
        "topic",
        partition,
        np.arange(first, first + count),
        np.zeros(count),
        values,
        values,
        [(("n", b"%d" % n),) for n in range(first, first + count)],
    )


@pytest.fixture
def buffer() -> FetchBuffer:
    buffer = FetchBuffer()
    for one in (batch(0, 0, 5), batch(0, 5, 5), batch(1, 0, 3)):
        buffer.add(one)
    return buffer


def taken(buffer: FetchBuffer, most: int, without: set[int] | None = None) -> list[list[int]]:
    return [[one.partition, *one.offsets.tolist()] for one in buffer.take(most, without or set())]


def test_partitions_take_turns(buffer: FetchBuffer) -> None:
    """A poll that one partition filled is followed by another one's."""
    assert taken(buffer, 4) == [[0, 0, 1, 2, 3]]
    assert taken(buffer, 4) == [[1, 0, 1, 2], [0, 4]]
    assert buffer.records() == 5
    assert taken(buffer, 99) == [[0, 5, 6, 7, 8, 9]]
    assert taken(buffer, 99) == []


def test_a_piece_holds_its_records_columns(buffer: FetchBuffer) -> None:
    """Every column is cut alike."""
    (first,) = buffer.take(2)
    assert (list(first.values), list(first.keys)) == ([b"0", b"1"], [b"0", b"1"])
    assert first.headers == [(("n", b"0"),), (("n", b"1"),)]


def test_a_paused_partition_waits_and_counts_for_nothing(buffer: FetchBuffer) -> None:
    """The others go on."""
    assert buffer.records(without={0}) == 3
    assert taken(buffer, 99, {0}) == [[1, 0, 1, 2]]
    assert buffer.holds(0)
    assert not buffer.holds(1)


def test_what_was_dropped_does_not_come_back(buffer: FetchBuffer) -> None:
    """And the partition may come again."""
    buffer.drop([0, 7])
    assert taken(buffer, 99) == [[1, 0, 1, 2]]
    buffer.add(batch(0, 40, 1))
    assert taken(buffer, 99) == [[0, 40]]

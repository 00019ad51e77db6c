"""Columns of a partition are cut, joined and handed on as they are."""

import numpy as np
import pytest

from gsr.counters.ids.byte_column import ByteColumn
from stream.log.interface import Headers
from stream.log.kafka.decoding.record_columns import (
    RecordColumns,
    columns_batch,
    joined,
    read_headers,
)
from tests.stream.log.kafka.batches import varint


def columns(*offsets: int, headers: list[Headers] | None = None) -> RecordColumns:
    return RecordColumns(
        offsets=np.array(offsets, np.int64),
        times=np.array(offsets, np.int64) * 1500,
        keys=ByteColumn.of([b"k%d" % offset for offset in offsets]),
        values=ByteColumn.of([None for _ in offsets]),
        headers=headers or [],
    )


@pytest.mark.parametrize(
    ("first", "left"), [(0, [3, 5, 9]), (3, [3, 5, 9]), (4, [5, 9]), (9, [9]), (10, [])]
)
def test_records_from_an_offset_on(first: int, left: list[int]) -> None:
    """Compaction leaves gaps."""
    rest = columns(3, 5, 9).since(first)
    assert rest.offsets.tolist() == left
    assert list(rest.keys) == [b"k%d" % offset for offset in left]


def test_one_part_is_not_copied() -> None:
    part = columns(1, 2)
    assert joined([part]) is part


def test_parts_with_and_without_headers_are_joined() -> None:
    """Who has none has empty ones then."""
    header: Headers = (("trace", b"1"),)
    whole = joined([columns(1), columns(2, 3, headers=[header, ()])])
    assert whole.offsets.tolist() == [1, 2, 3]
    assert list(whole.headers) == [(), header, ()]
    assert list(joined([columns(1), columns(2)]).headers) == []


def test_a_batch_of_the_log_has_seconds() -> None:
    batch = columns_batch("clicks", 4, [columns(1), columns(2)])
    assert (batch.topic, batch.partition, batch.next_offset) == ("clicks", 4, 3)
    assert batch.append_times.tolist() == [1.5, 3.0]


def test_headers_are_read_whatever_their_names() -> None:
    """Null reads as empty, and what is no UTF-8 in a name is replaced."""
    long = b"v" * 300
    data = b"before"
    for name, value in ((b"a\xff", b"x"), (b"", None), (b"long", long)):
        data += varint(len(name)) + name
        data += varint(-1) if value is None else varint(len(value)) + value
    assert read_headers(memoryview(data), 6, 3) == (("a�", b"x"), ("", b""), ("long", long))

"""Header names that are no UTF-8 are read by the library, too."""

import pytest
from kafka.record import MemoryRecords
from kafka.record.default_records import DefaultRecordBatch

from stream.log.kafka.workarounds.header_names import fits, read_any_header_name
from tests.stream.log.kafka.batches import batch, record

BYTES = batch([record(0, b"k", b"\xff", [(b"a\xffb", b"\xff")]), record(1, b"k", b"next")], 0)


def test_what_cannot_be_read_is_replaced() -> None:
    """In names alone, and what comes behind is read."""
    read_any_header_name()
    records = MemoryRecords(BYTES)
    first, second = records.next_batch()
    assert (first.value, list(first.headers)) == (b"\xff", [("a�b", b"\xff")])
    assert second.value == b"next"


def test_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(DefaultRecordBatch, "_read_msg")
    assert not fits()
    read_any_header_name()
    assert not fits()

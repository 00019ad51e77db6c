"""The library's record objects become the columns that our decoder makes."""

from kafka.record import MemoryRecords

from stream.log.kafka.decoding.plain_records import NO_TIME, record_columns
from stream.log.kafka.decoding.record_batches import BatchDecoder
from tests.stream.log.kafka.batches import batch, library_batch, record


def test_both_ways_give_the_same() -> None:
    """Tombstones, records without a key, headers without a value."""
    fetched = batch(
        [record(0, b"k", b"v", [("h", b"x"), ("n", None)]), record(1, None, b""), record(2, b"k")],
        7,
    )
    plain = record_columns(list(MemoryRecords(fetched).next_batch()))
    ours = BatchDecoder(fetched, topic="clicks", partition=0, fetch_offset=0).take(10)
    assert ours is not None
    for one, other in ((plain.offsets, ours.offsets), (plain.times, ours.times)):
        assert one.tolist() == other.tolist()
    for one_column, other_column in ((plain.keys, ours.keys), (plain.values, ours.values)):
        assert list(one_column) == list(other_column)
    assert list(plain.headers) == list(ours.headers)


def test_the_oldest_format_has_no_times() -> None:
    old = library_batch([(b"k", b"v", ())], 0, 0, magic=0)
    assert record_columns(list(MemoryRecords(old).next_batch())).times.tolist() == [NO_TIME]

"""Fetched bytes become the records that were sent, or are refused by name."""

import struct
from collections.abc import Sequence
from typing import Any

import pytest

from stream.errors import LogCorruptError, RecordsDamagedError
from stream.log.interface import Headers
from stream.log.kafka.decoding.record_batches import BatchDecoder
from stream.log.kafka.decoding.record_columns import RecordColumns, joined
from tests.stream.log.kafka.batches import (
    BASE_TIME,
    COMPRESSORS,
    Header,
    batch,
    marker,
    record,
    sealed,
    varint,
)

Row = tuple[int, bytes | None, bytes | None]


def decoder(
    fetched: bytes,
    fetch_offset: int = 0,
    aborted: Sequence[tuple[int, int]] | None = (),
    max_batch_bytes: int = 1 << 20,
    end_offset: int | None = None,
) -> BatchDecoder:
    return BatchDecoder(
        fetched,
        topic="clicks",
        partition=3,
        fetch_offset=fetch_offset,
        aborted=aborted,
        max_batch_bytes=max_batch_bytes,
        end_offset=end_offset,
    )


def everything(source: BatchDecoder, limit: int = 1000) -> RecordColumns | None:
    parts = []
    while (part := source.take(limit)) is not None:
        assert 0 < len(part) <= limit
        parts.append(part)
    return joined(parts) if parts else None


def rows(records: RecordColumns | None) -> list[Row]:
    if records is None:
        return []
    return list(zip(records.offsets.tolist(), records.keys, records.values, strict=True))


def simple(n: int, base_offset: int = 0, **settings: Any) -> bytes:
    records = [record(i, b"k%d" % i, b"v%d" % (base_offset + i)) for i in range(n)]
    return batch(records, base_offset, **settings)


def offsets(source: BatchDecoder) -> list[int]:
    return [offset for offset, _, _ in rows(everything(source))]


@pytest.mark.parametrize("compression", COMPRESSORS)
@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_every_compression_is_read(compression: str, limit: int) -> None:
    """Alone and between uncompressed batches, in one go and record by record."""
    fetched = simple(3) + simple(50, 3, compression=compression) + simple(2, 53) + simple(1, 60)
    source = decoder(fetched)
    expected = [(i, b"k%d" % (i if i < 3 else i - 3), b"v%d" % i) for i in range(53)]
    expected += [(53, b"k0", b"v53"), (54, b"k1", b"v54"), (60, b"k0", b"v60")]
    assert rows(everything(source, limit)) == expected
    assert source.next_offset == 61


def test_nulls_and_empty_bytes_differ() -> None:
    fetched = batch([record(0, None, b""), record(1, b"", None), record(2, None, None)])
    assert rows(everything(decoder(fetched))) == [
        (0, None, b""),
        (1, b"", None),
        (2, None, None),
    ]


def test_times_are_the_producers_or_the_appends() -> None:
    times = [record(i, b"k", b"v", time_delta=delta) for i, delta in enumerate((0, -5, 1 << 33))]
    own = everything(decoder(batch(times)))
    stamped = everything(decoder(batch(times, append_time=77)))
    assert own is not None
    assert stamped is not None
    assert own.times.tolist() == [BASE_TIME, BASE_TIME - 5, BASE_TIME + (1 << 33)]
    assert stamped.times.tolist() == [77, 77, 77]


def test_headers_are_read_where_there_are_any() -> None:
    headers: list[Header] = [("a", b"1"), ("a", b""), ("\N{SNOWMAN}", None)]
    with_some = batch([record(0), record(1, b"k", b"v", headers), record(2)])
    decoded = everything(decoder(with_some + simple(1, 3)), 2)
    assert decoded is not None
    expected: list[Headers] = [(), (("a", b"1"), ("a", b""), ("\N{SNOWMAN}", b"")), (), ()]
    assert list(decoded.headers) == expected
    without = everything(decoder(simple(2)))
    assert without is not None
    assert len(without.headers) == 0


def test_reading_may_begin_within_a_batch() -> None:
    source = decoder(simple(5, 10) + simple(5, 15), fetch_offset=13)
    assert offsets(source) == list(range(13, 20))


@pytest.mark.parametrize("kept", [0, 5, 12, 20, 60, 61, 70])
def test_a_batch_that_the_fetch_cut_off_waits_for_the_next_fetch(kept: int) -> None:
    source = decoder(simple(3) + simple(3, 3)[:kept])
    assert offsets(source) == [0, 1, 2]
    assert source.next_offset == 3


def test_a_cut_within_an_impossible_length_is_a_cut() -> None:
    assert offsets(decoder(simple(3) + bytes(8) + b"\0\0\0\1")) == [0, 1, 2]


def test_nothing_fetched_is_nothing() -> None:
    source = decoder(b"", 7)
    assert source.take(10) is None
    assert source.next_offset == 7


def test_positions_move_past_what_compaction_removed() -> None:
    """Batches without records, and records missing at a batch's start, middle and end."""
    gaps = [record(2, b"a", b"1"), record(5, b"b", b"2")]
    empty = batch([], 10, last_delta=9, count=0)
    source = decoder(empty + batch(gaps, 20, last_delta=9) + batch([], 30, last_delta=4), 12)
    assert offsets(source) == [22, 25]
    assert source.next_offset == 35
    only_empty = decoder(empty, 12)
    assert offsets(only_empty) == []
    assert only_empty.next_offset == 20


def test_slices_share_the_fetched_bytes() -> None:
    source = decoder(simple(4))
    first, second = source.take(2), source.take(2)
    assert first is not None
    assert second is not None
    assert first.values.data is second.values.data
    assert joined([first, second]).values.data is first.values.data


class TestTransactions:
    """Read committed: exactly what the Java client hands out."""

    OPEN = simple(2, 0, transactional=True, producer=7)
    OTHER = simple(2, 2, transactional=True, producer=8)
    PLAIN = simple(1, 6, producer=7)

    def test_aborted_records_are_left_out(self) -> None:
        """The marker ends the transaction: what its producer sends next counts."""
        again = simple(2, 7, transactional=True, producer=7)
        fetched = self.OPEN + self.OTHER + marker(4, 7, abort=True) + marker(5, 8, abort=False)
        fetched += self.PLAIN + again + marker(9, 7, abort=False)
        source = decoder(fetched, aborted=[(7, 0)])
        assert offsets(source) == [2, 3, 6, 7, 8]
        assert source.next_offset == 10

    def test_a_later_abort_does_not_reach_back(self) -> None:
        again = simple(2, 7, transactional=True, producer=7)
        fetched = self.OPEN + marker(4, 7, abort=False) + self.PLAIN + again
        fetched += marker(9, 7, abort=True)
        assert offsets(decoder(fetched, aborted=[(7, 7)])) == [0, 1, 6]

    def test_the_list_may_be_in_any_order(self) -> None:
        fetched = self.OPEN + self.OTHER + marker(4, 7, abort=True) + marker(5, 8, abort=True)
        assert offsets(decoder(fetched, aborted=[(8, 2), (7, 0)])) == []

    def test_what_no_transaction_holds_is_never_left_out(self) -> None:
        assert offsets(decoder(self.PLAIN, aborted=[(7, 0)])) == [6]

    def test_read_uncommitted_gets_all_but_markers(self) -> None:
        fetched = self.OPEN + marker(2, 7, abort=True) + simple(1, 3)
        assert offsets(decoder(fetched, aborted=None)) == [0, 1, 3]

    def test_an_empty_control_batch_ends_nothing(self) -> None:
        """Compaction may leave one behind to remember its producer."""
        empty = batch([], 2, control=True, transactional=True, producer=7)
        more = simple(1, 3, transactional=True, producer=7)
        source = decoder(self.OPEN + empty + more, aborted=[(7, 0)])
        assert offsets(source) == []
        assert source.next_offset == 4

    @pytest.mark.parametrize("key", [None, b"\0\0\0", struct.pack(">hh", -1, 0)])
    def test_a_marker_that_says_nothing_is_refused(self, key: bytes | None) -> None:
        wrong = batch([record(0, key)], 2, control=True, transactional=True, producer=7)
        source = decoder(self.OPEN + wrong)
        assert len(rows(source.take(10))) == 2
        with pytest.raises(RecordsDamagedError, match="control record"):
            source.take(10)

    def test_a_compressed_marker_is_refused(self) -> None:
        marking = [record(0, bytes(4), b"v" * 99)]
        settings: dict[str, Any] = {"control": True, "transactional": True, "producer": 7}
        with pytest.raises(RecordsDamagedError, match="control batch is compressed"):
            decoder(batch(marking, compression="gzip", **settings)).take(10)


LONG = record(0, b"k", b"v" * 300)
OVERLONG = b"\xff" * 9 + b"\x02"
BROKEN = {
    "length past the end": (batch([varint(500) + LONG[2:]]), "length is none, or runs past"),
    "negative length": (batch([varint(-2) + LONG[2:]]), "length is none, or runs past"),
    "key past the end": (batch([varint(8) + b"\0\0\0" + varint(90) + b"kkkk"]), "field runs past"),
    "value past the end": (batch([varint(8) + b"\0\0\0\1" + varint(90) + b"kkk"]), "field runs"),
    "number of 65 bits": (batch([varint(20) + b"\0" + OVERLONG + b"\0" * 9]), "than 64 bits"),
    "length of 65 bits": (batch([OVERLONG + b"\0" * 9]), "than 64 bits"),
    "no length": (batch([b"\0" * 9]), "length is none"),
    "endless number": (batch([varint(20) + b"\0" + b"\xff" * 19]), "than 64 bits"),
    "negative headers": (batch([varint(7) + b"\0\0\0\1\1" + varint(-3) + b"\0"]), "negative"),
    "too many headers": (batch([varint(8) + b"\0\0\0\1\1" + varint(99) + b"\0"]), "field runs"),
    "nameless header": (batch([varint(8) + b"\0\0\0\1\1\2\1\1"]), "without a name"),
    "bytes within a record": (batch([varint(7) + b"\0\0\0\1\1\0\0"]), "does not end where"),
    "bytes after the records": (batch([record(0)], count=0), "bytes after the last record"),
    "record attributes": (batch([record(0, attributes=0x80)]), "attributes"),
    "offset behind": (batch([record(0), record(0)]), "offsets do not grow"),
    "offset before": (batch([record(-1)]), "offsets do not grow"),
    "offset outside": (batch([record(5)], last_delta=4), "offsets do not grow"),
    "time": (batch([record(0, time_delta=2**62)], base_time=2**62), "64-bit"),
    "negative count": (batch([LONG], count=-1), "it has -1 records"),
    "count": (batch([record(0)], count=2**31 - 1), "2147483647 records in 7 bytes"),
    "codec": (batch([LONG], extra_attributes=7), "compression has the number 7"),
    "base offset": (batch([LONG], base_offset=-1), "offsets begin at -1"),
    "last offset": (batch([LONG], last_delta=-1), "go -1 on"),
    "offset overflow": (batch([LONG], base_offset=2**63 - 1, last_delta=1), "offsets begin"),
    "format": (batch([LONG], magic=3), "message format is 3"),
    "length": (b"\0" * 8 + b"\0\0\0\4" + b"\0" * 99, "it says that it has 4 bytes"),
    "header length": (b"\0" * 8 + b"\0\0\0\60" + b"\0" * 99, "within its header"),
    "gzip": (sealed(batch([LONG], compression="gzip")[:-5] + b"xxxxx"), "gzip data is damaged"),
    "gzip cut": (batch([LONG, LONG], compression="gzip", cut=4), "gzip data is cut short"),
    "snappy block": (batch([LONG], compression="snappy", cut=4), "snappy block says"),
    "lz4 cut": (batch([LONG], compression="lz4", cut=4), "lz4 data is cut short"),
    "checksum": (batch([LONG])[:-1] + b"w", "checksum"),
    "snappy": (batch([LONG], extra_attributes=2), "snappy"),
    "lz4": (batch([LONG], extra_attributes=3), "lz4 data is damaged"),
    "zstd": (batch([LONG], extra_attributes=4), "zstd data is damaged"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("limit", [1, 1000])
def test_damage_is_refused_where_it_is(name: str, limit: int) -> None:
    """What stands before is handed out; the refusal says where, and stays."""
    bad, reason = BROKEN[name]
    (base_offset,) = struct.unpack_from(">q", bad)
    if base_offset == 0:
        bad = struct.pack(">q", 2) + bad[8:]  # which the checksum leaves out
    source = decoder(simple(2) + bad)
    before: list[Row] = []
    while len(before) < 2:
        part = source.take(limit)
        assert part is not None
        before += rows(part)
    assert [offset for offset, _, _ in before][:2] == [0, 1]
    for _ in range(2):
        with pytest.raises(LogCorruptError, match=rf"clicks\[3\].*{reason}"):
            everything(source, limit)


def test_a_headers_name_may_be_any_bytes() -> None:
    """What is no UTF-8 in it is replaced."""
    fetched = batch([record(0, b"k", b"v", [(b"\xff\xfe", b"x"), ("\u00e9", None)]), record(1)])
    records = decoder(fetched).take(10)
    assert records is not None
    assert list(records.headers) == [(("\ufffd\ufffd", b"x"), ("\u00e9", b"")), ()]


def test_a_record_that_is_broken_ends_with_its_batch() -> None:
    """The records before it are handed out, and the range begins with it."""
    source = decoder(simple(2) + batch([record(0), record(1), record(1)], 2) + simple(2, 5))
    assert [offset for offset, _, _ in rows(source.take(10))] == [0, 1, 2, 3]
    with pytest.raises(RecordsDamagedError, match="do not grow") as caught:
        source.take(10)
    assert (caught.value.offset, caught.value.next_offset) == (4, 5)


def test_a_batch_past_the_end_of_the_log_is_refused() -> None:
    """A first offset is in no checksum: believed, it would lead past all that is to come."""
    fetched = simple(2, 2**40) + simple(2, 2)
    source = decoder(fetched, end_offset=4)
    with pytest.raises(RecordsDamagedError, match="the log ends at 4") as caught:
        source.take(10)
    assert (caught.value.offset, caught.value.next_offset) == (0, 2)
    behind = decoder(fetched, fetch_offset=2, end_offset=4)
    assert [offset for offset, _, _ in rows(behind.take(10))] == [2, 3]

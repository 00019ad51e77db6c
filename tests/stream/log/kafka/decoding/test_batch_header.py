"""A header is believed once its batch is whole and its checksum right."""

import struct

import pytest

from stream.log.kafka.decoding.batch_header import batch_size, read_header, unchecked_header
from stream.log.kafka.decoding.compression import Codec
from tests.stream.log.kafka.batches import batch, record, sealed

BATCH = batch(
    [record(0, b"k", b"v"), record(1, b"k", b"w")],
    40,
    compression="zstd",
    append_time=1234,
    transactional=True,
    producer=9,
    leader_epoch=5,
)


def test_what_it_says() -> None:
    header = read_header(memoryview(b"before" + BATCH + b"after"), 6)
    assert header is not None
    assert (header.size, header.base_offset, header.next_offset) == (len(BATCH), 40, 42)
    assert (header.records, header.producer, header.leader_epoch) == (2, 9, 5)
    assert (header.codec, header.compressed) == (Codec.ZSTD, True)
    assert (header.append_time, header.transactional, header.control) == (1234, True, False)


def test_times_are_the_producers_unless_it_says_so() -> None:
    header = read_header(memoryview(batch([record(0)])), 0)
    assert header is not None
    assert header.append_time is None
    assert not header.compressed


@pytest.mark.parametrize("length", [0, 11, 16, 60, len(BATCH) - 1])
def test_a_batch_that_is_cut_off_is_none(length: int) -> None:
    assert read_header(memoryview(BATCH[:length]), 0) is None


def test_what_cannot_be_a_length_is_damage() -> None:
    with pytest.raises(ValueError, match="it says that it has -1 bytes"):
        batch_size(memoryview(BATCH[:8] + struct.pack(">i", -1) + BATCH[12:]), 0)


@pytest.mark.parametrize(
    ("place", "change", "reason"),
    [
        (16, b"\1", "message format is 1, not 2"),
        (8, struct.pack(">i", 20), "within its header"),
        (len(BATCH) - 1, b"?", "checksum"),
        (0, struct.pack(">q", -2), "offsets begin at -2"),
        (0, struct.pack(">q", 2**63 - 1), "offsets begin at"),
    ],
)
def test_damage_is_refused(place: int, change: bytes, reason: str) -> None:
    """The first offset is no part of what the checksum covers."""
    damaged = memoryview(BATCH[:place] + change + BATCH[place + len(change) :])
    with pytest.raises(ValueError, match=reason):
        read_header(damaged, 0)


def test_a_compression_that_does_not_exist() -> None:
    header = unchecked_header(memoryview(sealed(batch([record(0)], extra_attributes=7))), 0)
    assert header.compressed
    with pytest.raises(ValueError, match="the number 7, which is none"):
        _ = header.codec

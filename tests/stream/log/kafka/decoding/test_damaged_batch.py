"""What is behind a damaged batch is told only where that is certain."""

import struct
from typing import Any

import pytest

from stream.log.kafka.decoding.damaged_batch import Behind, behind_damage
from tests.stream.log.kafka.batches import batch, record

SIZE = len(batch([record(0, b"k", b"v"), record(1, b"k", b"v")], 0))


def two(base_offset: int, **settings: Any) -> bytes:
    """Return a batch of two records."""
    return batch([record(0, b"k", b"v"), record(1, b"k", b"v")], base_offset, **settings)


def behind(fetched: bytes, wanted: int = 4, position: int = 0) -> Behind | None:
    return behind_damage(memoryview(fetched), position, wanted)


def at(place: int, value: bytes, fetched: bytes) -> bytes:
    return fetched[:place] + value + fetched[place + len(value) :]


BODY = two(4)[:-1] + b"x"
LAST_OFFSET = at(23, struct.pack(">i", 9), two(4))
FIRST_OFFSET = at(0, struct.pack(">q", 4 + 2**40), two(4))
LENGTH = at(8, struct.pack(">i", 30), two(4))


@pytest.mark.parametrize(
    ("fetched", "expected"),
    [
        pytest.param(BODY, Behind(SIZE, 6), id="the header agrees with itself"),
        pytest.param(two(4), Behind(SIZE, 6), id="the checksum is right"),
        pytest.param(LAST_OFFSET, None, id="the header contradicts itself"),
        pytest.param(LAST_OFFSET + two(8), Behind(SIZE, 8), id="the next one tells"),
        pytest.param(LAST_OFFSET + BODY + two(9), Behind(2 * SIZE, 9), id="the next whole one"),
        pytest.param(LAST_OFFSET + two(8)[:-1], None, id="the next one is cut off"),
        pytest.param(FIRST_OFFSET, None, id="the first offset is none"),
        pytest.param(FIRST_OFFSET + two(4), Behind(SIZE, 4), id="it is not the one"),
        pytest.param(FIRST_OFFSET + two(3), Behind(SIZE, 4), id="it is in the next one"),
        pytest.param(
            FIRST_OFFSET + two(1) + two(7), Behind(2 * SIZE, 7), id="older ones tell none"
        ),
        pytest.param(LENGTH + two(6), Behind(42, 6), id="only the length is wrong"),
        pytest.param(BODY[:40], None, id="the header is cut off"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_it_is_told_where_two_agree(fetched: bytes, expected: Behind | None) -> None:
    """A header with itself, or a batch that follows with its checksum."""
    assert behind(fetched) == expected


def test_batches_before_do_not_matter() -> None:
    assert behind(two(2) + BODY + two(6), position=SIZE) == Behind(2 * SIZE, 6)

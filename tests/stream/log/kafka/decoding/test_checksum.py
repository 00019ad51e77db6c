"""CRC-32C, with and without the package that computes it in hardware."""

import numpy as np
import pytest

from stream.log.kafka.decoding.checksum import crc32c, crc_by_tables


@pytest.mark.parametrize("crc", [crc32c, crc_by_tables])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_published_values(crc: type[int], data: bytes, expected: int) -> None:
    """RFC 3720, appendix B.4, and the usual check value."""
    assert crc(data) == expected


def test_both_ways_agree_on_any_length_and_place() -> None:
    """Lengths around the eight bytes of a step, at odd places of a buffer."""
    data = memoryview(np.random.default_rng(0).bytes(400))
    for start in range(9):
        for stop in (start, start + 1, start + 7, start + 8, start + 9, 399):
            assert crc_by_tables(data[start:stop]) == crc32c(data[start:stop])

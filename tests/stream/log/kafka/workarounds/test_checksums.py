"""The checksums of what is sent are those that the library would compute."""

import numpy as np
import pytest
from kafka.record import default_records
from kafka.record._crc32c import crc as crc_in_python

from stream.log.kafka.workarounds.checksums import fits, hasten_checksums
from tests.stream.log.kafka.batches import library_batch


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)],
)
def test_published_values(data: bytes, expected: int) -> None:
    """RFC 3720, appendix B.4, and the usual check value."""
    hasten_checksums()
    assert default_records.calc_crc32c(memoryview(bytearray(data))) == expected


def test_they_are_the_librarys_own_at_any_length_and_place() -> None:
    """Of a part of a buffer that can be written to, too."""
    hasten_checksums()
    data = memoryview(bytearray(np.random.default_rng(0).bytes(100)))
    for start in range(9):
        for stop in (start, start + 1, start + 7, start + 8, start + 9, 99):
            expected = crc_in_python(data[start:stop])
            assert default_records.calc_crc32c(data[start:stop]) == expected


def test_batches_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte."""
    records = [(b"k", b"v" * 100, [("h", b"x")])]
    hasten_checksums()
    hastened = library_batch(records, 0, 0)
    monkeypatch.setattr(default_records, "calc_crc32c", crc_in_python)
    assert library_batch(records, 0, 0) == hastened


def test_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that computes them elsewhere."""
    monkeypatch.delattr(default_records, "calc_crc32c")
    assert not fits()
    hasten_checksums()
    assert not hasattr(default_records, "calc_crc32c")

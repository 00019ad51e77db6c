"""What a topic does not take is left out, loudly, and the rest is appended."""

import logging
from collections.abc import Sequence

import pytest

from consumers.topics.oversized_records import append_what_fits
from stream.errors import RecordTooLargeError
from stream.log.interface import Outgoing


class Narrow:
    """A writer that takes values of up to ten bytes."""

    def __init__(self) -> None:
        self.written: list[bytes | None] = []

    def append(self, records: Sequence[Outgoing]) -> list[tuple[int, int]]:
        rows = [row for row, one in enumerate(records) if len(one.value or b"") > 10]
        if rows:
            raise RecordTooLargeError("sequences", rows, 10)
        first = len(self.written)
        self.written += [record.value for record in records]
        return [(0, first + row) for row in range(len(records))]

    def close(self) -> None:
        """Hold nothing."""


def test_what_is_too_large_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    writer = Narrow()
    records = [Outgoing(b"a", b"1"), Outgoing(b"b\x1b[2J", bytes(11)), Outgoing(b"c", None)]
    with caplog.at_level(logging.ERROR):
        assert append_what_fits(writer, [*records, Outgoing(b"d", bytes(12))]) == [(0, 0), (0, 1)]
    assert writer.written == [b"1", None]
    assert "max.message.bytes" in caplog.text
    assert r"b'b\x1b[2J'" in caplog.text
    assert append_what_fits(writer, [Outgoing(b"e", bytes(11))]) == []
    assert append_what_fits(writer, []) == []

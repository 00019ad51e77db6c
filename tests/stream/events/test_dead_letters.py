"""Dead letters keep the original record and say why it is there."""

import numpy as np
import pytest

from stream.errors import RecordFormatError
from stream.events.click import EventRules
from stream.events.codec import BadRecord, ClickCodec
from stream.events.dead_letters import dead_letter, parse_dead_letter
from stream.log.interface import Outgoing
from tests.stream.events.records import NOW, batch_of, click_json


@pytest.mark.parametrize(
    ("key", "value"),
    [(b"u1", b"\xff\x00{"), (None, click_json()), (None, None), (b"", b""), (b"\xff", None)],
)
def test_a_dead_letter_takes_apart_into_the_original(key: bytes | None, value: bytes) -> None:
    """Bytes, headers and place come back, whatever the bytes are."""
    headers = (("trace", b"\x00\xff"), ("trace", b"again"))
    batch = batch_of([click_json(), value], [b"u1", key], first_offset=40, headers=[(), headers])
    (bad,) = ClickCodec(EventRules()).decode(batch, -np.inf).bad
    sent = dead_letter(batch, bad)
    assert (sent.key, sent.value, sent.partition) == (key, value, 3)
    assert sent.headers[:2] == headers
    letter = parse_dead_letter(sent.key, sent.value, sent.headers)
    assert (letter.key, letter.value, letter.headers) == (key, value, headers)
    assert (letter.topic, letter.partition, letter.offset) == ("clicks", 3, 41)
    assert (letter.reason, letter.detail, letter.time) == (bad.reason, bad.detail, NOW)


def test_headers_are_text_under_one_prefix() -> None:
    """Any tool can read them."""
    sent = dead_letter(batch_of([b"{"]), BadRecord(0, 0, "malformed_json", "cut off"))
    assert sent == Outgoing(
        key=b"u1",
        value=b"{",
        headers=(
            ("gsr.error.topic", b"clicks"),
            ("gsr.error.partition", b"3"),
            ("gsr.error.offset", b"0"),
            ("gsr.error.reason", b"malformed_json"),
            ("gsr.error.detail", b"cut off"),
            ("gsr.error.time", b"1506826800.0"),
        ),
        partition=3,
    )


def test_a_second_failure_replaces_the_first() -> None:
    """A record that was sent again and failed again does not pile up error headers."""
    bad = BadRecord(0, 0, "empty", "first")
    first = dead_letter(batch_of([b""], headers=[(("trace", b"t"),)]), bad)
    again = dead_letter(
        batch_of([b""], headers=[first.headers], first_offset=9),
        BadRecord(0, 9, "empty", "second"),
    )
    letter = parse_dead_letter(again.key, again.value, again.headers)
    assert (letter.offset, letter.detail) == (9, "second")
    assert letter.headers == (("trace", b"t"),)
    assert len(again.headers) == 7


@pytest.mark.parametrize(
    "change",
    [("gsr.error.reason", None), ("gsr.error.offset", b"x"), ("gsr.error.topic", b"\xff")],
)
def test_what_is_no_dead_letter_is_refused(change: tuple[str, bytes | None]) -> None:
    """Missing and unreadable headers are named."""
    sent = dead_letter(batch_of([b""]), BadRecord(0, 0, "empty", ""))
    name, value = change
    headers = tuple(
        (header, text if header != name or value is None else value)
        for header, text in sent.headers
        if header != name or value is not None
    )
    with pytest.raises(RecordFormatError, match="not a dead letter"):
        parse_dead_letter(None, None, headers)

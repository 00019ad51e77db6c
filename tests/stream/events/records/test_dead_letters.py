"""Dead letters keep the original record and say why it is there."""

import hashlib

import numpy as np
import pytest

from stream.errors import RecordFormatError, RecordsDamagedError
from stream.events.clicks.bad_record import BadRecord
from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.rules import EventRules
from stream.events.records.dead_letters import (
    Original,
    damage_letter,
    dead_letter,
    is_shortened,
    parse_dead_letter,
    shortened,
)
from stream.log.interface import Outgoing
from tests.stream.events.click_records import NOW, batch_of, click_json


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


def test_a_shortened_letter_says_what_the_record_was() -> None:
    """Beginnings, lengths and a hash; a pure function of the record, and fit for any topic."""
    value, key = bytes(range(256)) * 40_000, b"k" * 5_000
    batch = batch_of([value], [key], headers=[(("trace", b"x" * 4_092),)])
    sent = dead_letter(batch, BadRecord(0, 0, "too_large", "it is"))
    short = shortened(sent)
    assert short == shortened(sent)
    assert is_shortened(short)
    assert not is_shortened(sent)
    assert (short.key, short.value) == (key[:1_024], value[:16_384])
    letter = parse_dead_letter(short.key, short.value, short.headers)
    assert letter.headers == ()  # with its name one byte too many
    assert (letter.reason, letter.detail) == ("too_large", "it is")
    assert letter.original == Original(
        key_bytes=5_000,
        value_bytes=len(value),
        headers_bytes=4_097,
        value_sha256=hashlib.sha256(value).hexdigest(),
    )


def test_what_is_null_stays_null_when_shortened() -> None:
    """And headers that are short stay."""
    batch = batch_of([None], [None], headers=[(("trace", b"x"),)])
    short = shortened(dead_letter(batch, BadRecord(0, 0, "key_missing", "")))
    letter = parse_dead_letter(short.key, short.value, short.headers)
    assert (letter.key, letter.value, letter.headers) == (None, None, (("trace", b"x"),))
    assert letter.original == Original(
        key_bytes=None, value_bytes=None, headers_bytes=6, value_sha256=None
    )


def test_damaged_records_have_a_letter_for_their_range() -> None:
    """In plain ASCII, whatever the reason says."""
    damage = RecordsDamagedError("clicks", 3, 7, 12, "it says \x1b\u00e9" + "x" * 900)
    sent = damage_letter(damage, 12, NOW)
    assert (sent.key, sent.value, sent.partition) == (None, None, 3)
    letter = parse_dead_letter(sent.key, sent.value, sent.headers)
    assert (letter.reason, letter.offset, letter.end_offset) == ("damaged", 7, 12)
    assert letter.detail.startswith(r"it says \x1b\xe9x")
    assert len(letter.detail) <= 300
    assert letter.time == NOW

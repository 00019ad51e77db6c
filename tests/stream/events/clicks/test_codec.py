"""The click codec: what is a click, what is not and why."""

from typing import Any

import numpy as np
import pytest

from stream.events.clicks.bad_record import REASONS
from stream.events.clicks.codec import ClickCodec, Decoded
from stream.events.clicks.rules import EventRules
from stream.log.interface import RecordBatch
from tests.stream.events.click_records import NOW, batch_of, click_hash, click_json

CODEC = ClickCodec(EventRules())


def decode(batch: RecordBatch, watermark: float = -np.inf) -> Decoded:
    return CODEC.decode(batch, watermark)


def only_reason(value: bytes | None, key: bytes | None = b"u1") -> tuple[str, str]:
    """Return reason and detail of a single bad record."""
    decoded = decode(batch_of([value], [key]))
    assert len(decoded.clicks) == 0
    (bad,) = decoded.bad
    return bad.reason, bad.detail


def test_good_clicks_come_out_column_by_column() -> None:
    """Every column holds what the record said, codes follow the order of the weights."""
    decoded = decode(
        batch_of(
            [
                click_json(),
                click_json(item_id="é", timestamp="2017-10-01T03:00:01.5Z", event="purchase"),
                click_json(event=None, event_id="e1", timestamp=NOW + 2, color={"red": [1]}),
            ],
            first_offset=7,
        )
    )
    clicks = decoded.clicks
    assert decoded.bad == []
    assert decoded.watermark == NOW + 2
    assert clicks.user_ids == ["u1"] * 3
    assert clicks.item_ids == ["i1", "é", "i1"]
    assert clicks.times.tolist() == [NOW, NOW + 1.5, NOW + 2]
    assert clicks.events.tolist() == [0, 3, 0]
    assert clicks.events.dtype == np.uint8
    assert clicks.offsets.tolist() == [7, 8, 9]
    assert clicks.append_times.tolist() == [NOW] * 3
    assert not clicks.forget.any()
    assert clicks.hashes.dtype == np.uint64
    for column in (clicks.times, clicks.events, clicks.hashes, clicks.forget, clicks.offsets):
        # Read-only arrays would make every kernel compile once more.
        assert column.flags.writeable
        assert column.flags.c_contiguous
    assert clicks.hashes.tolist() == [
        click_hash("i1", NOW, "click"),
        click_hash("é", NOW + 1.5, "purchase"),
        click_hash("i1", NOW + 2, "click", "e1"),
    ]


def test_the_lists_that_clicks_name_go_with_them() -> None:
    """Row by row with the clicks, plain or read with care, without those that are refused."""
    decoded = decode(
        batch_of(
            [
                click_json(list_id="a1", list_position=3),
                click_json(item_id=""),
                click_json(item_id="i2", list_id="é", event=None, price={"eur": 1}),
                click_json(timestamp=NOW + 301, list_id="late"),
                click_json(item_id="i3", list_id=None, list_position=2),
                None,
            ],
        )
    )
    assert decoded.clicks.item_ids == ["i1", "i2", "i3", ""]
    assert list(decoded.named.ids) == [b"a1", "é".encode(), None, None]
    assert decoded.named.positions.tolist() == [3, 0, 2, 0]


def test_an_empty_batch_decodes_to_nothing() -> None:
    """No records leave the watermark where it was."""
    decoded = decode(batch_of([]), watermark=5.0)
    assert (len(decoded.clicks), decoded.bad, decoded.watermark) == (0, [], 5.0)


def test_a_null_value_forgets_the_user() -> None:
    """A tombstone is a row of its own, with neutral values, and does not move the watermark."""
    decoded = decode(batch_of([click_json(), None], [b"u1", "ü".encode()]))
    clicks = decoded.clicks
    assert clicks.user_ids == ["u1", "ü"]
    assert clicks.item_ids == ["i1", ""]
    assert clicks.forget.tolist() == [False, True]
    assert (clicks.times[1], clicks.events[1], clicks.hashes[1]) == (0.0, 0, 0)
    assert decoded.watermark == NOW


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "malformed_json"),
        (b"not json", "malformed_json"),
        (click_json() + b"x", "malformed_json"),
        (click_json() + b"," + click_json(), "malformed_json"),
        (b"\xef\xbb\xbf" + click_json(), "malformed_json"),
        (click_json().replace(b"u1", b"\\ud800"), "malformed_json"),
        (click_json().replace(b"u1", b"\\ude00\\ud83d"), "malformed_json"),
        (click_json(x=0).replace(b"0}", b"NaN}"), "malformed_json"),
        (click_json(x=0).replace(b"0}", b"[" * 65 + b"]" * 65 + b"}"), "malformed_json"),
        (click_json(x=0).replace(b"0}", b"[" * 8000 + b"}"), "malformed_json"),
        (click_json(user_id=...), "missing_field"),
        (click_json(item_id=...), "missing_field"),
        (click_json(timestamp=...), "missing_field"),
        (b"{}", "missing_field"),
        (b"null", "wrong_type"),
        (b"[]", "wrong_type"),
        (b'"u1"', "wrong_type"),
        (click_json(user_id=1), "wrong_type"),
        (click_json(item_id=None), "wrong_type"),
        (click_json(item_id=["i1"]), "wrong_type"),
        (click_json(timestamp=True), "wrong_type"),
        (click_json(timestamp=None), "wrong_type"),
        (click_json(event=3), "wrong_type"),
        (click_json(event_id=3), "wrong_type"),
        (click_json(list_id=3), "wrong_type"),
        (click_json(list_position="1"), "wrong_type"),
        (click_json(list_position=1.5), "wrong_type"),
        (click_json(list_position=True), "wrong_type"),
        (click_json(list_position=0), "wrong_type"),
        (click_json(list_position=-3), "wrong_type"),
        (click_json(list_position=1_000_001), "wrong_type"),
        (click_json(list_id=""), "id_length"),
        (click_json(list_id="l" * 257), "id_length"),
        (click_json(timestamp=0).replace(b"0}", b"1e999}"), "wrong_type"),
        (click_json(item_id=""), "id_length"),
        (click_json(item_id="i" * 257), "id_length"),
        (click_json(item_id="é" * 129), "id_length"),
        (click_json(event_id=""), "id_length"),
        (click_json(event_id="e" * 257), "id_length"),
        (click_json(user_id=""), "id_length"),
        (click_json().replace(b"u1", b"\xff"), "not_utf8"),
        (click_json(x="y").replace(b'"y"', b'"\xed\xa0\x80"'), "not_utf8"),
        (click_json(x="y" * 16 * 1024), "too_large"),
        (click_json(user_id="u2"), "key_mismatch"),
        (click_json(timestamp="yesterday"), "bad_timestamp"),
        (click_json(timestamp="1506826800"), "bad_timestamp"),
        (click_json(timestamp="2017-02-30T00:00:00Z"), "bad_timestamp"),
        (click_json(timestamp="2017-10-01T24:00:00Z"), "bad_timestamp"),
        (click_json(timestamp=""), "bad_timestamp"),
        (click_json(timestamp=-1), "bad_timestamp"),
        (click_json(timestamp="1969-12-31T23:59:59Z"), "bad_timestamp"),
        (click_json(timestamp=10**400), "bad_timestamp"),
        (click_json(timestamp=NOW + 301), "future"),
        (click_json(timestamp=10**300), "future"),
        (click_json(event="add-to-basket"), "unknown_event"),
        (click_json(event=""), "unknown_event"),
    ],
)
def test_each_fault_has_its_reason(value: bytes, reason: str) -> None:
    """A bad record is told apart by a reason from the list, and a detail in short ASCII."""
    found, detail = only_reason(value)
    assert found == reason
    assert reason in REASONS
    assert detail.isascii()
    assert 0 < len(detail) < 400


@pytest.mark.parametrize("value", [None, click_json()])
@pytest.mark.parametrize(
    ("key", "reason"),
    [(None, "key_missing"), (b"", "key_missing"), (b"\xff", None), (b"u" * 257, None)],
)
def test_keys_are_checked(value: bytes | None, key: bytes | None, reason: str | None) -> None:
    """A record needs its user as key, a forget record a possible one."""
    expected = {b"\xff": "not_utf8", b"u" * 257: "id_length"}.get(key or b"", "key_missing")
    if value is not None and reason is None:
        expected = "key_mismatch"
    assert only_reason(value, key)[0] == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (click_json(timestamp=NOW * 1e3), "milliseconds"),
        (click_json(timestamp=NOW * 1e6), "microseconds"),
        (click_json(timestamp=NOW * 1e9), "nanoseconds"),
        (click_json(event="wish"), "events.weights"),
        (click_json(timestamp="now"), "ISO-8601"),
        (click_json(item_id=...), "item_id is missing"),
        (click_json(user_id=5), "$.user_id"),
        (click_json(timestamp=NOW + 400), "clock"),
    ],
)
def test_details_say_what_to_do(value: bytes, words: str) -> None:
    """The detail names the field, the likely unit or the setting."""
    assert words in only_reason(value)[1]


def test_a_record_of_exactly_the_limit_is_good() -> None:
    """16 KiB are allowed, one byte more is not."""
    short = click_json(x="")
    value = click_json(x="y" * (16 * 1024 - len(short)))
    assert len(value) == 16 * 1024
    assert decode(batch_of([value])).bad == []
    assert only_reason(value + b" ")[0] == "too_large"


@pytest.mark.parametrize(
    ("timestamp", "seconds"),
    [
        (1506826800, NOW),
        (1506826800.25, NOW + 0.25),
        (0, 0.0),
        (-0.0, 0.0),
        ("2017-10-01T03:00:00Z", NOW),
        ("2017-10-01T03:00:00", NOW),
        ("2017-10-01 03:00", NOW),
        ("2017-10-01", NOW - 10_800),
        ("2017-10-01T00:00:00-03:00", NOW),
        ("2017-10-01T04:00:00.123456789+0100", NOW + 0.123456),
        ("2017-10-01T03:00:00,5Z", NOW + 0.5),
    ],
)
def test_timestamps_are_seconds_or_iso_8601(timestamp: Any, seconds: float) -> None:
    """Text without an offset is UTC; more digits than microseconds are dropped."""
    times = decode(batch_of([click_json(timestamp=timestamp)])).clicks.times
    assert times.tolist() == [seconds]
    assert not np.signbit(times[0])


def test_the_future_begins_past_the_append_time() -> None:
    """Each click is measured by its own arrival."""
    times = [NOW + 301, NOW + 300, NOW + 600, NOW + 300.5, NOW]
    decoded = decode(batch_of([click_json(timestamp=time) for time in times]))
    assert [(bad.index, bad.reason) for bad in decoded.bad] == [
        (0, "future"),
        (2, "future"),
        (3, "future"),
    ]
    assert decoded.clicks.times.tolist() == [NOW + 300, NOW]
    assert decoded.clicks.offsets.tolist() == [1, 4]
    assert decoded.watermark == NOW + 300


def test_clicks_cannot_creep_ahead() -> None:
    """Many that each lie a minute past the newest get no further than one alone would."""
    values = [click_json(timestamp=NOW + 60 * n) for n in range(3000)]
    decoded = decode(batch_of(values))
    assert decoded.watermark == NOW + 300
    assert len(decoded.bad) == 3000 - 6


def test_a_watermark_from_before_moves_no_limit() -> None:
    """Clicks are judged alike before and behind one that is ahead; the mark never falls."""
    values = [click_json(timestamp=NOW + 1000), click_json(timestamp=NOW)]
    decoded = decode(batch_of(values), watermark=NOW + 900)
    assert [bad.reason for bad in decoded.bad] == ["future"]
    assert decoded.clicks.times.tolist() == [NOW]
    assert decoded.watermark == NOW + 900


def test_old_clicks_are_good_unless_a_limit_is_set() -> None:
    """Age counts from the append time, and a click that is too old moves no watermark."""
    values = [click_json(timestamp=NOW - 100), click_json(timestamp=NOW - 101)]
    assert decode(batch_of(values)).bad == []
    limited = ClickCodec(EventRules(max_age_seconds=100.0)).decode(batch_of(values), -np.inf)
    assert [(bad.index, bad.reason) for bad in limited.bad] == [(1, "too_old")]
    assert "events.max_age_seconds" in limited.bad[0].detail
    assert limited.watermark == NOW - 100


def test_bad_records_keep_log_order_and_offsets() -> None:
    """Faults of form and of time come in one list, in order."""
    values = [click_json(timestamp=NOW + 999), b"{", click_json(), b"", click_json(timestamp=2e9)]
    decoded = decode(batch_of(values * 300, first_offset=50))
    assert [bad.index for bad in decoded.bad] == [row for row in range(1500) if row % 5 != 2]
    assert all(bad.offset == bad.index + 50 for bad in decoded.bad)
    assert decoded.clicks.offsets.tolist() == list(range(52, 1550, 5))


def test_a_default_event_stands_for_none() -> None:
    """The rules name it, and its code and hash are those of the name."""
    codec = ClickCodec(EventRules(weights={"view": 1.0, "buy": 2.0}, default_event="buy"))
    clicks = codec.decode(batch_of([click_json(), click_json(event="buy")]), -np.inf).clicks
    assert clicks.events.tolist() == [1, 1]
    assert clicks.hashes[0] == clicks.hashes[1]

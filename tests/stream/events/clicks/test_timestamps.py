"""Event times as text."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.counters.time_units import likely_unit
from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.rules import EventRules
from stream.events.clicks.timestamps import parse_iso
from tests.stream.events.click_records import NOW, batch_of


@settings(deadline=None)
@given(st.datetimes(timezones=st.timezones()))
def test_what_python_writes_is_read_back(moment: datetime) -> None:
    """Any date and time with a whole-minute offset keeps its microseconds."""
    text = moment.isoformat()
    seconds = parse_iso(text)
    if seconds is None:
        # Offsets of the nineteenth century have seconds.
        assert text[-3] == ":"
        assert text[-6] == ":"
    else:
        assert seconds == pytest.approx(moment.timestamp(), abs=1e-4)


@settings(deadline=None)
@given(st.text("0123456789-+:.,TZ W", max_size=32) | st.text(max_size=12))
def test_no_text_crashes(text: str) -> None:
    """It is a time or it is none."""
    assert isinstance(parse_iso(text), float | None)


@pytest.mark.parametrize(
    "text",
    [
        "2017-10-01T03:00:00Z",
        "2017-10-01 03:00",
        "2017-10-01t03:00:00z",
        "20171001T030000Z",
        "20171001T0300",
        "20171001T030000.000-0000",
        "2017-10-01T00:00:00-03:00",
    ],
)
def test_one_moment_has_many_spellings(text: str) -> None:
    """ISO-8601's long and short form, and RFC 3339's small letters, on the topic too."""
    assert parse_iso(text) == NOW
    value = f'{{"user_id":"u","item_id":"i","timestamp":"{text}"}}'.encode()
    decoded = ClickCodec(EventRules()).decode(batch_of([value], [b"u"]), NOW)
    assert decoded.bad == []
    assert decoded.clicks.times.tolist() == [NOW]


@pytest.mark.parametrize(
    "text",
    [
        "20171001",
        "20171001 030000",
        "2017-1001T03:00",
        "2017-W39-7",
        "2017-10-01T24:00:00Z",
        "2017-10-01T23:59:60Z",
        "2017-10-01T03:00:00Z ",
        "2017-10-01T03:00:00.1234567890Z",
        "0000-01-01",
        "2017-13-01",
        "٢٠١٧-10-01",
        "2017-10-01T03:00:00+25:00",
    ],
)
def test_other_spellings_are_refused(text: str) -> None:
    """Also those that some Python versions read and others do not."""
    assert parse_iso(text) is None


def test_the_ends_of_the_calendar_are_times() -> None:
    """Offsets that lead out of the calendar do not overflow."""
    assert (parse_iso("9999-12-31T23:59:59-23:59") or 0) > 2.5e11
    assert (parse_iso("0001-01-01T00:00:00+23:59") or 0) < -6.2e10


@pytest.mark.parametrize(
    ("time", "unit"),
    [
        (0.0, None),
        (1.5e9, None),
        (1.5e12, "milliseconds"),
        (1.5e15, "microseconds"),
        (1.5e18, "nanoseconds"),
        (float("inf"), "nanoseconds"),
    ],
)
def test_units_are_guessed_by_size(time: float, unit: str | None) -> None:
    """Times of our days are told apart by three digits each."""
    assert likely_unit(time) == unit

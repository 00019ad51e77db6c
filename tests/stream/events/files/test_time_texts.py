"""Times as other programs write them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.events.files.time_texts import parse_clear, parse_ordered


@settings(deadline=None)
@given(st.text("0123456789/-.: apmAPMUTCGJanFebMonZ+,", max_size=30) | st.text(max_size=12))
def test_no_text_crashes(text: str) -> None:
    """It is a time or it is none."""
    assert isinstance(parse_clear(text), float | None)
    assert isinstance(parse_ordered(text, "day-first"), float | None)

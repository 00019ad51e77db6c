"""Numbers and times that the kernels read are those that Python reads."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stream.events.clicks.number_kernel import read_count, read_number, read_time
from stream.events.clicks.timestamps import parse_iso

NUMBERS = st.one_of(
    st.floats(0, 4e9).map(repr),
    st.decimals(0, 10**10, places=6).map(str),
    st.integers(0, 10**20).map(str),
    st.sampled_from(["0", "00", "0.0", "-0", "-1", "1.", ".5", "1e3", "1E400", "9" * 400, "0.1e1"]),
)


@settings(max_examples=2000, deadline=None)
@given(NUMBERS)
@example("1700000000.1234567")
@example("8388608.00000000093132257")
@example("9007199254740993")
def test_numbers_are_those_of_python(text: str) -> None:
    """A number that the kernel reads is the float64 that Python reads."""
    number, end = read_number(np.frombuffer(text.encode(), dtype=np.uint8), 0, len(text))
    if end >= 0:
        assert (number, end) == (float(text), len(text))


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 200).map(str) | st.text("0123.eE-,}", max_size=5))
@example("100")
@example("101")
@example("1.0")
@example("9" * 30)
def test_counts_are_whole_numbers_from_1_to_the_most(text: str) -> None:
    """What the kernel reads stands at the beginning, is no part of another number, and fits."""
    count, end = read_count(np.frombuffer(f"{text},".encode(), dtype=np.uint8), 0, len(text), 100)
    if end >= 0:
        assert str(count) == text[:end]
        assert 1 <= count <= 100
        assert text[end : end + 1] not in {*"0123456789.eE"} - {""}
    elif text.isdigit():
        assert text[0] == "0" or int(text) > 100


@settings(max_examples=500, deadline=None)
@given(st.datetimes().map(lambda at: at.isoformat()) | st.text("0123456789-:.TZ +", max_size=32))
@example("2024-02-29T23:59:59.5+02:00")
@example("2017-10-01T24:00:00")
def test_times_are_those_of_the_parser(text: str) -> None:
    """A time that the kernel reads is the one that `parse_iso` reads."""
    seconds = read_time(np.frombuffer(text.encode(), dtype=np.uint8), 0, len(text))
    if seconds >= 0:
        assert seconds == parse_iso(text)

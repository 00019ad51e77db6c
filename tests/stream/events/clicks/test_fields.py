"""The definition of a click, at its limits."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.events.clicks.bad_record import Fault
from stream.events.clicks.fields import nesting, read_click
from tests.stream.events.click_records import NOW, click_json


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (None, click_json(), "key_missing"),
        (b"", None, "key_missing"),
        (b"\xff", None, "not_utf8"),
        (b"u2", click_json(), "key_mismatch"),
        (b"u1", b"", "empty"),
        (b"u1", click_json(item_id=...), "missing_field"),
        (b"u1", click_json(event="nope"), "unknown_event"),
    ],
)
def test_the_first_fault_of_a_record_is_named(
    key: bytes | None, value: bytes | None, reason: str
) -> None:
    """By one of the reasons that a dead letter may have."""
    fault = read_click(key, value, {None: 0})
    assert isinstance(fault, Fault)
    assert fault.reason == reason


def test_a_good_record_has_its_fields() -> None:
    """Text and numbers as they are, the event as its code; a null value forgets the user."""
    codes = {None: 0, "buy": 7}
    value = click_json(event="buy", event_id="e1")
    assert read_click(b"u1", value, codes) == ("u1", "i1", NOW, 7, "e1", False, None, 0)
    value = click_json(list_id="5c2e", list_position=3)
    assert read_click(b"u1", value, codes) == ("u1", "i1", NOW, 0, None, False, "5c2e", 3)
    assert read_click("ü".encode(), None, codes) == ("ü", "", 0.0, 0, None, True, None, 0)


def test_nesting_up_to_the_limit_is_good_however_brackets_are_spread() -> None:
    """The limit counts depth outside strings, not brackets."""
    deep = click_json(x=0).replace(b"0}", b"[" * 63 + b"]" * 63 + b"}")
    wide = click_json(x=[[[]] for _ in range(500)], y='[{"' * 500)
    for value in (deep, wide):
        assert not isinstance(read_click(b"u1", value, {None: 0}), Fault)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@settings(deadline=None)
@given(JSON)
def test_nesting_counts_levels(value: object) -> None:
    """The depth of any JSON is that of its parsed value."""

    def depth(part: object) -> int:
        if isinstance(part, dict):
            return 1 + max(map(depth, part.values()), default=0)
        if isinstance(part, list):
            return 1 + max(map(depth, part), default=0)
        return 0

    assert nesting(json.dumps(value).encode()) == depth(value)


def test_a_hostile_string_is_measured_in_linear_time() -> None:
    """Quotes and backslashes without end do not slow the measuring down."""
    assert nesting(b'\\"' * 500_000) == 0
    assert nesting(b'"\\' * 500_000) == 0


def test_a_record_has_16384_bytes() -> None:
    """On the topic, blanks included."""
    value = b'{"user_id":"u","item_id":"i","timestamp":1}'
    assert not isinstance(read_click(b"u", value.ljust(16_384), {None: 0}), Fault)
    fault = read_click(b"u", value.ljust(16_385), {None: 0})
    assert isinstance(fault, Fault)
    assert fault.reason == "too_large"

"""The kernel that reads plain clicks: it agrees with `read_click`, or leaves the row to it."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gsr.counters.ids.byte_column import ByteColumn
from stream.events.clicks.bad_record import Fault
from stream.events.clicks.fields import read_click
from stream.events.clicks.plain_clicks import PlainClickReader
from stream.events.clicks.rules import EventRules

RULES = EventRules()
CODES: dict[str | None, int] = {None: RULES.codes[RULES.default_event]}
CODES.update(RULES.codes.items())
READER = PlainClickReader(CODES)

BLANKS = st.sampled_from(["", "", "", " ", "\n", "\t \r"])
IDS = st.sampled_from(
    ["u1", "i-17", "é", "\U0001f600", "x" * 256, "x" * 257, "", 'a"b', "a\\u0041"]
)
NUMBERS = st.one_of(
    st.floats(0, 4e9).map(repr),
    st.decimals(0, 10**10, places=6).map(str),
    st.integers(0, 10**20).map(str),
    st.sampled_from(["0", "00", "0.0", "-0", "-1", "1.", ".5", "1e3", "1E400", "9" * 400, "0.1e1"]),
)
TIMES = st.one_of(
    st.datetimes().map(lambda at: f'"{at.isoformat()}"'),
    st.datetimes().map(lambda at: f'"{at.isoformat(sep=" ", timespec="milliseconds")}Z"'),
    st.builds(
        '"2024-{:02}-{:02}T{:02}:{:02}:{:02}{}{}"'.format,
        *[st.integers(0, 13), st.integers(0, 32), st.integers(0, 25)],
        *[st.integers(0, 61), st.integers(0, 61)],
        st.sampled_from(["", ".5", ",123456789", ".1234567890", "."]),
        st.sampled_from(["", "Z", "z", "+02:00", "-23:59", "+24:00", "+0200", "+02", "-00:60"]),
    ),
    st.sampled_from(['"2017-10-01"', '"?"', "null", "true", "[]"]),
)
EVENTS = st.sampled_from(['"click"', '"purchase"', '"nope"', '""', "null", "true", "1", "nul"])
OTHERS = st.sampled_from(['"x"', '"\\n"', "1.5", "-1", "1e9", "true", "[1]", '{"a": 1}', "nan"])
POSITIONS = st.integers(-1, 1_000_001).map(str) | st.sampled_from(
    ["0", "01", "1.0", "1e2", "1E2", "1.", "1000000", "1000001", "9" * 30, "null", "true", '"1"']
)


@st.composite
def click_texts(draw: st.DrawFn) -> str:
    """Draw the text of a click, nearly right: fields in any order, some missing, some twice."""
    fields = [
        ("user_id", '"u1"'),
        ("item_id", f'"{draw(IDS)}"'),
        ("timestamp", draw(NUMBERS | NUMBERS | TIMES)),
    ]
    for name, values in (
        ("event", EVENTS),
        ("event_id", IDS.map('"{}"'.format)),
        ("list_id", IDS.map('"{}"'.format) | OTHERS),
        ("list_position", POSITIONS),
        ("x", OTHERS),
    ):
        if draw(st.booleans()):
            fields.append((name, draw(values)))
    if draw(st.integers(0, 9)) == 0:
        fields.append(draw(st.sampled_from(fields)))
    if draw(st.integers(0, 9)) == 0:
        fields.remove(draw(st.sampled_from(fields)))
    parts = [
        f'{draw(BLANKS)}"{name}"{draw(BLANKS)}:{draw(BLANKS)}{value}{draw(BLANKS)}'
        for name, value in draw(st.permutations(fields))
    ]
    return f"{draw(BLANKS)}{{{','.join(parts)}}}{draw(BLANKS)}"


def read_plainly(value: bytes, key: bytes = b"u1") -> tuple[Any, ...] | None:
    """Return item, time, code, event id and list of a plain record, None for another."""
    found = READER.read(ByteColumn.of([key]), ByteColumn.of([value]))
    if not found.plain[0]:
        return None
    start, event_id = found.item_starts[0], found.event_id_lengths[0]
    at, named = found.event_id_starts[0], found.list_id_starts[0]
    list_id = found.list_id_lengths[0]
    return (
        value[start : start + found.item_lengths[0]].decode(),
        float(found.times[0]),
        int(found.codes[0]),
        value[at : at + event_id].decode() if event_id >= 0 else None,
        value[named : named + list_id].decode() if list_id >= 0 else None,
        int(found.list_positions[0]),
    )


def agrees(value: bytes) -> bool:
    """Check what the kernel says of a record; return whether it was plain."""
    plain = read_plainly(value)
    if plain is None:
        return False
    careful = read_click(b"u1", value, CODES)
    assert not isinstance(careful, Fault), (value, careful)
    read = (careful.item_id, careful.time, careful.code, careful.event_id)
    assert (*read, careful.list_id, careful.list_position) == plain
    return True


@settings(max_examples=1500, deadline=None)
@given(click_texts())
@example('{"user_id":"u1","item_id":"i","timestamp":1.0,"event":null}')
def test_what_is_plain_is_read_like_with_care(text: str) -> None:
    """Whatever the kernel accepts, `read_click` accepts too, and reads the same."""
    agrees(text.encode())


@settings(max_examples=1000, deadline=None)
@given(click_texts(), st.data())
def test_damage_is_never_read_otherwise(text: str, data: st.DataObject) -> None:
    """With some bytes changed, cut or put in, the kernel still agrees or declines."""
    value = text.encode()
    place = data.draw(st.integers(0, len(value)))
    put = data.draw(st.binary(max_size=2) | st.sampled_from([b"\xc3", b"\xed\xa0\x80", b"\x00"]))
    agrees(value[:place] + put + value[place + data.draw(st.integers(0, 2)) :])


@pytest.mark.parametrize(
    "fields",
    [
        {"timestamp": 1_700_000_000},
        {"timestamp": 1_700_000_000.109},
        {"timestamp": 1_700_000_000.1234567},
        {"timestamp": "2024-02-29T23:59:59.5+02:00", "event": "cart", "event_id": "e1"},
        {"timestamp": 1, "list_id": "5c2e0b9f41d7a836", "list_position": 1_000_000},
        {"timestamp": 1, "list_id": None, "list_position": None},
        {"timestamp": 1.5, "event": None, "event_id": None, "price": 12.5, "shop": "é"},
    ],
)
def test_usual_clicks_are_plain(fields: dict[str, Any]) -> None:
    """What producers usually send takes the fast way, spaced or not, ASCII or not."""
    click = {"user_id": "u1", "item_id": "i-1", **fields}
    for style in ({}, {"separators": (",", ":")}, {"ensure_ascii": False, "indent": 1}):
        if "shop" in fields and "ensure_ascii" not in style:
            continue  # with escapes, which are read with care
        assert agrees(json.dumps(click, **style).encode())


@pytest.mark.parametrize("key", [b"u2", b"", b"u1 ", b"u"])
def test_another_key_is_not_plain(key: bytes) -> None:
    """A key that is not the user id is for `read_click` to judge."""
    value = b'{"user_id":"u1","item_id":"i1","timestamp":5}'
    assert read_plainly(value) is not None
    assert read_plainly(value, key) is None

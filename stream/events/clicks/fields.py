"""The definition of a click: one record, read field by field."""

import re
from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

import msgspec

from gsr.counters.ids.id_column import MAX_ID_BYTES
from stream.events.clicks.bad_record import Fault, quoted
from stream.events.clicks.rules import MAX_LIST_POSITION, MAX_RECORD_BYTES
from stream.events.clicks.timestamps import parse_iso

# The decoder's own limit depends on how deep the caller's stack is; this one does not.
MAX_NESTING: Final = 64

# An unclosed string runs to the end, so that matching stays linear on any bytes.
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKETS: Final = re.compile(rb"[\[\]{}]")

_ListPosition = Annotated[int, msgspec.Meta(ge=1, le=MAX_LIST_POSITION)]


class ClickValue(msgspec.Struct, gc=False, omit_defaults=True):
    """The JSON value of a click, as far as types alone can judge it."""

    user_id: str
    item_id: str
    timestamp: int | float | str
    event: str | None = None
    event_id: str | None = None
    list_id: str | None = None
    list_position: _ListPosition | None = None


class ClickFields(NamedTuple):
    """A click, all of whose fields but the time are known to be good.

    `list_position` is 0 where the click names none.
    """

    user_id: str
    item_id: str
    time: float
    code: int
    event_id: str | None
    forget: bool = False
    list_id: str | None = None
    list_position: int = 0


_CLICK_DECODER: Final = msgspec.json.Decoder(ClickValue)
TOO_DEEP: Final = Fault("malformed_json", f"nested more than {MAX_NESTING} levels deep")
_ANY_DECODER: Final = msgspec.json.Decoder()
_REQUIRED: Final = ("user_id", "item_id", "timestamp")


def read_click(
    key: bytes | None, value: bytes | None, codes: Mapping[str | None, int]
) -> ClickFields | Fault:
    """Return the fields of one record of `clicks`, or what is wrong with it.

    Whether the time is acceptable depends on other records too and is not judged here.

    Parameters
    ----------
    key, value
        The record.
    codes
        Event name to code; None to the default event's code.
    """
    if not key:
        return Fault("key_missing", "the record has no key: its key must be the user id")
    if value is None:
        return _read_forget(key)
    click = _parse(value)
    if isinstance(click, Fault):
        return click
    return _check(key, click, codes)


def id_fault(name: str, text: str) -> Fault | None:
    """Return what is wrong with an id, if anything: 1 to 256 bytes as UTF-8.

    Parameters
    ----------
    name
        What the id is called in the message.
    text
        The id.
    """
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        return Fault("not_utf8", f"{name} is not valid Unicode: {quoted(text)}")
    if length == 0:
        return Fault("id_length", f"{name} is empty")
    if length > MAX_ID_BYTES:
        return Fault("id_length", f"{name} has {length} bytes as UTF-8, at most {MAX_ID_BYTES}")
    return None


def unknown_event(name: str) -> Fault:
    """Return the fault of a click whose event is not listed."""
    return Fault(
        "unknown_event",
        f"event {quoted(name)} is not listed in events.weights: add it at the end, with a weight "
        "(0 only marks the item as seen), or correct the producer",
    )


def _read_forget(key: bytes) -> ClickFields | Fault:
    try:
        user_id = key.decode()
    except UnicodeDecodeError as error:
        return Fault("not_utf8", f"the key is not UTF-8: {error.reason} at byte {error.start}")
    return id_fault("the key", user_id) or ClickFields(user_id, "", 0.0, 0, None, forget=True)


def _parse(value: bytes) -> ClickValue | Fault:
    fault = _text_fault(value)
    if fault is not None:
        return fault
    if is_too_deep(value):
        return TOO_DEEP
    try:
        return _CLICK_DECODER.decode(value)
    except msgspec.ValidationError as error:
        return _type_fault(value, str(error))
    except ValueError as error:
        return Fault("malformed_json", _words(error))


def _text_fault(value: bytes) -> Fault | None:
    if not value.strip():
        return Fault("empty", "the value is empty; a forget record has a null value")
    if len(value) > MAX_RECORD_BYTES:
        return Fault("too_large", f"the value has {len(value)} bytes, at most {MAX_RECORD_BYTES}")
    try:
        value.decode()
    except UnicodeDecodeError as error:
        return Fault("not_utf8", f"the value is not UTF-8: {error.reason} at byte {error.start}")
    return None


def _type_fault(value: bytes, message: str) -> Fault:
    """Tell a missing field from one of the wrong type, on the parsed value itself."""
    try:
        parsed = _ANY_DECODER.decode(value)
    except msgspec.ValidationError:
        # JSON, but with a number that no float64 holds.
        parsed = None
    except ValueError as error:
        return Fault("malformed_json", _words(error))
    if isinstance(parsed, dict):
        for name in _REQUIRED:
            if name not in parsed:
                return Fault("missing_field", f"{name} is missing")
    return Fault("wrong_type", ascii(message)[1:-1])


def _check(key: bytes, click: ClickValue, codes: Mapping[str | None, int]) -> ClickFields | Fault:
    fault = id_fault("user_id", click.user_id) or id_fault("item_id", click.item_id)
    if fault is None and click.event_id is not None:
        fault = id_fault("event_id", click.event_id)
    if fault is None and click.list_id is not None:
        fault = id_fault("list_id", click.list_id)
    if fault is not None:
        return fault
    if key != click.user_id.encode():
        return Fault("key_mismatch", "the record's key is not its user_id")
    code = codes.get(click.event)
    if code is None:
        return unknown_event(str(click.event))
    time = _seconds(click.timestamp)
    if isinstance(time, Fault):
        return time
    return ClickFields(
        click.user_id,
        click.item_id,
        time,
        code,
        click.event_id,
        list_id=click.list_id,
        list_position=click.list_position or 0,
    )


def _seconds(timestamp: float | str) -> float | Fault:
    reason = "bad_timestamp"
    if isinstance(timestamp, str):
        time = parse_iso(timestamp)
        if time is None:
            return Fault(
                reason,
                f"timestamp {quoted(timestamp)} is no ISO-8601 time: send seconds since the epoch "
                "as a number, or text like 2017-10-01T03:00:00Z",
            )
    else:
        try:
            time = float(timestamp)
        except OverflowError:
            return Fault(reason, "timestamp is too large a number")
    if time < 0:
        return Fault(reason, "timestamp lies before 1970")
    # Adding zero turns -0.0 into 0.0.
    return time + 0.0


def is_too_deep(value: bytes) -> bool:
    """Return whether JSON is nested deeper than `MAX_NESTING` levels."""
    # No value is nested deeper than it has brackets, which are quicker to count.
    brackets = value.count(b"{") + value.count(b"[")
    return brackets > MAX_NESTING and nesting(value) > MAX_NESTING


def nesting(value: bytes) -> int:
    """Return how deep brackets nest outside strings.

    Examples
    --------
    >>> nesting(b'{"a": [1, "[[["]}')
    2
    """
    depth = deepest = 0
    for bracket in _BRACKETS.findall(_STRING.sub(b"", value)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _words(error: ValueError) -> str:
    return ascii(str(error))[1:-1][:200]

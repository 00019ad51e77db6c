"""Reading of JSON lines."""

import json
from pathlib import Path

import pytest

from stream.events.clicks.bad_record import Fault
from stream.events.clicks.fields import read_click
from stream.events.files.reading import EventFile
from tests.stream.events.files.event_files import error_of, read, rows_of, skipped

EVENT = {"user_id": "u", "item_id": "i", "timestamp": 1, "event_id": "e"}


def nested(depth: int) -> str:
    """Return an event in which brackets nest so deep."""
    inner = "[" * (depth - 1) + "]" * (depth - 1)
    return f'{{"user_id":"u","item_id":"i","timestamp":1,"note":{inner}}}'


def test_json_nests_64_deep(tmp_path: Path) -> None:
    """In fields that nobody reads too, and as on the topic."""
    path = tmp_path / "events.jsonl"
    path.write_text(nested(64) + "\n")
    assert skipped(path) == {}
    assert not isinstance(read_click(b"u", nested(64).encode(), {None: 0}), Fault)
    path.write_text(nested(65) + "\n")
    assert skipped(path) == {"malformed_json": 1}
    assert isinstance(read_click(b"u", nested(65).encode(), {None: 0}), Fault)


def test_the_limit_of_a_record_is_none_of_a_line(tmp_path: Path) -> None:
    """What a line holds besides the event never reaches the topic."""
    path = tmp_path / "events.jsonl"
    event = {**EVENT, "note": "x" * 20_000}
    path.write_text(json.dumps(event) + "\n")
    assert skipped(path) == {}


def test_whole_numbers_are_ids_in_json_lines(tmp_path: Path) -> None:
    """They read like their text in a CSV file."""
    path = tmp_path / "events.jsonl"
    path.write_text('{"user_id":12,"item_id":-3,"timestamp":5,"event_id":7}\n')
    assert read(path) == [("12", "-3", 5.0, None, "7")]


BAD_JSON_LINES = {
    "{": ("malformed_json", "truncated"),
    '{"user_id":"u"} {}': ("malformed_json", "trailing"),
    "[]": ("wrong_type", "object"),
    '{"user_id":"u","item_id":"i"}': ("missing_field", "no column timestamp"),
    '{"user_id":1.5,"item_id":"i","timestamp":1}': ("wrong_type", "$.user_id"),
    '{"user_id":"","item_id":"i","timestamp":1}': ("id_length", "user id is empty"),
    '{"user_id":"u","item_id":"i","timestamp":1e999}': ("wrong_type", "out of range"),
    '{"user_id":"u","item_id":"\udcff","timestamp":1}': ("not_utf8", "not UTF-8"),
    '{"user_id":"u","item_id":"\\ud800","timestamp":1}': ("malformed_json", "surrogate"),
    '{"user_id":"u","item_id":"i","timestamp":' + "[" * 5000: ("malformed_json", "nested"),
    '{"x":' + "[" * 5000: ("malformed_json", "recursion"),
    '{"user_id":"u","item_id":"i","timestamp":1,"event":"fly"}': ("unknown_event", "'fly'"),
    "\x00\x01\x02": ("malformed_json", "malformed"),
}


@pytest.mark.parametrize("bad", BAD_JSON_LINES)
def test_bad_json_lines_are_named_by_line(tmp_path: Path, bad: str) -> None:
    """Blank lines count too."""
    path = tmp_path / "events.jsonl"
    good = '{"user_id":"u","item_id":"i","timestamp":1}\n'
    filler = "\n" + good * 600
    text = good + filler * 30 + "\n" + bad + "\n" + good
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    reason, words = BAD_JSON_LINES[bad]
    error = error_of(path)
    assert error.line == 3 + 601 * 30
    assert words in error.reason
    file = EventFile(path, on_bad="skip", batch_rows=7)
    assert len(rows_of(list(file.read()))) == 18_002
    assert file.skipped == {reason: 1}

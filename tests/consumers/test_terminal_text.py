"""What may reach a terminal: letters, digits, signs and plain spaces."""

import json
import logging

import pytest

from consumers.runtime.log_output import JsonFormatter, TextFormatter
from consumers.terminal_text import printable, printable_json, printable_lines

NASTY = "a\x1b[2J\x9b31m\u202e\u2066\r\n\x07\x7f\u2028\ud800\U000e0001é"
"""Clears the screen, colours, turns around, breaks lines, rings, is no Unicode, and an é."""


def harmless(text: str) -> bool:
    return all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize("most", [1, 5, 40])
def test_cut_text_is_never_longer(most: int) -> None:
    """Escapes count as what they take on the screen."""
    assert len(printable(NASTY * 20, most)) == most + 1


def test_every_character_that_does_something_is_shown_instead() -> None:
    """What only looks like something stays."""
    assert printable(NASTY).isprintable()
    assert printable(NASTY).endswith("é")
    assert printable("né\u4e2d☕") == "né\u4e2d☕"
    assert harmless(printable_lines(NASTY))
    assert printable_lines(NASTY).count("\n") == 1


def test_json_stays_what_it_means() -> None:
    """Whatever reads it gets the same text back."""
    text = json.dumps({NASTY: [NASTY]}, ensure_ascii=False, indent=1)
    assert harmless(printable_json(text))
    assert json.loads(printable_json(text)) == {NASTY: [NASTY]}
    assert "é" in printable_json(text)


@pytest.mark.parametrize("formatter", [TextFormatter("%(message)s"), JsonFormatter("ingest")])
def test_messages_of_roles_are_one_harmless_line(formatter: logging.Formatter) -> None:
    """Whatever the ids that they name."""
    record = logging.makeLogRecord({"msg": "user %s", "args": (NASTY,)})
    assert formatter.format(record).isprintable()


def test_a_traceback_keeps_its_lines() -> None:
    """And its last line is as harmless as any other."""
    error = ValueError(NASTY)
    record = logging.makeLogRecord({"msg": "failed", "exc_info": (ValueError, error, None)})
    shown = TextFormatter("%(message)s").format(record)
    assert harmless(shown)
    assert shown.startswith("failed\n")
    assert "ValueError: a\\x1b[2J" in shown

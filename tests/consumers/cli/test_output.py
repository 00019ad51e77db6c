"""Data goes to standard output, messages go to standard error, and both are harmless."""

import json

import pytest

from consumers.cli.output import print_json, print_table, say, say_skipped


def test_messages_keep_away_from_data(capsys: pytest.CaptureFixture[str]) -> None:
    """A program that reads standard output never sees them."""
    say("two\nlines")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "two\nlines\n")


def test_skipped_rows_are_counted_by_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """With examples; nothing is said of none."""
    say_skipped({}, [])
    say_skipped({"time": 1}, ["c.csv, line 3"])
    say_skipped({"user": 2, "time": 1000}, [])
    assert capsys.readouterr().err.splitlines() == [
        "skipped 1 bad row: 1 time",
        "  c.csv, line 3",
        "skipped 1,002 bad rows: 1,000 time, 2 user",
    ]


def test_numbers_stand_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    """In as few digits as tell them apart; a column with any text stands to the left."""
    print_table(
        ("item", "score", "note"), [("a", 0.123456, 1), ("bcd", 12345.6, "x"), ("é", 7, "")]
    )
    assert capsys.readouterr().out.splitlines() == [
        "item   score  note",
        "a     0.1235  1",
        "bcd   12,346  x",
        "é          7",
    ]


def test_an_empty_table_is_its_header(capsys: pytest.CaptureFixture[str]) -> None:
    """So that it is seen that there is nothing."""
    print_table(("item", "score"), [])
    assert capsys.readouterr().out == "item  score\n"


@pytest.mark.parametrize("only_ascii", [False, True])
def test_json_means_the_same_and_moves_no_cursor(
    capsys: pytest.CaptureFixture[str], *, only_ascii: bool
) -> None:
    """Whatever ids hold."""
    value = {"item": "té\x1b[2J\u202e", "score": 0.5}
    print_json(value, only_ascii=only_ascii)
    out = capsys.readouterr().out
    assert json.loads(out) == value
    assert all(character.isprintable() or character == "\n" for character in out)
    assert out.isascii() == only_ascii


def test_columns_are_aligned_as_a_terminal_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    """Wide characters take two places, marks on letters none."""
    print_table(("item", "n"), [("茶", 1), ("tea", 2), ("cafe\u0301", 3)])
    assert capsys.readouterr().out == "item  n\n茶    1\ntea   2\ncafe\u0301  3\n"

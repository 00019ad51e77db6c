"""Data on standard output, messages on standard error."""

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from consumers.terminal_text import printable, printable_json, printable_lines


def say(message: str) -> None:
    """Print a message for people; programs that read our data never see it."""
    sys.stderr.write(f"{printable_lines(message)}\n")
    sys.stderr.flush()


def say_skipped(counts: Mapping[str, int], examples: Sequence[str]) -> None:
    """Say how many bad rows were skipped, for which reasons, and show some; nothing for none."""
    total = sum(counts.values())
    if total:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items()))
        say(f"skipped {total:,} bad row{'s' * (total > 1)}: {reasons}")
    for example in examples:
        say(f"  {example}")


def print_json(value: Any, *, only_ascii: bool = False) -> None:
    """Print one value as JSON; `only_ascii` where it holds text that nobody has checked."""
    text = json.dumps(value, ensure_ascii=only_ascii, indent=1, default=str)
    sys.stdout.write(f"{printable_json(text)}\n")


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under a header, columns aligned; numbers to the right.

    Examples
    --------
    >>> print_table(("item", "clicks"), [("a", 10), ("bcd", 2)])
    item  clicks
    a         10
    bcd        2
    """
    materialised = list(rows)
    cells = [[_text(value) for value in row] for row in materialised]
    widths = [
        max(_width(title), *(_width(row[at]) for row in cells)) if cells else _width(title)
        for at, title in enumerate(header)
    ]
    right = [
        bool(materialised) and all(isinstance(row[at], int | float) for row in materialised)
        for at in range(len(header))
    ]
    for row in (list(header), *cells):
        line = "  ".join(
            _blanks(cell, width) + cell if to_right else cell + _blanks(cell, width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        sys.stdout.write(line.rstrip() + "\n")


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    marks = sum(unicodedata.combining(character) > 0 for character in text)
    return len(text) + wide - marks


def _blanks(text: str, width: int) -> str:
    return " " * (width - _width(text))


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004  # digits
    return printable(str(value))

r"""Text of others, made safe to print on a terminal.

Ids, titles, names of files and topics may hold anything. Printed raw, some characters move the
cursor, clear the screen, turn lines around or begin a line that looks like one of ours. All that
is no letter, digit, sign or plain space is shown as its escape sequence instead.
"""

import re
from typing import Final

SHOWN_TITLE: Final = 40
"""Characters of a title: a terminal has no room for more."""


def printable(text: str, most: int | None = None) -> str:
    r"""Return one line that is safe to print, cut after `most` characters.

    Examples
    --------
    >>> printable("tea\x1b[2J\u202e\n"), printable("abcdef", 3)
    ('tea\\x1b[2J\\u202e\\n', 'abc…')
    """
    cut = text if most is None else text[: most + 1]
    # Most text needs nothing done to it.
    shown = cut if cut.isprintable() else "".join(map(_escaped, cut))
    return shown if most is None or len(shown) <= most else f"{shown[:most]}…"


def item_name(item_id: str, title: str | None) -> str:
    """Return how people call an item, with its id, which commands take; safe to print.

    Examples
    --------
    >>> item_name("i1", None), item_name("i1", "Blue mug")
    ('i1', 'Blue mug (i1)')
    """
    shown = printable(item_id)
    return shown if title is None else f"{printable(title, SHOWN_TITLE)} ({shown})"


def printable_lines(text: str) -> str:
    r"""Return text that is safe to print, with its line breaks.

    Examples
    --------
    >>> printable_lines("tea\r\njam\x9b2J")
    'tea\\r\njam\\x9b2J'
    """
    return "\n".join(map(printable, text.split("\n")))


def printable_json(text: str) -> str:
    r"""Return JSON of the same meaning that is safe to print; line breaks stay.

    Examples
    --------
    >>> printable_json('["\x9b\u202e\U000e0001é"]')
    '["\\u009b\\u202e\\udb40\\udc01é"]'
    """
    return "\n".join(
        line if line.isprintable() else re.sub(r"\W", _json_escape, line)
        for line in text.split("\n")
    )


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode()


def _json_escape(found: re.Match[str]) -> str:
    character = found[0]
    if character.isprintable():
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))

r"""Titles of items as people may read them: one line, without what changes how others look.

Titles come from anywhere. Control characters move the cursor of a terminal, and marks that turn
the direction of writing change the text around them, on a page too.
"""

import re
import unicodedata
from typing import Final

# Blanks and line ends of every kind; of bytes 28 to 31 Python says that they are blanks.
_BLANKS: Final = re.compile(r"\s+")
# Letters of some scripts, and many emoji, are joined by these two.
_JOINERS: Final = "\u200c\u200d"
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def clean_title(text: str) -> str:
    r"""Return a title as one line: blanks and line ends become one blank, unseen characters go.

    Examples
    --------
    >>> clean_title(" Blue\n\tmug\x1b[2J \u202e(large)\0")
    'Blue mug[2J (large)'
    """
    line = _BLANKS.sub(" ", text).strip()
    return line if line.isprintable() else "".join(filter(_is_seen, line)).strip()


def shortened_title(text: str, most: int) -> str:
    """Return a title of at most `most` characters.

    Examples
    --------
    >>> shortened_title("Blue mug", 8), shortened_title("Blue mug, large", 9)
    ('Blue mug', 'Blue mug…')
    """
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _is_seen(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in _UNSEEN

"""Unchecked rows of a file of items, and the check that makes titles of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from stream.events.clicks.bad_record import Fault
from stream.events.clicks.fields import id_fault
from stream.events.files.title_text import clean_title, shortened_title


@dataclass(frozen=True, slots=True)
class TitleRows:
    """Rows as a format's reader found them; n rows.

    Parameters
    ----------
    lines
        n line (or row) numbers in the file, from 1.
    item_ids
        n strings, unchecked; "" where there is none.
    titles
        n strings, unchecked; None or "" where there is none.
    faults
        Row to what is already known to be wrong with it; its other values mean nothing.
    """

    lines: Sequence[int]
    item_ids: list[str]
    titles: Sequence[str | None]
    faults: dict[int, Fault] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)


@dataclass(slots=True)
class TitleCheck:
    """Turns rows of a file into items and their titles.

    Parameters
    ----------
    longest
        Characters of a title; what is longer is cut.

    Attributes
    ----------
    untitled, cut
        How many rows had no title, and how many titles were cut.
    """

    longest: int
    untitled: int = 0
    cut: int = 0

    def check(self, rows: TitleRows) -> tuple[list[tuple[str, str]], dict[int, Fault]]:
        """Return item and title of the rows that have one, and what is wrong with bad rows."""
        faults = dict(rows.faults)
        found = []
        for row, (item, text) in enumerate(zip(rows.item_ids, rows.titles, strict=True)):
            if row in faults:
                continue
            fault = id_fault("the item id", item) or _not_text(text)
            if fault is not None:
                faults[row] = fault
                continue
            title = clean_title(text or "")
            self.untitled += not title
            self.cut += len(title) > self.longest
            if title:
                found.append((item, shortened_title(title, self.longest)))
        return found, faults


def _not_text(text: str | None) -> Fault | None:
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        return Fault(
            "not_utf8", "the title is not UTF-8: save the file as such, as with iconv -t UTF-8"
        )
    return None

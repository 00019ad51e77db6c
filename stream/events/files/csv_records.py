"""Checks of single CSV records: their line numbers, their width, their faults."""

import csv
from collections.abc import Iterator, Sequence
from typing import Final

from stream.events.clicks.bad_record import Fault
from stream.events.files.csv_layout import BLANKS, LINE_END, CsvLayout

PLAIN_TEXT: Final = "if quotes are plain text in this file: --quoting none"
ROLE_WORDS: Final = {
    "user": "the user id",
    "item": "the item id",
    "timestamp": "the timestamp",
    "event": "the event",
    "event_id": "the event id",
}


def line_numbers(rows: list[list[str]], before: int, last: int) -> Sequence[int]:
    """Return the first line of each row, and of what follows the last one.

    Parameters
    ----------
    rows
        n rows.
    before
        The last line before them.
    last
        The last line that was read.
    """
    if last - before == len(rows):
        return range(before + 1, last + 2)
    numbers = [before + 1]
    for row in rows:
        inner = sum(len(LINE_END.findall(text)) for text in row)
        numbers.append(numbers[-1] + 1 + inner)
    return numbers


def fault_words(error: csv.Error) -> str:
    """Return what is wrong with a row that the parser refused, and what to do."""
    text = str(error)
    if "field limit" in text:
        return "a field has more than 1 MiB"
    if "expected after" in text:
        return f"text follows a closing quote ({text}): write such quotes twice; or {PLAIN_TEXT}"
    return f"{text}: a quote is opened and not closed; {PLAIN_TEXT}"


def line_end_fault(row: list[str], layout: CsvLayout) -> Fault | None:
    """Return what is wrong with a row if a cell that is read goes on over several lines."""
    for role, at in layout.positions.items():
        if at < len(row) and LINE_END.search(row[at]):
            return Fault("malformed_row", f"{ROLE_WORDS[role]} holds a line end; {PLAIN_TEXT}")
    return None


def fitted_rows(
    rows: list[list[str]], numbers: Sequence[int], faults: dict[int, Fault], layout: CsvLayout
) -> tuple[list[list[str]], list[int], dict[int, Fault]]:
    """Leave out blank lines, and make every row as wide as it should be, or bad.

    A delimiter at the end of some lines only makes an empty cell more, which means nothing.
    """
    kept = [row for row in range(len(rows)) if rows[row] or row in faults]
    found = {place: faults[row] for place, row in enumerate(kept) if row in faults}
    fitted = []
    for place, row in enumerate(rows[row] for row in kept):
        cells = _padded(row, layout)
        if len(cells) != layout.width:
            words = f"{len(row)} fields where the header has {layout.width}"
            words = f"{words}, cut at {layout.delimiter!r}"
            found.setdefault(place, Fault("malformed_row", words))
            cells = [""] * layout.width
        fitted.append(cells)
    return fitted, [numbers[row] for row in kept], found


def _padded(row: list[str], layout: CsvLayout) -> list[str]:
    """Return a row without empty cells too many, and with empty ones for columns without names."""
    if not layout.fits(row):
        return row
    return row[: layout.width] + [""] * (layout.width - len(row))


def until_quotes(blocks: Iterator[bytes], held: list[bytes]) -> Iterator[bytes]:
    """Pass blocks on until one has a quote, and hold that one."""
    for block in blocks:
        if b'"' in block:
            held.append(block)
            return
        yield block


def padding_of(delimiter: str) -> dict[bytes, list[bytes]]:
    """Return each blank to what a text holds where it is the first or the last of a cell."""
    blanks = [blank for blank in BLANKS if blank != delimiter]
    edges = [delimiter, '"', "\n", "\r"]
    return {
        blank.encode(): [pair.encode() for edge in edges for pair in (blank + edge, edge + blank)]
        for blank in blanks
    }


def is_padded(block: bytes, padding: dict[bytes, list[bytes]]) -> bool:
    """Return whether whole lines hold a cell that begins or ends with a blank; see `padding_of`."""
    blanks = tuple(padding)
    return (
        block.startswith(blanks)
        or block.endswith(blanks)
        or any(
            pair in block for blank, pairs in padding.items() if blank in block for pair in pairs
        )
    )

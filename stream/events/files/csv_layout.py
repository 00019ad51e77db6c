"""The layout of a CSV file: delimiter, quoting, and the columns of a row."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from stream.events.files.lines import MAX_LINE_BYTES
from stream.events.files.named_columns import NamedColumns
from stream.events.files.times import looks_like_time, resembles

if TYPE_CHECKING:
    from _csv import Reader

DELIMITERS: Final = (",", "\t", ";", "|", "::")
BLANKS: Final = " \t"
LINE_END: Final = re.compile(r"\r\n|\r|\n")
# Stands for a delimiter of two characters, which the parser does not know.
_UNIT_SEPARATOR: Final = "\x1f"

EnclosedBy: TypeAlias = Literal["standard", "none"]


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """Cells of a row of a CSV file: how many, cut by what, and which are read.

    Parameters
    ----------
    delimiter
        Between cells.
    width
        Cells of a row.
    positions
        Role to the position of its cell.
    named
        Cells up to the last one that has a name: what lies behind may be left out.
    time_format
        Of the timestamps, where the operator named one.
    """

    delimiter: str
    width: int
    positions: Mapping[str, int]
    named: int
    time_format: str | None = None

    def fits(self, cells: Sequence[str]) -> bool:
        """Return whether a row has all named cells, and none too many but empty ones."""
        return len(cells) >= self.named and not "".join(cells[self.width :]).strip(BLANKS)

    def looks_like_row(self, cells: Sequence[str], beside: str = "") -> bool:
        """Return whether cells could be a row: they fit, with ids and a time where those stand.

        Parameters
        ----------
        cells
            The cells.
        beside
            The time of a row nearby, which theirs then resembles.
        """
        if not self.fits(cells):
            return False
        ids = [cells[self.positions[role]].strip(BLANKS) for role in ("user", "item")]
        time = cells[self.positions["timestamp"]].strip(BLANKS)
        return all(ids) and looks_like_time(time, self.time_format) and resembles(time, beside)

    def hides_row(self, row: Sequence[str]) -> bool:
        """Return whether a cell of several lines holds lines that could be rows."""
        place = self.positions["timestamp"]
        beside = row[place] if place < len(row) else ""
        for at, cell in enumerate(row):
            parts = LINE_END.split(cell)[1:]
            if not parts:
                continue
            *inner, last = [part.split(sign_of(self.delimiter)) for part in parts]
            lines = [*inner, [*last, *row[at + 1 :]]]
            if any(self.looks_like_row(line, beside) for line in lines):
                return True
        return False


def lines_of(block: bytes, delimiter: str) -> Iterator[str]:
    """Cut a block into lines with their ends, and put a long delimiter's sign in its place."""
    text = block.decode("utf-8", "surrogateescape")
    if len(delimiter) > 1:
        text = text.replace(delimiter, _UNIT_SEPARATOR)
    return iter(StringIO(text, newline=""))


def sign_of(delimiter: str) -> str:
    """Return the one character that stands for a delimiter in `lines_of`."""
    return delimiter if len(delimiter) == 1 else _UNIT_SEPARATOR


def parser(lines: Iterator[str], delimiter: str, enclosing: EnclosedBy) -> "Reader":
    """Return the parser of lines; a blank after a delimiter does not hide a quote."""
    # The limit is one for the whole process, and lower than that of a line.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))
    return csv.reader(
        lines,
        delimiter=sign_of(delimiter),
        quoting=csv.QUOTE_MINIMAL if enclosing == "standard" else csv.QUOTE_NONE,
        strict=True,
        skipinitialspace=True,
    )


def find_delimiter(lines: Sequence[str], columns: NamedColumns, *, header: bool) -> str:
    """Return the delimiter that finds all columns in the header, else the most frequent one.

    Parameters
    ----------
    lines
        The first lines of the file.
    columns
        Which column is what.
    header
        Whether the first line names the columns.
    """
    first = lines[0] if lines else ""
    for delimiter in DELIMITERS if header else ():
        names = [name.strip(' "\r\n') for name in first.split(delimiter)]
        if columns.missing(names) is None:
            return delimiter

    def evidence(delimiter: str) -> tuple[bool, int]:
        counts = {line.count(delimiter) for line in lines}
        return len(counts) == 1 and counts != {0}, first.count(delimiter)

    return max(DELIMITERS, key=evidence)


def guess_enclosing(lines: Sequence[str], layout: CsvLayout) -> EnclosedBy:
    r"""Return whether quotes enclose cells, as the first lines that hold any tell.

    Plain text needs clear evidence: no row comes out well when quotes are taken as enclosing, all
    do when they are not, and no wanted cell holds one. Where tabs part cells, a quote within a
    cell that is not enclosed is evidence too.

    Parameters
    ----------
    lines
        Whole lines; a cell of several lines may go on past the last.
    layout
        What a row has.

    Examples
    --------
    >>> layout = CsvLayout("\t", 4, {"user": 0, "item": 1, "timestamp": 2}, named=4)
    >>> guess_enclosing(['u\ti\t1\t"Untitled\n', 'u\ti\t2\tSong\n'], layout)
    'none'
    >>> guess_enclosing(['u\ti\t1\t"two\n', 'lines"\n', 'u\ti\t2\tSong\n'], layout)
    'standard'
    """
    sign = sign_of(layout.delimiter)
    opened = re.compile(rf'(?:^|{re.escape(sign)})[{BLANKS}]*"')
    encloses = any(opened.search(line) for line in lines)
    if (encloses or layout.delimiter != "\t") and _enclosed_fits(lines, layout):
        return "standard"
    return "none" if _plain_fits(lines, layout) else "standard"


def _enclosed_fits(lines: Sequence[str], layout: CsvLayout) -> bool:
    rows = parser(iter(lines), layout.delimiter, "standard")
    start = 0
    try:
        for row in rows:
            if row and (not layout.fits(row) or layout.hides_row(row)):
                return False
            start = rows.line_num
    except csv.Error:
        if rows.line_num < len(lines):
            return False
        # A cell that is open at the end may be closed in the next block.
        cut = (line.rstrip("\r\n").split(sign_of(layout.delimiter)) for line in lines[start + 1 :])
        return start + 1 < len(lines) and not any(map(layout.looks_like_row, cut))
    return True


def _plain_fits(lines: Sequence[str], layout: CsvLayout) -> bool:
    for row in parser(iter(lines), layout.delimiter, "none"):
        if row and (
            not layout.fits(row) or any('"' in row[at] for at in layout.positions.values())
        ):
            return False
    return True

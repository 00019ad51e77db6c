"""Rows of CSV and its kin (tabs, semicolons, bars)."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from stream.errors import EventFileError
from stream.events.bad_record import Fault
from stream.events.columns import UNITS_PER_SECOND, Columns
from stream.events.file_rows import FileRows

if TYPE_CHECKING:
    from _csv import Reader

_DELIMITERS: Final = (",", "\t", ";", "|")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")


def read_csv(
    path: str, text: Iterable[bytes], columns: Columns, batch_rows: int
) -> Iterator[FileRows]:
    """Read CSV with a header; quoted fields may hold delimiters and line ends.

    Parameters
    ----------
    path
        The file, for error messages.
    text
        Blocks of whole lines, UTF-8; bytes that are not are marked, and found by the row check.
    columns
        Which column is what.
    batch_rows
        Rows per batch.

    Raises
    ------
    EventFileError
        A column is missing, or a quoted field does not end.
    """
    per_second = UNITS_PER_SECOND[columns.timestamp_unit]
    lines = _lines(text)
    first = next(lines, "")
    reader = csv.reader(chain([first], lines), delimiter=_delimiter(first, columns), strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        positions = _positions(path, names, columns)
        while True:
            line = reader.line_num
            rows, error = _take(reader, batch_rows)
            if error is None and not rows:
                return
            numbers = _line_numbers(rows, line, reader.line_num)
            faults: dict[int, Fault] = {}
            if error is not None:
                _refuse_unclosed(path, numbers, reader.line_num, error)
                faults[len(rows)] = Fault("malformed_row", str(error))
                rows.append([])
            yield _file_rows(rows, numbers, faults, len(names), positions, per_second)
    except csv.Error as error:
        raise EventFileError(path, f"the header is no CSV ({error})", line=1) from error
    except EventFileError as error:
        if error.line is not None:
            raise
        raise EventFileError(path, error.reason, line=reader.line_num) from error


def _lines(text: Iterable[bytes]) -> Iterator[str]:
    for block in text:
        yield from StringIO(block.decode("utf-8", "surrogateescape"), newline="")


def _delimiter(header: str, columns: Columns) -> str:
    """Return the delimiter that finds all columns in the header, else the most frequent one."""
    for delimiter in _DELIMITERS:
        names = [name.strip(' "\r\n') for name in header.split(delimiter)]
        if columns.missing(names) is None:
            return delimiter
    return max(_DELIMITERS, key=header.count)


def _positions(path: str, names: Sequence[str], columns: Columns) -> dict[str, int]:
    """Return role to position in the header."""
    missing = columns.missing(names)
    if missing is not None:
        raise EventFileError(path, f"the header has {missing}", line=1)
    positions: dict[str, int] = {}
    for role, name in columns.names.items():
        if names.count(name) > 1:
            raise EventFileError(path, f"the header has column {name} twice", line=1)
        if name in names:
            positions[role] = names.index(name)
    return positions


def _take(reader: "Reader", count: int) -> tuple[list[list[str]], csv.Error | None]:
    """Return the next rows, up to `count` or up to what is no CSV."""
    rows: list[list[str]] = []
    try:
        for row in islice(reader, count):
            rows.append(row)  # noqa: PERF402 - keeps the rows before an error
    except csv.Error as error:
        return rows, error
    return rows, None


def _line_numbers(rows: list[list[str]], before: int, last: int) -> Sequence[int]:
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
        inner = sum(len(_LINE_END.findall(text)) for text in row)
        numbers.append(numbers[-1] + 1 + inner)
    return numbers


def _refuse_unclosed(path: str, numbers: Sequence[int], last: int, error: csv.Error) -> None:
    """Refuse a file with a quoted field that swallowed lines: those cannot be told apart."""
    if last > numbers[-1]:
        raise EventFileError(
            path, f"a quote is opened and not closed ({error}): repair the row", line=numbers[-1]
        ) from error


def _file_rows(
    rows: list[list[str]],
    numbers: Sequence[int],
    faults: dict[int, Fault],
    width: int,
    positions: dict[str, int],
    per_second: float,
) -> FileRows:
    if faults or set(map(len, rows)) != {width}:
        kept = [row for row in range(len(rows)) if rows[row] or row in faults]
        numbers = [numbers[row] for row in kept]
        faults = {place: faults[row] for place, row in enumerate(kept) if row in faults}
        rows = [rows[row] for row in kept]
        for place, row in enumerate(rows):
            if len(row) != width:
                words = f"{len(row)} fields where the header has {width}"
                faults.setdefault(place, Fault("malformed_row", words))
                rows[place] = [""] * width
    columns: dict[str, list[str]] = {
        role: [row[position] for row in rows] for role, position in positions.items()
    }
    absent: list[str | None] = [None] * len(rows)
    return FileRows(
        lines=numbers[: len(rows)],
        user_ids=columns["user"],
        item_ids=columns["item"],
        timestamps=columns["timestamp"],
        events=list(columns["event"]) if "event" in columns else absent,
        event_ids=list(columns["event_id"]) if "event_id" in columns else absent,
        faults=faults,
        per_second=per_second,
    )

"""Reader of items in CSV, cut by commas, tabs, semicolons, bars or double colons."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final

from stream.errors import EventFileError
from stream.events.clicks.bad_record import Fault
from stream.events.files.csv_header import named_positions, positions_by_number
from stream.events.files.csv_layout import (
    BLANKS,
    LINE_END,
    CsvLayout,
    EnclosedBy,
    find_delimiter,
    lines_of,
    parser,
    sign_of,
)
from stream.events.files.csv_records import PLAIN_TEXT, fault_words, fitted_rows, line_numbers
from stream.events.files.dialect import FileDialect
from stream.events.files.named_columns import shown_name
from stream.events.files.rows import take_rows
from stream.events.files.title_columns import TitleColumns
from stream.events.files.title_rows import TitleRows

if TYPE_CHECKING:
    from _csv import Reader

_SAMPLE_LINES: Final = 20
_SAMPLE_BYTES: Final = 64 * 1024
_SHOWN: Final = 8
_NUMBERED: Final = "--column item=N --column title=N"


class TitleCsv:
    """One reading of a CSV file of items; quoted titles may hold delimiters and line ends.

    Parameters
    ----------
    path
        The file, for error messages.
    columns
        Which column is what.
    dialect
        What is known of the header and of quotes; "auto" means that these enclose fields.
    batch_rows
        Rows per batch.
    """

    def __init__(
        self, path: str, columns: TitleColumns, dialect: FileDialect, batch_rows: int
    ) -> None:
        self._path = path
        self._columns = columns
        self._dialect = dialect
        self._batch_rows = batch_rows

    def read(self, text: Iterable[bytes]) -> Iterator[TitleRows]:
        """Read blocks of whole lines, UTF-8; bytes that are not are marked for the row check.

        Raises
        ------
        EventFileError
            A column is missing, or a quoted field does not end, or hides rows.
        """
        blocks = iter(text)
        first = next(blocks, b"")
        sample = first[: first.find(b"\n", _SAMPLE_BYTES) + 1 or None]
        header = self._dialect.header is not False
        lines = [line for line in sample.decode("utf-8", "replace").splitlines() if line]
        delimiter = find_delimiter(lines[:_SAMPLE_LINES], self._columns, header=header)
        plain = self._dialect.quoting == "none" or delimiter == "::"
        enclosing: EnclosedBy = "none" if plain else "standard"
        layout = self._layout(sample, delimiter, enclosing)
        whole = (line for block in chain([first], blocks) for line in lines_of(block, delimiter))
        reader = parser(whole, delimiter, enclosing)
        if header:
            next(reader, None)
        yield from self._batches(reader, layout)

    def _layout(self, sample: bytes, delimiter: str, enclosing: EnclosedBy) -> CsvLayout:
        """Find the columns in the first line."""
        try:
            first = next(parser(lines_of(sample, delimiter), delimiter, enclosing), [])
        except csv.Error as error:
            raise EventFileError(
                self._path, f"the header is no CSV ({error}); {PLAIN_TEXT}", line=1
            ) from error
        names = [name.strip(BLANKS) for name in first]
        if self._dialect.header is False:
            return CsvLayout(delimiter, len(names), self._numbered(names), named=len(names))
        positions = named_positions(
            self._path,
            names,
            self._columns,
            f". Where the first line is an item: --no-header and {_NUMBERED}, numbered from 1",
        )
        named = max(at for at, name in enumerate(names, 1) if name)
        return CsvLayout(delimiter, len(names), positions, named=named)

    def _numbered(self, cells: Sequence[str]) -> dict[str, int]:
        """Return role to position, as the operator numbers columns from 1."""
        shown = ", ".join(f"{at}: {shown_name(cell)}" for at, cell in enumerate(cells[:_SHOWN], 1))
        advice = f"The first line's cells are {shown}: --no-header {_NUMBERED}"
        return positions_by_number(self._path, self._columns.names, len(cells), advice)

    def _batches(self, reader: "Reader", layout: CsvLayout) -> Iterator[TitleRows]:
        while True:
            before = reader.line_num
            rows, error = take_rows(reader, self._batch_rows, csv.Error, EventFileError)
            if error is None and not rows:
                return
            numbers = line_numbers(rows, before, reader.line_num)
            faults: dict[int, Fault] = {}
            damage = self._hidden(rows, numbers, layout)
            if damage is not None and damage.line is not None:
                rows = rows[: numbers.index(damage.line)]
            elif isinstance(error, csv.Error) and reader.line_num > numbers[len(rows)]:
                damage = EventFileError(
                    self._path,
                    f"a quote is opened and not closed ({error}): repair the row; or {PLAIN_TEXT}",
                    line=numbers[len(rows)],
                )
            elif isinstance(error, csv.Error):
                faults[len(rows)] = Fault("malformed_row", fault_words(error))
                rows.append([])
            elif isinstance(error, EventFileError):
                where = error.line or numbers[len(rows)]
                damage = EventFileError(self._path, error.reason, line=where)
            if rows:
                yield _title_rows(rows, numbers, faults, layout)
            if damage is not None:
                raise damage

    def _hidden(
        self, rows: Sequence[Sequence[str]], numbers: Sequence[int], layout: CsvLayout
    ) -> EventFileError | None:
        """Return what to say of the first field that goes on over lines that look like rows."""
        if self._dialect.quoting != "auto" or isinstance(numbers, range):
            return None
        for place, row in enumerate(rows):
            count = numbers[place + 1] - numbers[place]
            if count > 1 and _hides_row(row, layout):
                return EventFileError(
                    self._path,
                    f"a quote opens a field of {count} lines, some of which look like rows: "
                    f"repair the quote; or {PLAIN_TEXT}; or if the field is meant so: "
                    "--quoting standard",
                    line=numbers[place],
                )
        return None


def _hides_row(row: Sequence[str], layout: CsvLayout) -> bool:
    """Return whether a cell of several lines holds lines with as many cells as a row."""
    sign = sign_of(layout.delimiter)
    for at, cell in enumerate(row):
        parts = LINE_END.split(cell)[1:]
        lines = [part.split(sign) for part in parts[:-1]]
        lines += [[*parts[-1].split(sign), *row[at + 1 :]]] if parts else []
        if any(len(line) > 1 and layout.fits(line) for line in lines):
            return True
    return False


def _title_rows(
    rows: list[list[str]], numbers: Sequence[int], faults: dict[int, Fault], layout: CsvLayout
) -> TitleRows:
    if faults or set(map(len, rows)) != {layout.width}:
        rows, numbers, faults = fitted_rows(rows, numbers, faults, layout)
    for place, row in enumerate(rows):
        if "\0" in row[layout.positions["item"]]:
            faults.setdefault(place, Fault("malformed_row", "holds zero bytes: damaged"))
    return TitleRows(
        numbers[: len(rows)],
        [row[layout.positions["item"]].strip(BLANKS) for row in rows],
        [row[layout.positions["title"]] for row in rows],
        faults,
    )

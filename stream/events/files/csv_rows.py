"""Reader of CSV files, cut by commas, tabs, semicolons, bars or double colons."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final

from stream.errors import EventFileError
from stream.events.clicks.bad_record import Fault
from stream.events.files.columns import Columns
from stream.events.files.csv_header import header_positions, numbered_positions
from stream.events.files.csv_layout import (
    BLANKS,
    CsvLayout,
    EnclosedBy,
    find_delimiter,
    guess_enclosing,
    lines_of,
    parser,
)
from stream.events.files.csv_records import (
    PLAIN_TEXT,
    ROLE_WORDS,
    fault_words,
    fitted_rows,
    is_padded,
    line_end_fault,
    line_numbers,
    padding_of,
    until_quotes,
)
from stream.events.files.dialect import FileDialect
from stream.events.files.rows import FileRows, take_rows

if TYPE_CHECKING:
    from _csv import Reader

_SAMPLE_LINES: Final = 20
_SAMPLE_BYTES: Final = 64 * 1024


def read_csv(
    path: str,
    text: Iterable[bytes],
    columns: Columns,
    dialect: FileDialect,
    say: Callable[[str], None],
    batch_rows: int,
) -> Iterator[FileRows]:
    """Read CSV; quoted fields may hold delimiters and, in columns that are not read, line ends.

    Parameters
    ----------
    path
        The file, for error messages.
    text
        Blocks of whole lines, UTF-8; bytes that are not are marked, and found by the row check.
    columns
        Which column is what.
    dialect
        What is known of the header and of quotes.
    say
        Is told what was guessed.
    batch_rows
        Rows per batch.

    Raises
    ------
    EventFileError
        A column is missing, or a quoted field does not end, or hides rows.
    """
    return _CsvFile(path, columns, dialect, say, batch_rows).read(iter(text))


class _CsvFile:
    """One reading of a file."""

    def __init__(
        self,
        path: str,
        columns: Columns,
        dialect: FileDialect,
        say: Callable[[str], None],
        batch_rows: int,
    ) -> None:
        self._path = path
        self._columns = columns
        self._dialect = dialect
        self._say = say
        self._batch_rows = batch_rows
        # What blocks were seen to hold, so that rows are searched only when they need to be.
        self._blanks = self._zeros = False
        self._guessed_plain = self._told_hidden = False
        self._line = 0

    def read(self, blocks: Iterator[bytes]) -> Iterator[FileRows]:
        """Read the whole file."""
        first = next(blocks, b"")
        sample = first[: first.find(b"\n", _SAMPLE_BYTES) + 1 or None]
        delimiter = self._delimiter(sample)
        layout = self._layout(sample, delimiter)
        waits_for_header = self._dialect.header is not False
        try:
            for enclosing, lines in self._parts(chain([first], blocks), layout):
                reader = parser(lines, layout.delimiter, enclosing)
                if waits_for_header and next(reader, None) is not None:
                    waits_for_header = False
                yield from self._batches(reader, layout)
        except EventFileError as error:
            if error.line is not None:
                raise
            raise EventFileError(self._path, error.reason, line=self._line + 1) from error

    def _delimiter(self, sample: bytes) -> str:
        lines = sample.decode("utf-8", "replace").splitlines()[:_SAMPLE_LINES]
        header = self._dialect.header is not False
        return find_delimiter([line for line in lines if line], self._columns, header=header)

    def _layout(self, sample: bytes, delimiter: str) -> CsvLayout:
        """Find the columns in the first lines."""
        enclosing: EnclosedBy = "none" if self._dialect.quoting == "none" else "standard"
        rows = parser(lines_of(sample, delimiter), delimiter, enclosing)
        try:
            first = next(rows, [])
        except csv.Error as error:
            raise EventFileError(
                self._path, f"the header is no CSV ({error}); {PLAIN_TEXT}", line=1
            ) from error
        below, _ = take_rows(rows, _SAMPLE_LINES, csv.Error)
        time_format = self._dialect.time_format
        if self._dialect.header is False:
            positions = numbered_positions(self._path, [first, *below], self._columns, time_format)
        else:
            positions = header_positions(
                self._path,
                first,
                below,
                self._columns,
                sure=self._dialect.header is True,
                time_format=time_format,
            )
            names = [name.strip(BLANKS) for name in first]
            if (words := self._columns.unread_event(names)) is not None:
                self._say(f"{self._path}: {words}")
        named = max((at for at, name in enumerate(first, 1) if name.strip(BLANKS)), default=0)
        return CsvLayout(
            delimiter,
            len(first),
            positions,
            named=len(first) if self._dialect.header is False else named,
            time_format=time_format,
        )

    def _parts(
        self, blocks: Iterator[bytes], layout: CsvLayout
    ) -> Iterator[tuple[EnclosedBy, Iterator[str]]]:
        """Cut the file where its first quotes come, which tell how they are meant."""
        quoting = self._dialect.quoting
        if quoting != "auto" or layout.delimiter == "::":
            plain = quoting == "none" or layout.delimiter == "::"
            yield ("none" if plain else "standard"), self._lines(blocks, layout)
            return
        held: list[bytes] = []
        yield "none", self._lines(until_quotes(blocks, held), layout)
        if held:
            yield self._enclosing(held[0], layout), self._lines(chain(held, blocks), layout)

    def _lines(self, blocks: Iterable[bytes], layout: CsvLayout) -> Iterator[str]:
        padding = padding_of(layout.delimiter)
        for block in blocks:
            self._zeros = self._zeros or b"\0" in block
            self._blanks = self._blanks or is_padded(block, padding)
            yield from lines_of(block, layout.delimiter)

    def _enclosing(self, block: bytes, layout: CsvLayout) -> EnclosedBy:
        lines = list(lines_of(block, layout.delimiter))
        enclosing = guess_enclosing(lines, layout)
        if enclosing == "none":
            self._guessed_plain = True
            self._say(
                f"{self._path}: quotes are taken as plain text, like --quoting none; if they "
                "enclose fields: --quoting standard"
            )
        return enclosing

    def _batches(self, reader: "Reader", layout: CsvLayout) -> Iterator[FileRows]:
        start = self._line
        self._line = start + reader.line_num
        while True:
            before = self._line
            try:
                rows, error = take_rows(reader, self._batch_rows, csv.Error, EventFileError)
            finally:
                self._line = start + reader.line_num
            if error is None and not rows:
                return
            numbers = line_numbers(rows, before, self._line)
            faults: dict[int, Fault] = {}
            damage = error if isinstance(error, EventFileError) else None
            try:
                self._judge_long_cells(rows, numbers, layout, faults)
                if isinstance(error, csv.Error):
                    self._refuse_unclosed(numbers, error)
                    faults[len(rows)] = Fault("malformed_row", fault_words(error))
                    rows.append([])
            except EventFileError as found:
                damage = found
                rows = rows[: numbers.index(found.line)]
                faults = {place: fault for place, fault in faults.items() if place < len(rows)}
            if rows:
                yield self._file_rows(rows, numbers, faults, layout)
            if damage is not None:
                raise damage

    def _judge_long_cells(
        self,
        rows: list[list[str]],
        numbers: Sequence[int],
        layout: CsvLayout,
        faults: dict[int, Fault],
    ) -> None:
        """Refuse cells of several lines where they hide rows or are ids."""
        for place, row in enumerate(() if isinstance(numbers, range) else rows):
            count = numbers[place + 1] - numbers[place]
            if count <= 1:
                continue
            if layout.hides_row(row):
                self._refuse_hidden(numbers[place], count)
            if (fault := line_end_fault(row, layout)) is not None:
                faults[place] = fault

    def _refuse_hidden(self, line: int, count: int) -> None:
        """Refuse a field that hides rows, or tell of the first one where that is meant so."""
        words = f"a quote opens a field of {count} lines, some of which look like rows"
        if self._dialect.quoting == "standard":
            if not self._told_hidden:
                self._told_hidden = True
                words = f"{words}; as --quoting standard has it, they are not read"
                self._say(f"{self._path}, line {line}: {words}")
            return
        raise EventFileError(
            self._path,
            f"{words}: repair the quote; or {PLAIN_TEXT}; or if the field is meant so: "
            "--quoting standard",
            line=line,
        )

    def _refuse_unclosed(self, numbers: Sequence[int], error: csv.Error) -> None:
        """Refuse a file with a quoted field that swallowed lines: those cannot be told apart."""
        if self._line > numbers[-1]:
            raise EventFileError(
                self._path,
                f"a quote is opened and not closed ({error}): repair the row; or {PLAIN_TEXT}",
                line=numbers[-1],
            ) from error

    def _file_rows(
        self,
        rows: list[list[str]],
        numbers: Sequence[int],
        faults: dict[int, Fault],
        layout: CsvLayout,
    ) -> FileRows:
        if faults or set(map(len, rows)) != {layout.width}:
            rows, numbers, faults = fitted_rows(rows, numbers, faults, layout)
        columns = {role: self._column(rows, at) for role, at in layout.positions.items()}
        if self._zeros or self._guessed_plain:
            self._judge_signs(columns, rows, faults)
        absent: list[str | None] = [None] * len(rows)
        return FileRows(
            lines=numbers[: len(rows)],
            user_ids=columns["user"],
            item_ids=columns["item"],
            timestamps=columns["timestamp"],
            events=list(columns["event"]) if "event" in columns else absent,
            event_ids=list(columns["event_id"]) if "event_id" in columns else absent,
            faults=faults,
        )

    def _column(self, rows: list[list[str]], at: int) -> list[str]:
        if self._blanks:
            return [row[at].strip(BLANKS) for row in rows]
        return [row[at] for row in rows]

    def _judge_signs(
        self, columns: dict[str, list[str]], rows: list[list[str]], faults: dict[int, Fault]
    ) -> None:
        """Refuse rows with bytes that no text has, or with quotes where none were expected."""
        for place, row in enumerate(rows if self._zeros else ()):
            if any("\0" in cell for cell in row):
                faults.setdefault(place, Fault("malformed_row", "holds zero bytes: damaged"))
        for role, cells in columns.items():
            if self._guessed_plain and '"' in "".join(cells):
                words = f"{ROLE_WORDS[role]} holds a quote, and so far those were plain text"
                advice = "say --quoting none if all are, or --quoting standard"
                fault = Fault("malformed_row", f"{words}: {advice}")
                faults.update({place: fault for place, cell in enumerate(cells) if '"' in cell})

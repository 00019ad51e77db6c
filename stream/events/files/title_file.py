"""Reading of files of items (CSV, JSON lines, Parquet, also compressed) as item ids and titles."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, Protocol

from stream.errors import EventFileError
from stream.events.clicks.bad_record import Fault
from stream.events.files.dialect import FileDialect
from stream.events.files.input_file import InputFile
from stream.events.files.input_paths import found_format, input_files
from stream.events.files.json_lines import JsonLines
from stream.events.files.lines import whole_lines
from stream.events.files.reading import OnBad
from stream.events.files.title_columns import TitleColumns
from stream.events.files.title_csv import TitleCsv
from stream.events.files.title_rows import TitleCheck, TitleRows
from stream.events.files.unpacking import FileBytes

_EXAMPLES: Final = 10
_TYPES: Final = (("item", str | int), ("title", str | int | float | None, None))


class TitleFile:
    """Titles of items, of a file or of several that are read in their order.

    Files are found, unpacked and told apart like those of events (`EventFile`); memory does not
    grow with them.

    Parameters
    ----------
    paths
        Files, "-" for standard input, or directories.
    columns
        Which column is what.
    dialect
        What is known of how the files are written; only header and quotes matter.
    longest
        Characters of a title; what is longer is cut.
    on_bad
        What a bad row does: end the reading with an error, or be skipped and counted.
    batch_rows
        Rows per batch.

    Attributes
    ----------
    rows, untitled, cut
        How many rows were read in the latest reading, without bad ones; how many of them had no
        title and were left out; how many titles were cut.
    skipped
        Reason to count of the bad rows that were skipped.
    examples
        The first of these, as error messages with file and line.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        columns: TitleColumns | None = None,
        *,
        dialect: FileDialect | None = None,
        longest: int,
        on_bad: OnBad = "fail",
        batch_rows: int = 10_000,
    ) -> None:
        self._paths = list(paths)
        self._columns = columns or TitleColumns()
        self._dialect = dialect or FileDialect()
        self._on_bad = on_bad
        self._batch_rows = batch_rows
        self._check = TitleCheck(longest)
        self.rows = 0
        self.skipped: Counter[str] = Counter()
        self.examples: list[str] = []

    @property
    def name(self) -> str:
        """What the files are called in a message."""
        more = len(self._paths) - 1
        return InputFile(self._paths[0]).name + (f" and {more} more" if more else "")

    @property
    def untitled(self) -> int:
        """Rows without a title."""
        return self._check.untitled

    @property
    def cut(self) -> int:
        """Titles that were too long."""
        return self._check.cut

    def read(self) -> Iterator[list[tuple[str, str]]]:
        """Read items and titles in the order of the files, in batches that are not empty.

        Raises
        ------
        EventFileError
            A file cannot be read; or a row is bad and `on_bad` is "fail". Names the line.
        """
        self._check = TitleCheck(self._check.longest)
        self.rows = 0
        self.skipped.clear()
        self.examples.clear()
        for file in input_files(self._paths):
            for rows in self._rows(file):
                titled = self._checked(file, rows)
                if titled:
                    yield titled

    def _checked(self, file: InputFile, rows: TitleRows) -> list[tuple[str, str]]:
        """Return the rows that have a title; count the bad ones, or refuse the first."""
        found, faults = self._check.check(rows)
        for row, fault in sorted(faults.items()):
            bad = EventFileError(file.name, fault.detail, line=rows.lines[row])
            if self._on_bad == "fail":
                raise bad
            self.skipped[fault.reason] += 1
            if len(self.examples) < _EXAMPLES:
                self.examples.append(str(bad))
        self.rows += len(rows) - len(faults)
        return found

    def _rows(self, file: InputFile) -> Iterator[TitleRows]:
        source = FileBytes(file)
        blocks = iter(source)
        first = next(blocks, b"")
        kind = found_format(file, first, packed=source.packed)
        if kind != "csv" and self._dialect.header is False:
            raise EventFileError(
                file.name, f"names its columns, being {kind}: leave --no-header out"
            )
        if kind == "parquet":
            if not file.lasts:
                file.keep(chain([first], blocks))
            blocks.close()
            return _parquet_rows(file, self._columns, self._batch_rows)
        text = whole_lines(file.name, chain([first] if first else [], blocks))
        if kind == "jsonl":
            return self._json_rows(file.name, text)
        return TitleCsv(file.name, self._columns, self._dialect, self._batch_rows).read(text)

    def _json_rows(self, path: str, text: Iterator[bytes]) -> Iterator[TitleRows]:
        unread: _Row = _Unread()
        for batch in JsonLines(path, self._columns, _TYPES, unread).read(text, self._batch_rows):
            yield TitleRows(
                batch.numbers,
                [str(row.item) for row in batch.rows],
                [None if row.title is None else str(row.title) for row in batch.rows],
                batch.faults,
            )


class _Row(Protocol):
    """An item under any field names, as `_TYPES` has them."""

    item: str | int
    title: str | int | float | None


class _Unread:
    """Stands where a line could not be read."""

    item: str | int = ""
    title: str | int | float | None = None


def _parquet_rows(file: InputFile, columns: TitleColumns, batch_rows: int) -> Iterator[TitleRows]:
    # Costs a third of a second and tens of MiB, which only Parquet is worth.
    from stream.events.files.parquet_columns import (  # noqa: PLC0415 - see above
        ParquetColumns,
        is_id,
        texts,
    )

    def wanted(_role: str, kind: Any) -> str | None:
        return None if is_id(kind) else "text or whole numbers"

    for batch in ParquetColumns(file, columns, wanted).read(batch_rows):
        items, titles = (texts(batch.columns[role]) for role in ("item", "title"))
        name = batch.names["item"]
        yield TitleRows(
            range(batch.first, batch.first + batch.rows),
            [item or "" for item in items],
            titles,
            {
                row: Fault("missing_field", f"{name} is null")
                for row, item in enumerate(items)
                if item is None
            },
        )

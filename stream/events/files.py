"""Event files: CSV, JSON lines and Parquet, also compressed, as a stream of events."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

import numpy as np

from stream.errors import EventFileError
from stream.events.click import EventColumns, EventRules
from stream.events.click_times import refuse_future
from stream.events.columns import Columns
from stream.events.csv_rows import read_csv
from stream.events.file_bytes import FileBytes
from stream.events.file_rows import FileRows, RowCheck
from stream.events.file_text import whole_lines
from stream.events.jsonl_rows import read_jsonl

OnBad: TypeAlias = Literal["fail", "skip"]

FORMATS: Final[dict[str, str]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_COMPRESSED: Final = (".gz", ".zst", ".zstd")
_PARQUET: Final = b"PAR1"
_EXAMPLES: Final = 10


@dataclass(frozen=True, slots=True)
class FileSummary:
    """What a first look through a file found.

    Parameters
    ----------
    events
        How many there are, without skipped rows.
    first_time, last_time
        The least and the largest event time, seconds since the epoch; None: no events.
    sorted
        Whether times never decrease down the file.
    """

    events: int
    first_time: float | None
    last_time: float | None
    sorted: bool


class EventFile:
    """A file of events, read as a stream: memory does not grow with the file.

    The format follows from the name (`FORMATS`, before `.gz`, `.zst` or `.zstd`) and the first
    bytes; the compression from the first bytes alone.

    Parameters
    ----------
    path
        The file.
    columns
        Which column is what.
    rules
        Lists the event names.
    on_bad
        What a bad row does: end the reading with an error, or be skipped and counted.
    batch_rows
        Rows per batch.
    now
        Returns seconds since the epoch: an event later than this, by more than the rules allow, is
        a bad row. None: any time is good.

    Attributes
    ----------
    skipped
        Reason to count of the rows skipped in the latest reading.
    examples
        The first of these rows, as error messages with file and line.
    """

    def __init__(
        self,
        path: Path | str,
        columns: Columns | None = None,
        rules: EventRules | None = None,
        *,
        on_bad: OnBad = "fail",
        batch_rows: int = 10_000,
        now: Callable[[], float] | None = None,
    ) -> None:
        self.path = Path(path)
        self.columns = columns or Columns()
        self.on_bad = on_bad
        self.batch_rows = batch_rows
        self.skipped: Counter[str] = Counter()
        self.examples: list[str] = []
        self._now = now
        self._tolerance = (rules or EventRules()).future_tolerance_seconds
        self._check = RowCheck(rules or EventRules())
        self._source: _Progress = FileBytes(self.path)

    @property
    def progress(self) -> float:
        """How much of the file the latest reading has taken in, 0 to 1."""
        return self._source.position / self._source.size if self._source.size else 0.0

    def read(self) -> Iterator[EventColumns]:
        """Read the events in the order of the file, in batches that are not empty.

        Raises
        ------
        EventFileError
            The file cannot be read; or a row is bad and `on_bad` is "fail": what stands before it
            was yielded. Names the line.
        """
        self.skipped.clear()
        self.examples.clear()
        for rows in self._rows():
            events, faults = self._check.check(rows)
            if self._now is not None:
                events = refuse_future(events, faults, self._now(), self._tolerance)
            for row, fault in sorted(faults.items()):
                error = EventFileError(str(self.path), fault.detail, line=rows.lines[row])
                if self.on_bad == "fail":
                    if row:  # the rows before the first bad one are good
                        yield events.part(0, row)
                    raise error
                self.skipped[fault.reason] += 1
                if len(self.examples) < _EXAMPLES:
                    self.examples.append(str(error))
            if len(events):
                yield events

    def scan(self) -> FileSummary:
        """Read the whole file once to learn its size, its times and whether it is sorted."""
        count, ordered = 0, True
        first = last = previous = None
        for events in self.read():
            times = events.times
            low, high = float(times.min()), float(times.max())
            ordered = ordered and (previous is None or float(times[0]) >= previous)
            ordered = ordered and bool(np.all(times[1:] >= times[:-1]))
            previous = float(times[-1])
            first = low if first is None else min(first, low)
            last = high if last is None else max(last, high)
            count += len(events)
        return FileSummary(count, first, last, ordered)

    def _rows(self) -> Iterator[FileRows]:
        kind = self._format()
        if kind == "parquet":
            # Costs a third of a second and tens of MiB, which only Parquet is worth.
            from stream.events.parquet_rows import ParquetRows  # noqa: PLC0415 - see above

            parquet = ParquetRows(self.path, self.columns)
            self._source = parquet
            return parquet.read(self.batch_rows)
        source = FileBytes(self.path)
        self._source = source
        read = read_jsonl if kind == "jsonl" else read_csv
        path = str(self.path)
        return read(path, whole_lines(path, source), self.columns, self.batch_rows)

    def _format(self) -> str:
        """Return the format by name, else by content."""
        source = FileBytes(self.path)
        with closing(iter(source)) as blocks:
            start = next(blocks, b"").lstrip(b"\xef\xbb\xbf \t\r\n")
        name = self.path.name.lower()
        packed = name.endswith(_COMPRESSED)
        kind = FORMATS.get(Path(name).with_suffix("").suffix if packed else Path(name).suffix)
        if start.startswith(_PARQUET):
            kind = "parquet"
            if source.packed:
                raise EventFileError(
                    str(self.path), "is a Parquet file packed once more: unpack it first"
                )
        return kind or ("jsonl" if start.startswith(b"{") else "csv")


class _Progress(Protocol):
    """How far a reading is, in whatever unit."""

    size: int
    position: int

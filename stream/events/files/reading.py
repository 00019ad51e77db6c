"""Reading of event files (CSV, JSON lines, Parquet, also compressed) as a stream of events."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

import numpy as np

from stream.errors import EventFileError
from stream.events.clicks.event_columns import EventColumns
from stream.events.clicks.rules import EventRules
from stream.events.clicks.time_limits import refuse_future
from stream.events.files.columns import Columns
from stream.events.files.csv_rows import read_csv
from stream.events.files.dialect import FileDialect
from stream.events.files.input_file import InputFile
from stream.events.files.input_paths import found_format, input_files
from stream.events.files.jsonl_rows import read_jsonl
from stream.events.files.lines import whole_lines
from stream.events.files.rows import FileRows, RowCheck
from stream.events.files.time_units import UnclearTimesError
from stream.events.files.times import FileTimes, Timestamps
from stream.events.files.unpacking import FileBytes

OnBad: TypeAlias = Literal["fail", "skip"]

BAD_ROW_REMEDY: Final = "correct the row, or leave such rows out with --skip-bad"
_EXAMPLES: Final = 10
_LOGGER: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FileSummary:
    """Number, time span and order of the events of a file.

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
    """Events of a file, or of several that are parts of one log, read as a stream.

    Memory does not grow with the files. The format follows from the name (`FORMATS` of
    `stream.events.files.input_paths`, before `.gz`, `.zst` or `.zstd`) and the first bytes; the
    compression from the first bytes alone.

    Parameters
    ----------
    path
        The file; "-" for standard input; a directory for the event files in it, by name; or
        several of these, which are read in the order given.
    columns
        Which column is what.
    rules
        Lists the event names.
    dialect
        What is known of how the files are written.
    on_bad
        What a bad row does: end the reading with an error, or be skipped and counted.
    batch_rows
        Rows per batch.
    now
        Returns seconds since the epoch: an event later than this, by more than the rules allow, is
        a bad row. None: any time is good.

    Attributes
    ----------
    path
        The first of them, as messages name it.
    skipped
        Reason to count of the rows skipped in the latest reading.
    examples
        The first of these rows, as error messages with file and line.
    """

    def __init__(
        self,
        path: Path | str | Sequence[Path | str],
        columns: Columns | None = None,
        rules: EventRules | None = None,
        *,
        dialect: FileDialect | None = None,
        on_bad: OnBad = "fail",
        batch_rows: int = 10_000,
        now: Callable[[], float] | None = None,
    ) -> None:
        paths = [path] if isinstance(path, Path | str) else list(path)
        self._paths = list(map(Path, paths))
        self.path = Path(InputFile(self._paths[0]).name)
        self.columns = columns or Columns()
        self.dialect = dialect or FileDialect()
        self.on_bad = on_bad
        self.batch_rows = batch_rows
        self.skipped: Counter[str] = Counter()
        self.examples: list[str] = []
        self._now = now
        self._tolerance = (rules or EventRules()).future_tolerance_seconds
        self._said: set[str] = set()
        self._files: list[InputFile] = []
        self._check = RowCheck(
            rules or EventRules(), FileTimes(self.dialect, self._say, self._all_timestamps)
        )
        self._source: _Progress | None = None
        self._size = self._sizes_done = 0

    @property
    def name(self) -> str:
        """What the files are called in a report."""
        more = len(self._paths) - 1
        return self.path.name + (f" and {more} more" if more else "")

    @property
    def progress(self) -> float:
        """How much of the files the latest reading has taken in, 0 to 1."""
        source = self._source
        if source is None or not source.size:
            return 0.0
        share = source.position / source.size
        if len(self._files) == 1:
            return share
        size, total = self._size, sum(file.size for file in self._files)
        return (self._sizes_done + share * size) / total if total else 0.0

    def read(self) -> Iterator[EventColumns]:
        """Read the events in the order of the files, in batches that are not empty.

        Raises
        ------
        EventFileError
            A file cannot be read; or a row is bad and `on_bad` is "fail": what stands before it
            was yielded. Names the line.
        """
        self.skipped.clear()
        self.examples.clear()
        before = 0
        for file in self._inputs():
            self._sizes_done, self._size = before, file.size
            for rows in self._rows(file, follow=True):
                yield from self._checked(file, rows)
            before += file.size

    def scan(self) -> FileSummary:
        """Read all once to learn size, times and whether it is sorted; it can be read again."""
        for file in self._inputs():
            try:
                file.keep_if_needed()
            except OSError:
                continue  # reading says why
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

    def _say(self, words: str) -> None:
        """Tell the operator what was guessed, once in however many readings."""
        if words not in self._said:
            self._said.add(words)
            _LOGGER.warning("%s", words)

    def _inputs(self) -> list[InputFile]:
        self._files = self._files or input_files(self._paths)
        return self._files

    def _checked(self, file: InputFile, rows: FileRows) -> Iterator[EventColumns]:
        """Yield the good rows; count the bad ones, or refuse the first behind what is before it."""
        try:
            events, faults = self._check.check(rows)
        except UnclearTimesError as error:
            raise EventFileError(file.name, str(error), line=rows.lines[0]) from error
        if self._now is not None:
            events = refuse_future(events, faults, self._now(), self._tolerance)
        for row, fault in sorted(faults.items()):
            if self.on_bad == "fail":
                if row:  # the rows before the first bad one are good
                    yield events.part(0, row)
                raise EventFileError(
                    file.name, f"{fault.detail}: {BAD_ROW_REMEDY}", line=rows.lines[row]
                )
            self.skipped[fault.reason] += 1
            if len(self.examples) < _EXAMPLES:
                bad = EventFileError(file.name, fault.detail, line=rows.lines[row])
                self.examples.append(str(bad))
        if len(events):
            yield events

    def _all_timestamps(self) -> Iterator[Timestamps]:
        """Read the timestamps of all files from the start."""
        for file in self._inputs():
            if not file.lasts:
                raise UnclearTimesError(
                    "the order of day and month cannot be looked up in a pipe: say how to read "
                    "dates, such as --time-format '%d/%m/%Y %H:%M:%S' (or %m/%d/%Y)"
                )
            for rows in self._rows(file, follow=False):
                yield rows.timestamps

    def _rows(self, file: InputFile, *, follow: bool) -> Iterator[FileRows]:
        """Read a file; `follow`: progress is that of this reading."""
        source = FileBytes(file)
        blocks = iter(source)
        first = next(blocks, b"")
        kind = self._format(file, first, packed=source.packed)
        if kind == "parquet":
            if not file.lasts:
                file.keep(chain([first], blocks))
            blocks.close()
            # Costs a third of a second and tens of MiB, which only Parquet is worth.
            from stream.events.files.parquet_rows import ParquetRows  # noqa: PLC0415 - see above

            parquet = ParquetRows(file, self.columns, self._say)
            self._source = parquet if follow else self._source
            return parquet.read(self.batch_rows)
        self._source = source if follow else self._source
        text = whole_lines(file.name, chain([first] if first else [], blocks))
        if kind == "jsonl":
            return read_jsonl(file.name, text, self.columns, self._say, self.batch_rows)
        return read_csv(file.name, text, self.columns, self.dialect, self._say, self.batch_rows)

    def _format(self, file: InputFile, first: bytes, *, packed: bool) -> str:
        """Return the format; refuse options that do not go with it."""
        kind = found_format(file, first, packed=packed)
        if kind != "csv" and self.dialect.header is False:
            raise EventFileError(
                file.name, f"names its columns, being {kind}: leave --no-header out"
            )
        return kind


class _Progress(Protocol):
    """Progress of a reading: `position` of `size`, in any unit."""

    @property
    def size(self) -> int: ...

    @property
    def position(self) -> int: ...

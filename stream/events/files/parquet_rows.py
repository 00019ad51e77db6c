"""Reader of Parquet files: one event per row."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stream.events.clicks.bad_record import Fault
from stream.events.files.columns import Columns
from stream.events.files.input_file import InputFile
from stream.events.files.parquet_columns import (
    ParquetBatch,
    ParquetColumns,
    is_id,
    is_text,
    texts,
)
from stream.events.files.rows import FileRows
from stream.events.files.times import Timestamps


class ParquetRows:
    """Reads the events of a Parquet file batch by batch.

    Ids may be strings or whole numbers. Times may be whole or floating-point numbers, strings, or
    Parquet's own timestamps and dates; those know their unit, any other that is given does not
    count.

    Parameters
    ----------
    source
        The file.
    columns
        Which column is what.
    say
        Is told what is left out.
    """

    def __init__(self, source: InputFile, columns: Columns, say: Callable[[str], None]) -> None:
        def look(names: list[str]) -> None:
            if (words := columns.unread_event(names)) is not None:
                say(f"{source.name}: {words}")

        self._file = ParquetColumns(source, columns, _wanted, look)

    @property
    def size(self) -> int:
        """Rows of the file."""
        return self._file.size

    @property
    def position(self) -> int:
        """How many of them were read."""
        return self._file.position

    def read(self, batch_rows: int) -> Iterator[FileRows]:
        """Read batches of at most `batch_rows`.

        Raises
        ------
        EventFileError
            It cannot be read, is no Parquet, or a column is missing or of a useless type.
        """
        yield from map(_file_rows, self._file.read(batch_rows))


def _wanted(role: str, kind: Any) -> str | None:
    if role == "timestamp":
        return None if _is_time(kind) else "a number, a timestamp or text"
    return None if is_id(kind) else "text or whole numbers"


def _file_rows(batch: ParquetBatch) -> FileRows:
    columns = batch.columns
    faults: dict[int, Fault] = {}
    for role in ("timestamp", "item", "user"):
        if columns[role].null_count:
            for row in np.flatnonzero(columns[role].is_null()).tolist():
                faults[row] = Fault("missing_field", f"{batch.names[role]} is null")
    absent: list[str | None] = [None] * batch.rows
    kind = columns["timestamp"].type
    native = pa.types.is_timestamp(kind) or pa.types.is_date(kind)
    return FileRows(
        lines=range(batch.first, batch.first + batch.rows),
        user_ids=texts(columns["user"]),
        item_ids=texts(columns["item"]),
        timestamps=_seconds(columns["timestamp"]) if native else _times(columns["timestamp"]),
        events=texts(columns["event"]) if "event" in columns else absent,
        event_ids=texts(columns["event_id"]) if "event_id" in columns else absent,
        faults=faults,
        in_seconds=native,
    )


def _is_time(kind: Any) -> bool:
    types = pa.types
    return bool(
        is_text(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_timestamp(kind)
        or types.is_date(kind)
        or types.is_null(kind)
    )


def _seconds(array: Any) -> npt.NDArray[np.float64]:
    """Return Parquet's own times as seconds since the epoch; without a time zone they are UTC."""
    # Whole microseconds are exact in float64; finer parts are cut off.
    whole = pc.cast(pc.cast(array, pa.timestamp("us", _zone(array)), safe=False), pa.int64())
    seconds: npt.NDArray[np.float64] = whole.to_numpy(zero_copy_only=False) / 1e6
    return seconds


def _zone(array: Any) -> str | None:
    return array.type.tz if pa.types.is_timestamp(array.type) else None


def _times(array: Any) -> Timestamps:
    if is_text(array.type):
        return [text or "" for text in texts(array)]
    times: npt.NDArray[np.float64] = pc.cast(array, pa.float64(), safe=False).to_numpy(
        zero_copy_only=False
    )
    return times

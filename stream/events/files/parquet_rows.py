"""Reader of Parquet files."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stream.errors import EventFileError
from stream.events.clicks.bad_record import Fault
from stream.events.files.columns import Columns
from stream.events.files.input_file import InputFile, unreadable
from stream.events.files.rows import FileRows
from stream.events.files.times import Timestamps


class ParquetRows:
    """Reads a Parquet file batch by batch; memory grows with its row groups, not with the file.

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
        self._say = say
        self._source = source
        self._columns = columns
        self.size = 0
        self.position = 0

    def read(self, batch_rows: int) -> Iterator[FileRows]:
        """Read batches of at most `batch_rows`.

        Raises
        ------
        EventFileError
            It cannot be read, is no Parquet, or a column is missing or of a useless type.
        """
        path = self._source.name
        try:
            with self._source.open() as opened, pq.ParquetFile(opened) as file:
                self.size = file.metadata.num_rows
                self.position = 0
                present = self._present(file.schema_arrow)
                for batch in file.iter_batches(
                    batch_rows, columns=list(present.values()), use_threads=False
                ):
                    first = self.position + 1
                    self.position += len(batch)
                    yield self._file_rows(batch, first, present)
        except OSError as error:
            raise EventFileError(path, unreadable(error)) from error
        except pa.ArrowException as error:
            raise EventFileError(
                path,
                f"is damaged or no Parquet ({error}): fetch the file again",
                line=self.position + 1 if self.position else None,
            ) from error

    def _present(self, schema: Any) -> dict[str, str]:
        """Return role to column name, for the columns that are there and of a useful type."""
        path = self._source.name
        names: list[str] = schema.names
        twice = self._columns.doubled(names)
        if twice is not None:
            raise EventFileError(path, f"has column {twice} twice: rename one")
        missing = self._columns.missing(names)
        if missing is not None:
            raise EventFileError(path, f"has {missing}")
        if (words := self._columns.unread_event(names)) is not None:
            self._say(f"{path}: {words}")
        present = self._columns.within(names)
        for role, name in present.items():
            kind = schema.field(name).type
            if not (_is_time(kind) if role == "timestamp" else _is_id(kind)):
                wanted = (
                    "a number, a timestamp or text"
                    if role == "timestamp"
                    else ("text or whole numbers")
                )
                raise EventFileError(path, f"column {name} is {kind}, wanted {wanted}: convert it")
        return present

    def _file_rows(self, batch: Any, first: int, present: dict[str, str]) -> FileRows:
        """Convert one batch, the first row of which has the number `first`."""
        columns = {role: batch.column(name) for role, name in present.items()}
        faults: dict[int, Fault] = {}
        for role in ("timestamp", "item", "user"):
            if columns[role].null_count:
                for row in np.flatnonzero(columns[role].is_null()).tolist():
                    faults[row] = Fault("missing_field", f"{present[role]} is null")
        absent: list[str | None] = [None] * len(batch)
        kind = columns["timestamp"].type
        native = pa.types.is_timestamp(kind) or pa.types.is_date(kind)
        return FileRows(
            lines=range(first, first + len(batch)),
            user_ids=_texts(columns["user"]),
            item_ids=_texts(columns["item"]),
            timestamps=_seconds(columns["timestamp"]) if native else _times(columns["timestamp"]),
            events=_texts(columns["event"]) if "event" in columns else absent,
            event_ids=_texts(columns["event_id"]) if "event_id" in columns else absent,
            faults=faults,
            in_seconds=native,
        )


def _value_type(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: Any) -> bool:
    kind = _value_type(kind)
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)
    )


def _is_id(kind: Any) -> bool:
    # A column of nulls alone has its own type.
    return bool(_is_text(kind) or pa.types.is_integer(_value_type(kind)) or pa.types.is_null(kind))


def _is_time(kind: Any) -> bool:
    types = pa.types
    return bool(
        _is_text(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_timestamp(kind)
        or types.is_date(kind)
        or types.is_null(kind)
    )


def _texts(array: Any) -> list[Any]:
    """Return an id column as strings; a null is None, which optional columns may hold."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    texts: list[Any] = pc.cast(array, pa.string()).to_pylist()
    return texts


def _seconds(array: Any) -> npt.NDArray[np.float64]:
    """Return Parquet's own times as seconds since the epoch; without a time zone they are UTC."""
    # Whole microseconds are exact in float64; finer parts are cut off.
    whole = pc.cast(pc.cast(array, pa.timestamp("us", _zone(array)), safe=False), pa.int64())
    seconds: npt.NDArray[np.float64] = whole.to_numpy(zero_copy_only=False) / 1e6
    return seconds


def _zone(array: Any) -> str | None:
    return array.type.tz if pa.types.is_timestamp(array.type) else None


def _times(array: Any) -> Timestamps:
    if _is_text(array.type):
        return [text or "" for text in _texts(array)]
    times: npt.NDArray[np.float64] = pc.cast(array, pa.float64(), safe=False).to_numpy(
        zero_copy_only=False
    )
    return times

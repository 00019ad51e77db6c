"""Columns of a Parquet file by their roles, batch by batch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stream.errors import EventFileError
from stream.events.files.input_file import InputFile, unreadable
from stream.events.files.named_columns import NamedColumns


@dataclass(frozen=True, slots=True)
class ParquetBatch:
    """Some rows of a file.

    Parameters
    ----------
    first
        The number of the first row, from 1.
    rows
        How many there are.
    columns
        Role to an Arrow array, for the columns that are there.
    names
        Role to the column's name in the file.
    """

    first: int
    rows: int
    columns: dict[str, Any]
    names: dict[str, str]


class ParquetColumns:
    """Reads a Parquet file batch by batch; memory grows with its row groups, not with the file.

    Parameters
    ----------
    source
        The file.
    columns
        Which column is what.
    wanted
        Returns, for a role and a column's Arrow type, what the type should be instead; None where
        it is good.
    look
        Is told the names of all columns.

    Attributes
    ----------
    size, position
        Rows of the file, and how many of them were read.
    """

    def __init__(
        self,
        source: InputFile,
        columns: NamedColumns,
        wanted: Callable[[str, Any], str | None],
        look: Callable[[list[str]], None] = lambda _names: None,
    ) -> None:
        self._source = source
        self._columns = columns
        self._wanted = wanted
        self._look = look
        self.size = 0
        self.position = 0

    def read(self, batch_rows: int) -> Iterator[ParquetBatch]:
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
                names = self._present(file.schema_arrow)
                for batch in file.iter_batches(
                    batch_rows, columns=list(names.values()), use_threads=False
                ):
                    first = self.position + 1
                    self.position += len(batch)
                    columns = {role: batch.column(name) for role, name in names.items()}
                    yield ParquetBatch(first, len(batch), columns, names)
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
        self._look(names)
        present = self._columns.within(names)
        for role, name in present.items():
            kind = schema.field(name).type
            wanted = self._wanted(role, kind)
            if wanted is not None:
                raise EventFileError(path, f"column {name} is {kind}, wanted {wanted}: convert it")
        return present


def is_text(kind: Any) -> bool:
    """Return whether an Arrow type is text, be it in a dictionary."""
    kind = _value_type(kind)
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)
    )


def is_id(kind: Any) -> bool:
    """Return whether an Arrow type is text or whole numbers, be it in a dictionary."""
    # A column of nulls alone has its own type.
    return bool(is_text(kind) or pa.types.is_integer(_value_type(kind)) or pa.types.is_null(kind))


def texts(array: Any) -> list[Any]:
    """Return a column as strings; a null is None."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    found: list[Any] = pc.cast(array, pa.string()).to_pylist()
    return found


def _value_type(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind

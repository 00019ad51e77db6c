"""Lines of JSON, decoded as structs whose fields are roles: one object per line."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, Generic, TypeVar

import msgspec

from stream.errors import EventFileError
from stream.events.clicks.bad_record import Fault
from stream.events.clicks.fields import MAX_NESTING, TOO_DEEP, is_too_deep
from stream.events.files.named_columns import NamedColumns
from stream.events.files.rows import take_rows

Row = TypeVar("Row")

_ANY_DECODER: Final = msgspec.json.Decoder()
# Shorter lines have no room for as many brackets.
_DEEP_BYTES: Final = 2 * MAX_NESTING


@dataclass(frozen=True, slots=True)
class DecodedLines(Generic[Row]):
    """Lines that were decoded, without blank ones; n of them.

    Parameters
    ----------
    rows
        n structs; of no meaning where there is a fault.
    numbers
        n line numbers, from 1.
    faults
        Row to what is wrong with it.
    """

    rows: list[Row]
    numbers: list[int]
    faults: dict[int, Fault]


class JsonLines(Generic[Row]):
    """Reads JSON lines; unknown fields are ignored.

    Parameters
    ----------
    path
        The file, for error messages.
    columns
        Which field is what.
    types
        Role and type, and the default of what may be absent.
    unread
        Stands where a line could not be read.

    Attributes
    ----------
    names
        The field names of the first object, once a batch was read.
    """

    def __init__(
        self, path: str, columns: NamedColumns, types: Sequence[tuple[Any, ...]], unread: Row
    ) -> None:
        self._path = path
        self._columns = columns
        self._types = types
        self._unread = unread
        self.names: list[str] = []

    def read(self, text: Iterable[bytes], batch_rows: int) -> Iterator[DecodedLines[Row]]:
        """Yield the lines of blocks of whole lines, at most `batch_rows` at once.

        Raises
        ------
        EventFileError
            The file is damaged; what stands before that was yielded.
        """
        lines = chain.from_iterable(block.splitlines() for block in text)
        decoder: msgspec.json.Decoder[Row] | None = None
        first = 1
        while True:
            batch, damage = take_rows(lines, batch_rows, EventFileError)
            if batch:
                if decoder is None:
                    self.names = _first_names(batch)
                    decoder = msgspec.json.Decoder(self._row_type())
                yield self._decoded(batch, first, decoder)
                first += len(batch)
            if damage is not None:
                raise EventFileError(self._path, damage.reason, line=first) from damage
            if not batch:
                return

    def _row_type(self) -> type[Row]:
        """Return a struct that reads a row from the file's own field names."""
        columns = self._columns
        return msgspec.defstruct(  # type: ignore[return-value]  # made at run time, unseen by mypy
            "Row", self._types, rename={**columns.names, **columns.within(self.names)}, gc=False
        )

    def _decoded(
        self, lines: list[bytes], first: int, decoder: "msgspec.json.Decoder[Row]"
    ) -> DecodedLines[Row]:
        """Decode lines, the first of which has the number `first`."""
        rows: list[Row] = []
        numbers: list[int] = []
        faults: dict[int, Fault] = {}
        for number, line in enumerate(lines, first):
            try:
                row = decoder.decode(line)
                if len(line) > _DEEP_BYTES and is_too_deep(line):
                    faults[len(rows)] = TOO_DEEP
            except (ValueError, RecursionError) as error:
                if not line.strip():
                    continue
                faults[len(rows)] = _fault(line, error, self._columns)
                row = self._unread
            rows.append(row)
            numbers.append(number)
        return DecodedLines(rows, numbers, faults)


def _first_names(lines: list[bytes]) -> list[str]:
    """Return the field names of the first object."""
    for line in lines:
        try:
            found = _ANY_DECODER.decode(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return list(found)
    return []


def _fault(line: bytes, error: Exception, columns: NamedColumns) -> Fault:
    if isinstance(error, UnicodeDecodeError):
        return Fault("not_utf8", f"not UTF-8: {error.reason} at byte {error.start}")
    words = ascii(str(error))[1:-1][:200]
    if not isinstance(error, msgspec.ValidationError):
        return Fault("malformed_json", words)
    if is_too_deep(line):
        return TOO_DEEP
    try:
        parsed = _ANY_DECODER.decode(line)
    except msgspec.ValidationError:
        # JSON, but with a number that no float64 holds.
        return Fault("wrong_type", words)
    except ValueError as other:
        return Fault("malformed_json", ascii(str(other))[1:-1][:200])
    missing = columns.missing(list(parsed)) if isinstance(parsed, dict) else None
    return Fault("wrong_type", words) if missing is None else Fault("missing_field", missing)

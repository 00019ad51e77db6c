"""Reader of JSON lines: one object per line."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final, Protocol

import msgspec

from stream.errors import EventFileError
from stream.events.clicks.bad_record import Fault
from stream.events.clicks.fields import MAX_NESTING, TOO_DEEP, is_too_deep
from stream.events.files.columns import Columns
from stream.events.files.rows import FileRows, take_rows

_ANY_DECODER: Final = msgspec.json.Decoder()
# Shorter lines have no room for as many brackets.
_DEEP_BYTES: Final = 2 * MAX_NESTING


class _Row(Protocol):
    """An event under any field names: see `_row_type`."""

    user: str | int
    item: str | int
    timestamp: int | float | str
    event: str | None
    event_id: str | int | None


class _Unread:
    """Stands where a line could not be read."""

    user: str | int = ""
    item: str | int = ""
    timestamp: int | float | str = 0
    event: str | None = None
    event_id: str | int | None = None


def read_jsonl(
    path: str,
    text: Iterable[bytes],
    columns: Columns,
    say: Callable[[str], None],
    batch_rows: int,
) -> Iterator[FileRows]:
    """Read JSON lines; ids may be whole numbers, unknown fields are ignored.

    Parameters
    ----------
    path
        The file, for error messages.
    text
        Blocks of whole lines.
    columns
        Which field is what.
    say
        Is told what is left out.
    batch_rows
        Rows per batch.
    """
    lines = chain.from_iterable(block.splitlines() for block in text)
    decoder: msgspec.json.Decoder[_Row] | None = None
    first = 1
    while True:
        batch, damage = take_rows(lines, batch_rows, EventFileError)
        if batch:
            if decoder is None:
                names = _first_names(batch)
                decoder = msgspec.json.Decoder(_row_type(columns, names))
                if (words := columns.unread_event(names)) is not None:
                    say(f"{path}: {words}")
            yield _file_rows(batch, first, decoder, columns)
            first += len(batch)
        if damage is not None:
            raise EventFileError(path, damage.reason, line=first) from damage
        if not batch:
            return


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


def _row_type(columns: Columns, names: list[str]) -> type[_Row]:
    """Return a struct that reads `_Row` from the file's field names, which `names` show."""
    return msgspec.defstruct(  # type: ignore[return-value]  # made at run time, unseen by mypy
        "Row",
        [
            ("user", str | int),
            ("item", str | int),
            ("timestamp", int | float | str),
            ("event", str | None, None),
            ("event_id", str | int | None, None),
        ],
        rename={**columns.names, **columns.within(names)},
        gc=False,
    )


def _file_rows(
    lines: list[bytes], first: int, decoder: msgspec.json.Decoder[_Row], columns: Columns
) -> FileRows:
    """Decode lines, the first of which has the number `first`."""
    rows: list[_Row] = []
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
            faults[len(rows)] = _fault(line, error, columns)
            row = _Unread()
        rows.append(row)
        numbers.append(number)
    return FileRows(
        lines=numbers,
        user_ids=[str(row.user) for row in rows],
        item_ids=[str(row.item) for row in rows],
        timestamps=[row.timestamp for row in rows],
        events=[row.event for row in rows],
        event_ids=[None if row.event_id is None else str(row.event_id) for row in rows],
        faults=faults,
    )


def _fault(line: bytes, error: Exception, columns: Columns) -> Fault:
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

"""Reader of JSON lines: one event per line."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

from stream.events.files.columns import Columns
from stream.events.files.json_lines import DecodedLines, JsonLines
from stream.events.files.rows import FileRows

_TYPES: Final = (
    ("user", str | int),
    ("item", str | int),
    ("timestamp", int | float | str),
    ("event", str | None, None),
    ("event_id", str | int | None, None),
)


class _Row(Protocol):
    """An event under any field names, as `_TYPES` has them."""

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
    unread: _Row = _Unread()
    lines = JsonLines(path, columns, _TYPES, unread)
    said = False
    for batch in lines.read(text, batch_rows):
        if not said and (words := columns.unread_event(lines.names)) is not None:
            say(f"{path}: {words}")
        said = True
        yield _file_rows(batch)


def _file_rows(batch: DecodedLines[_Row]) -> FileRows:
    rows = batch.rows
    return FileRows(
        lines=batch.numbers,
        user_ids=[str(row.user) for row in rows],
        item_ids=[str(row.item) for row in rows],
        timestamps=[row.timestamp for row in rows],
        events=[row.event for row in rows],
        event_ids=[None if row.event_id is None else str(row.event_id) for row in rows],
        faults=batch.faults,
    )

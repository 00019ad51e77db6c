"""Positions of the columns of a CSV file, from its header or by number."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from stream.errors import EventFileError
from stream.events.files.columns import Columns
from stream.events.files.csv_layout import BLANKS
from stream.events.files.named_columns import NamedColumns, shown_name
from stream.events.files.times import looks_like_time

# `N55689-1 N35729-0 ...`: what was shown, and whether it was clicked.
_IMPRESSIONS: Final = re.compile(r"\S+-[01](?: \S+-[01])+")
_SHOWN: Final = 8
_PLAUSIBLE: Final = 6e8
"""1989: a number from here on, and not a small one, is more likely a time than an id."""


def header_positions(
    path: str,
    header: Sequence[str],
    below: Sequence[Sequence[str]],
    columns: Columns,
    *,
    sure: bool,
    time_format: str | None = None,
) -> dict[str, int]:
    """Return role to position, as the first line names them.

    Parameters
    ----------
    path
        The file, for error messages.
    header
        The cells of the first line.
    below
        The cells of the next ones.
    columns
        Which column is what.
    sure
        Whether the operator says that it is a header.
    time_format
        Of the timestamps, where the operator named one.

    Raises
    ------
    EventFileError
        A column is missing or there twice, or the line looks like a row.
    """
    names = [name.strip(BLANKS) for name in header]
    missing = columns.missing(names)
    if not sure and _is_row(names, columns, time_format, whole=missing is None):
        raise EventFileError(path, _no_header([names, *below], time_format), line=1)
    return named_positions(path, names, columns)


def named_positions(
    path: str, names: Sequence[str], columns: NamedColumns, advice: str = ""
) -> dict[str, int]:
    """Return role to position in a header; `advice` says what else may be where a column lacks.

    Raises
    ------
    EventFileError
        A column is missing or there twice.
    """
    missing = columns.missing(names)
    if missing is not None:
        raise EventFileError(path, f"the header has {missing}{advice}", line=1)
    twice = columns.doubled(names)
    if twice is not None:
        raise EventFileError(path, f"the header has column {twice} twice: rename one", line=1)
    return {role: names.index(name) for role, name in columns.within(names).items()}


def positions_by_number(
    path: str, numbers: Mapping[str, str], width: int, advice: str
) -> dict[str, int]:
    """Return role to position, by role to number from 1 in lines of `width` cells.

    Raises
    ------
    EventFileError
        There is no such number; `advice` says what would do.
    """
    for role, name in numbers.items():
        if not (name.isascii() and name.isdecimal() and 1 <= int(name) <= width):
            raise EventFileError(
                path,
                f"without a header columns go by number, from 1 to {width}, and {role} is "
                f"{shown_name(name)!r}. {advice}",
                line=1,
            )
    return {role: int(name) - 1 for role, name in numbers.items()}


def numbered_positions(
    path: str,
    first: Sequence[Sequence[str]],
    columns: Columns,
    time_format: str | None = None,
) -> dict[str, int]:
    """Return role to position, as the operator numbers them from 1.

    Parameters
    ----------
    path
        The file, for error messages.
    first
        The cells of the first lines.
    columns
        Numbers instead of names.
    time_format
        Of the timestamps, where the operator named one.

    Raises
    ------
    EventFileError
        A wanted column has no number, or there are fewer.
    """
    width = len(first[0]) if first else 0
    absent = columns.optional_defaults()
    numbers = {role: name for role, name in columns.names.items() if role not in absent}
    positions = positions_by_number(path, numbers, width, _advice(first, time_format))
    if any(_IMPRESSIONS.fullmatch(first[0][at]) for at in positions.values()):
        raise EventFileError(path, _advice(first, time_format), line=1)
    return positions


def _is_row(
    names: Sequence[str], columns: Columns, time_format: str | None, *, whole: bool
) -> bool:
    """Return whether a first line holds data.

    `whole`: all wanted columns are found in it; then only the time can tell, and columns that
    are numbered from 0 are no times.
    """
    if whole:
        at = columns.within(names)["timestamp"]
        numbers = [str(place) for place in range(len(names))]
        return _could_be_time(at, time_format) and list(names) != numbers
    has_time = any(_could_be_time(name, time_format) for name in names)
    return has_time and not any(map(columns.knows, names))


def _could_be_time(text: str, time_format: str | None) -> bool:
    """Return whether a text is a time, be it of another format than the operator named."""
    return looks_like_time(text, time_format) or looks_like_time(text)


def _no_header(rows: Sequence[Sequence[str]], time_format: str | None) -> str:
    return (
        "the first line looks like a row, so that the file has no header. "
        f"{_advice(rows, time_format)}. If it is a header after all: --header"
    )


def _advice(rows: Sequence[Sequence[str]], time_format: str | None) -> str:
    """Return which options would read these rows."""
    if not rows:
        return "The file has no line"
    first = rows[0]
    shown = ", ".join(f"{at}: {shown_name(cell)}" for at, cell in enumerate(first[:_SHOWN], 1))
    shown += ", ..." if len(first) > _SHOWN else ""
    if any(map(_IMPRESSIONS.fullmatch, first)):
        return (
            f"Its cells are {shown}, and one holds what was shown and clicked: make one row of "
            "each click first, see MIND in docs/events.md"
        )
    time = _time_column(rows, time_format)
    free = [at for at in range(1, len(first) + 1) if at != time]
    user, item = (*free, "N", "N")[:2]
    return (
        f"Its cells are {shown}; say so, and check which is which: --no-header --column "
        f"user={user} --column item={item} --column timestamp={time or 'N'}"
    )


def _time_column(rows: Sequence[Sequence[str]], time_format: str | None) -> int | None:
    """Return the number of the column that most likely holds times.

    That is one of the named format, else one of text, else one of large numbers.
    """
    full = [row for row in rows if len(row) == len(rows[0])]
    columns = list(enumerate(zip(*full, strict=True), 1))
    for at, cells in columns if time_format is not None else ():
        if all(looks_like_time(cell, time_format) for cell in cells):
            return at
    numbers = []
    for at, cells in columns:
        if not all(map(looks_like_time, cells)):
            continue
        try:
            if min(map(float, cells)) >= _PLAUSIBLE:
                numbers.append(at)
        except ValueError:
            return at
    return numbers[-1] if numbers else None

"""Data frames of any kind: into Arrow columns, and results back into the kind that came in."""

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any, Final

import narwhals as nw
import pyarrow as pa

from gsr.errors import ClicksError

ARROW: Final = nw.Implementation.PYARROW

_KINDS: Final = {
    "arrow": ARROW,
    "pandas": nw.Implementation.PANDAS,
    "polars": nw.Implementation.POLARS,
}


def read_frame(
    frame: Any, wanted: Sequence[str], optional: Sequence[str]
) -> tuple[Mapping[str, pa.ChunkedArray], nw.Implementation]:
    """Return the columns of a data frame that are asked for, and of which kind it is.

    Parameters
    ----------
    frame
        Of polars, pandas, Arrow, or any other kind that narwhals reads.
    wanted, optional
        Names of columns; the optional ones may be absent.

    Raises
    ------
    ClicksError
        It is no data frame, lacks a wanted column, or holds what Arrow has no type for.
    """
    try:
        read = nw.from_native(frame)
    except TypeError as error:
        raise ClicksError(
            f"clicks are {type(frame).__name__}: give a data frame of polars, pandas or Arrow"
        ) from error
    found = read.collect_schema().names()
    missing = [name for name in wanted if name not in found]
    if missing:
        there = ", ".join(found) or "nothing"
        raise ClicksError(
            f"no column {', '.join(missing)} among {there}: name the columns "
            f"{', '.join(wanted)}, and {' and '.join(optional)} where there are such"
        )
    names = [*wanted, *(name for name in optional if name in found)]
    chosen = read.select(*names)
    whole = chosen.collect() if isinstance(chosen, nw.LazyFrame) else chosen
    try:
        table = whole.to_arrow()
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError) as error:
        raise ClicksError(
            f"the clicks have a column of mixed types ({error}): make ids text, and timestamps "
            "datetimes or seconds"
        ) from error
    return {name: table.column(name) for name in names}, whole.implementation


def to_frame(columns: Mapping[str, Any], kind: nw.Implementation) -> Any:
    """Return columns as a data frame of some kind; of Arrow where that kind is read only."""
    table = pa.table(dict(columns))
    if kind == ARROW or kind not in _KINDS.values():
        return table
    backend: Any = kind  # narwhals wants it spelled out
    return nw.from_arrow(table, backend=backend).to_native()


def name_of(kind: nw.Implementation) -> str:
    """Return the name of a kind of data frame; Arrow's for one that is read only."""
    return next((name for name, known in _KINDS.items() if known == kind), "arrow")


def kind_if_there(name: str) -> nw.Implementation:
    """Return the kind of a name, or Arrow where its package is not installed."""
    there = name in _KINDS and importlib.util.find_spec(name) is not None
    return _KINDS[name] if there else ARROW


def kind_of(name: str) -> nw.Implementation:
    """Return the kind of data frame of a name.

    Raises
    ------
    ValueError
        There is no such kind here.
    """
    if name not in _KINDS:
        raise ValueError(f"there are no data frames of {name!r}: name one of {', '.join(_KINDS)}")
    return _KINDS[name]

"""What callers give beside clicks: ids, moments, lengths of lists."""

from collections.abc import Iterable
from typing import Any

import narwhals as nw
import pyarrow as pa

from gsr.counters.ids.id_column import IdColumn
from gsr.errors import ClicksError
from gsr.library.clicks import id_column, seconds_of
from gsr.library.user_lists import LONGEST_LIST


def given_ids(values: Any, name: str) -> IdColumn:
    """Return ids that are given as a sequence, or as a column of a data frame.

    Raises
    ------
    ClicksError
        They are of the wrong type; `name` says whose ids they are.
    """
    if isinstance(values, str):
        raise ClicksError(f"{name} is one text: give a list of ids, [{values!r}]")
    try:
        series = nw.from_native(values, series_only=True, pass_through=True)
        column = series.to_arrow() if isinstance(series, nw.Series) else series
        if not isinstance(column, pa.Array | pa.ChunkedArray):
            column = pa.array(list(column) or [], None if len(column) else pa.string())
    except (TypeError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ClicksError(f"{name}s are no ids: give text or whole numbers ({error})") from error
    chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    return id_column(chunked, name)


def given_items(exclude: Iterable[str]) -> IdColumn:
    """Return the ids of items that are given in any order."""
    return given_ids(list(exclude), "item_id")


def given_moment(now: Any) -> float | None:
    """Return a moment in seconds since the epoch; None: none was given."""
    return None if now is None else seconds_of(now)


def given_length(k: int) -> int:
    """Return the length of a list.

    Raises
    ------
    ValueError
        There are no such lists.
    """
    if not 1 <= k <= LONGEST_LIST:
        raise ValueError(f"k is {k}: give 1 to {LONGEST_LIST}")
    return int(k)

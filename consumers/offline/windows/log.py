"""A table of clicks parted into windows, in the order in which it is fed. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from consumers.errors import ConfigError
from consumers.offline.windows.options import WindowOptions
from stream.errors import EventFileError
from stream.events.files.time_units import UnclearTimesError, guess_unit, to_seconds

UNIT_SAMPLE: Final = 10_000
"""From so many times their unit is told."""

MADE_UP_START: Final = 1e9
"""Where made-up times begin, in seconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowedLog:
    """n clicks, window by window, by time within each; W windows.

    Parameters
    ----------
    bounds
        int64 [W + 1]: window w is the clicks ``bounds[w] : bounds[w + 1]``.
    numbers
        int64 [W], what the source calls each window.
    sessions
        int64 [n], each session's number; none has clicks in two windows.
    users
        int64 [n], number of whose history it is: the session's or the user's.
    items
        int64 [n], places in `item_ids`.
    item_ids
        The distinct ids.
    times
        float64 [n], seconds since the epoch, never falling: a click after the beginning of the
        next window is put at that beginning, so that windows stay apart.
    late
        How many clicks were put there.
    dropped_windows
        int64 [D], what the source calls the windows that had too few sessions.
    """

    bounds: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]
    sessions: npt.NDArray[np.int64]
    users: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    item_ids: npt.NDArray[np.str_]
    times: npt.NDArray[np.float64]
    late: int
    dropped_windows: npt.NDArray[np.int64]

    @property
    def window_of(self) -> npt.NDArray[np.int64]:
        """int64 [n], number from 0 of each click's window."""
        return np.repeat(np.arange(len(self.numbers)), np.diff(self.bounds))


def read_windows(options: WindowOptions) -> WindowedLog:
    """Read the table that `options` names, and part it.

    Raises
    ------
    EventFileError
        The table cannot be read, is empty, or a value is missing.
    ConfigError
        The table has no such column, or one of another type than it must be; or there is no window
        that can be tested.
    """
    table = _read_table(options)
    rows = np.arange(table.num_rows)
    items, item_ids = _distinct(table[options.item])
    times = None if options.time is None else _seconds(table[options.time], options)
    keys = _distinct(table[options.session or options.user])[0]
    if options.window is not None:
        windows = _numbers(table[options.window], options.window, pa.int64())
    else:
        begins = times if options.session is None else _firsts(keys, times)
        windows = _spans(begins, options.window_seconds)
    sessions = _pairs(windows, keys)
    by = rows if times is None else times
    # Without times, sessions follow one another as their first clicks do.
    order = np.lexsort((rows, _firsts(sessions, by) if times is None else by, windows))
    windows, sessions, items = windows[order], sessions[order], items[order]
    kept, dropped = _large_windows(windows, sessions, options)
    if options.session_clicks is not None:
        kept &= places_within(sessions) < options.session_clicks
    numbers, counts = np.unique(windows[kept], return_counts=True)
    if len(numbers) <= options.first_tested:
        raise ConfigError(
            f"{options.events} has {len(numbers)} windows, of which the first "
            f"{options.first_tested} are learned only: give a longer log or shorter windows"
        )
    bounds = np.concatenate(([0], np.cumsum(counts)))
    if times is None:
        at, late = _made_up_times(bounds, options.window_seconds), 0
    else:
        at, late = _kept_apart(times[order][kept], bounds)
    owners = sessions
    if options.histories == "user":
        owners = _distinct(table[options.user])[0][order]
    return WindowedLog(
        bounds=bounds,
        numbers=numbers,
        sessions=sessions[kept],
        users=owners[kept],
        items=items[kept],
        item_ids=item_ids,
        times=at,
        late=late,
        dropped_windows=dropped,
    )


def places_within(groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return each entry's place among those of its group, int64 [n], from 0.

    >>> places_within(np.array([5, 7, 5, 5, 7])).tolist()
    [0, 0, 1, 2, 1]
    """
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    places = np.arange(len(groups))
    found = np.empty(len(groups), dtype=np.int64)
    found[order] = places - np.searchsorted(ordered, ordered, side="left")
    return found


def _read_table(options: WindowOptions) -> Any:
    names = [options.item, options.user, options.session, options.time, options.window]
    wanted = list(dict.fromkeys(name for name in names if name is not None))
    path = options.events
    try:
        if path.suffix == ".parquet":
            there = pyarrow.parquet.read_schema(path).names
            _check_columns(path, wanted, there)
            table = pyarrow.parquet.read_table(path, columns=wanted)
        else:
            with pyarrow.csv.open_csv(path) as reader:
                there = reader.schema.names
            _check_columns(path, wanted, there)
            only = pyarrow.csv.ConvertOptions(include_columns=wanted)
            table = pyarrow.csv.read_csv(path, convert_options=only)
    except FileNotFoundError:
        raise EventFileError(str(path), "there is no such file") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise EventFileError(str(path), f"give CSV with a header, or Parquet: {error}") from error
    table = table.slice(0, options.limit)
    if not table.num_rows:
        raise EventFileError(str(path), "it is empty: there are no clicks")
    for name in wanted:
        if table[name].null_count:
            empty = f"column {name} is empty in {table[name].null_count:,} rows: leave them out"
            raise EventFileError(str(path), empty)
    return table


def _check_columns(path: Path, wanted: list[str], there: list[str]) -> None:
    missing = [name for name in wanted if name not in there]
    if missing:
        raise ConfigError(
            f"{path}: no column {', '.join(missing)} among {', '.join(there)}; name those that "
            "are meant, such as --column session=NAME"
        )


def _numbers(column: Any, name: str, kind: Any) -> npt.NDArray[Any]:
    try:
        found: npt.NDArray[Any] = column.cast(kind).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConfigError(f"column {name}: {error}") from error
    return found


def _seconds(column: Any, options: WindowOptions) -> npt.NDArray[np.float64]:
    """Return times as seconds since the epoch, float64 [n]."""
    name = str(options.time)
    if pa.types.is_timestamp(column.type):
        moments = _numbers(column.cast(pa.timestamp("us")), name, pa.int64())
        return moments / 1e6
    numbers = _numbers(column, name, pa.float64())
    if not np.isfinite(numbers).all() or numbers.min() < 0.0:
        raise ConfigError(f"column {name} has times that are negative or no numbers")
    try:
        unit = options.time_unit or guess_unit(numbers[:UNIT_SAMPLE]).unit
    except UnclearTimesError as error:
        raise ConfigError(f"column {name}: {error}") from error
    times = to_seconds(numbers, unit)
    if not np.isfinite(times).all():
        raise ConfigError(f"column {name}: not all of its times are {unit}")
    return times


def _distinct(column: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.str_]]:
    """Return the place of each value among the distinct ones, int64 [n], and these as texts."""
    coded = column.dictionary_encode().combine_chunks()
    places = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return places, coded.dictionary.cast(pa.string()).to_numpy(zero_copy_only=False).astype(np.str_)


def _firsts(groups: npt.NDArray[np.int64], values: Any) -> Any:
    """Return the smallest value of each entry's group, [n]."""
    smallest = np.full(int(groups.max(initial=-1)) + 1, np.inf)
    np.minimum.at(smallest, groups, values)
    return smallest[groups]


def _spans(times: Any, seconds: float) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = np.floor(times / seconds).astype(np.int64)
    return found


def _pairs(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the number of each distinct pair of two columns, int64 [n]."""
    low = int(first.min(initial=0))
    keys = (first - low) * (int(second.max(initial=0)) + 1) + second
    numbers: npt.NDArray[np.int64] = np.unique(keys, return_inverse=True)[1].astype(np.int64)
    return numbers


def _large_windows(
    windows: npt.NDArray[np.int64], sessions: npt.NDArray[np.int64], options: WindowOptions
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Return which clicks are of the first windows with enough sessions, and who had too few."""
    firsts = np.unique(sessions, return_index=True)[1]
    numbers, counts = np.unique(windows[firsts], return_counts=True)
    large = counts >= options.window_sessions
    return np.isin(windows, numbers[large][: options.windows]), numbers[~large]


def _made_up_times(bounds: npt.NDArray[np.int64], seconds: float) -> npt.NDArray[np.float64]:
    """Return even steps within each window, float64 [n]."""
    sizes = np.diff(bounds)
    windows = np.repeat(np.arange(len(sizes)), sizes)
    shares = (np.arange(bounds[-1]) - bounds[windows]) / sizes[windows]
    times: npt.NDArray[np.float64] = MADE_UP_START + (windows + shares) * seconds
    return times


def _kept_apart(
    times: npt.NDArray[np.float64], bounds: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], int]:
    """Move times that reach into the next window to its beginning; return how many did."""
    begins = times[bounds[:-1]]
    ends = np.append(np.minimum.accumulate(begins[::-1])[::-1][1:], np.inf)
    limits = np.repeat(ends, np.diff(bounds))
    return np.minimum(times, limits), int((times > limits).sum())

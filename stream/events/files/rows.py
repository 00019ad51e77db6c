"""Unchecked rows of an event file, and the check that makes events of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeVar

import numpy as np

from gsr.counters.ids.id_column import MAX_ID_BYTES
from gsr.counters.time_units import SECONDS_END
from stream.events.clicks.bad_record import Fault
from stream.events.clicks.event_columns import EventColumns
from stream.events.clicks.fields import id_fault, unknown_event
from stream.events.clicks.rules import EventRules
from stream.events.files.dialect import FileDialect
from stream.events.files.times import FileTimes, Timestamps

Row = TypeVar("Row")
Error = TypeVar("Error", bound=Exception)

# A character takes at most 4 bytes of UTF-8.
_SURELY_SHORT: Final = MAX_ID_BYTES // 4

# Of Parquet's own timestamps, which know what they are.
_SECONDS: Final = FileTimes(
    FileDialect(time_unit="s"), say=lambda _words: None, whole=lambda: iter(())
)


@dataclass(frozen=True, slots=True)
class FileRows:
    """Rows as a format's reader found them; n rows.

    Parameters
    ----------
    lines
        n line (or row) numbers in the file, from 1.
    user_ids, item_ids
        n strings each, unchecked.
    timestamps
        n numbers or texts, unchecked; float64 [n] where the file holds them as such.
    events, event_ids
        n strings each, unchecked, None or "" where there is none.
    faults
        Row to what is already known to be wrong with it; its other values mean nothing.
    in_seconds
        Whether timestamps are known to be seconds since the epoch, whatever others count.
    """

    lines: Sequence[int]
    user_ids: list[str]
    item_ids: list[str]
    timestamps: Timestamps
    events: list[str | None]
    event_ids: list[str | None]
    faults: dict[int, Fault] = field(default_factory=dict)
    in_seconds: bool = False

    def __len__(self) -> int:
        return len(self.lines)


class RowCheck:
    """Turns rows of a file into events, by the same limits as the codec's.

    Parameters
    ----------
    rules
        Lists the event names.
    times
        Reads the timestamps.
    """

    def __init__(self, rules: EventRules, times: FileTimes) -> None:
        self._names: frozenset[str | None] = frozenset({*rules.weights, None})
        self._times = times

    def check(self, rows: FileRows) -> tuple[EventColumns, dict[int, Fault]]:
        """Return the good rows, and what is wrong with each of the others.

        Raises
        ------
        UnclearTimesError
            Timestamps can be read in more than one way.
        """
        columns = None if rows.faults else self._all_good(rows)
        if columns is not None:
            return columns, {}
        faults = dict(rows.faults)
        if not rows.in_seconds:
            good = [row for row in range(len(rows)) if row not in faults]
            self._times.learn([rows.timestamps[row] for row in good])
        times: list[float] = []
        for row in range(len(rows)):
            time = faults.get(row) or self._read(rows, row)
            if isinstance(time, Fault):
                faults[row] = time
            else:
                times.append(time)
        good = [row for row in range(len(rows)) if row not in faults]
        return (
            EventColumns(
                [rows.user_ids[row] for row in good],
                [rows.item_ids[row] for row in good],
                np.array(times, dtype=np.float64),
                [rows.events[row] or None for row in good],
                [rows.event_ids[row] or None for row in good],
            ),
            faults,
        )

    def _all_good(self, rows: FileRows) -> EventColumns | None:
        """Check column by column; None where any row looks bad."""
        events = _without_empty(rows.events)
        event_ids = _without_empty(rows.event_ids)
        if (
            not _good_ids(rows.user_ids)
            or not _good_ids(rows.item_ids)
            or not _good_ids([text for text in event_ids if text is not None])
            or not self._names.issuperset(events)
        ):
            return None
        times = self._times_of(rows).all_seconds(rows.timestamps)
        # An unparsed time is NaN and fails the first comparison.
        if times is None or not bool(np.all((times >= 0) & (times < SECONDS_END))):
            return None
        return EventColumns(rows.user_ids, rows.item_ids, times + 0.0, events, event_ids)

    def _read(self, rows: FileRows, row: int) -> float | Fault:
        """Return a row's time, or what is wrong with the row."""
        fault = id_fault("the user id", rows.user_ids[row])
        fault = fault or id_fault("the item id", rows.item_ids[row])
        event_id, event = rows.event_ids[row], rows.events[row]
        if fault is None and event_id:
            fault = id_fault("the event id", event_id)
        if fault is not None:
            return fault
        if event and event not in self._names:
            return unknown_event(event)
        return self._times_of(rows).seconds(rows.timestamps[row])

    def _times_of(self, rows: FileRows) -> FileTimes:
        return _SECONDS if rows.in_seconds else self._times


def take_rows(
    source: Iterator[Row], count: int, *errors: type[Error]
) -> tuple[list[Row], Error | None]:
    """Return the next rows, up to `count`, or those before one of `errors`, and that."""
    rows: list[Row] = []
    try:
        for row in islice(source, count):
            rows.append(row)  # noqa: PERF402 - keeps the rows before an error
    except errors as error:
        return rows, error
    return rows, None


def _without_empty(texts: list[str | None]) -> list[str | None]:
    return [text or None for text in texts] if "" in texts else texts


def _good_ids(ids: list[str]) -> bool:
    if not all(ids):
        return False
    try:
        text = "".join(ids)
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError:
        return False
    if max(map(len, ids), default=0) <= _SURELY_SHORT:
        return True
    return max(len(text.encode()) for text in ids) <= MAX_ID_BYTES

"""Rows of an event file before they are checked, and the check."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from stream.events.bad_record import Fault, quoted
from stream.events.click import MAX_ID_BYTES, EventColumns, EventRules
from stream.events.click_fields import id_fault, unknown_event
from stream.events.timestamps import SECONDS_END, likely_unit, parse_iso

_UNIT_CODES: Final = {"milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns"}
# A character takes at most 4 bytes of UTF-8.
_SURELY_SHORT: Final = MAX_ID_BYTES // 4

Timestamps: TypeAlias = Sequence[float | str] | npt.NDArray[np.float64]


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
    per_second
        What numeric timestamps count, per second.
    """

    lines: Sequence[int]
    user_ids: list[str]
    item_ids: list[str]
    timestamps: Timestamps
    events: list[str | None]
    event_ids: list[str | None]
    faults: dict[int, Fault] = field(default_factory=dict)
    per_second: float = 1.0

    def __len__(self) -> int:
        return len(self.lines)


class RowCheck:
    """Turns rows of a file into events, by the same limits as the codec's.

    Parameters
    ----------
    rules
        Lists the event names.
    """

    def __init__(self, rules: EventRules) -> None:
        self._names: frozenset[str | None] = frozenset({*rules.weights, None})

    def check(self, rows: FileRows) -> tuple[EventColumns, dict[int, Fault]]:
        """Return the good rows, and what is wrong with each of the others."""
        columns = None if rows.faults else self._all_good(rows)
        if columns is not None:
            return columns, {}
        faults = dict(rows.faults)
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
        times = _all_seconds(rows.timestamps, rows.per_second)
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
        return _seconds(rows.timestamps[row], rows.per_second)


def _all_seconds(timestamps: Timestamps, per_second: float) -> npt.NDArray[np.float64] | None:
    """Read all as numbers, or all as ISO-8601; None where that is not possible."""
    if isinstance(timestamps, np.ndarray):
        return timestamps / per_second
    try:
        return np.array(list(map(float, timestamps))) / per_second
    except OverflowError:
        return None
    except ValueError:
        texts = [at for at in timestamps if isinstance(at, str)]
    if len(texts) < len(timestamps):
        return None
    return np.array([parse_iso(text.strip()) for text in texts], dtype=np.float64)


def _seconds(timestamp: float | str, per_second: float) -> float | Fault:
    try:
        time = float(timestamp) / per_second
    except (ValueError, OverflowError):
        parsed = parse_iso(timestamp.strip()) if isinstance(timestamp, str) else None
        if parsed is None:
            return _no_time(
                f"{quoted(str(timestamp))} is neither seconds since the epoch nor ISO-8601"
            )
        time = parsed
    if not time >= 0:
        return _no_time(f"{time} lies before 1970")
    unit = likely_unit(time)
    if unit is not None:
        return _no_time(
            f"{time:.0f} is too large for seconds; if these are {unit}, say so: "
            f"--column timestamp_unit={_UNIT_CODES[unit]}"
        )
    return time + 0.0


def _no_time(words: str) -> Fault:
    return Fault("bad_timestamp", f"timestamp {words}")


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

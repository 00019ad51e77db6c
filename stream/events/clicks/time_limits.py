"""Limits of a click's time: how far it may lie ahead of or behind the click's arrival.

On a topic the arrival is the record's append time, in a file the time of reading.
"""

from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.time_units import likely_unit
from stream.events.clicks.bad_record import Fault
from stream.events.clicks.event_columns import EventColumns
from stream.events.clicks.rules import EventRules

GOOD: Final = 0
FUTURE: Final = 1
TOO_OLD: Final = 2


def judge_times(
    times: npt.NDArray[np.float64],
    append_times: npt.NDArray[np.float64],
    forget: npt.NDArray[np.bool_],
    rules: EventRules,
) -> npt.NDArray[np.uint8]:
    """Judge each click's time by its own append time alone.

    Other clicks do not count: where the limit followed the newest click, many that each lie a
    little past it would carry it ahead without end.

    Parameters
    ----------
    times, append_times
        float64 [n], seconds since the epoch.
    forget
        bool [n]; such rows have no time and are good.
    rules
        The limits.

    Returns
    -------
    uint8 [n]
        `GOOD`, `FUTURE` or `TOO_OLD`.
    """
    verdicts = np.full(len(times), GOOD, dtype=np.uint8)
    verdicts[times > append_times + rules.future_tolerance_seconds] = FUTURE
    if rules.max_age_seconds is not None:
        verdicts[append_times - times > rules.max_age_seconds] = TOO_OLD
    verdicts[forget] = GOOD
    return verdicts


def time_fault(time: float, append_time: float, verdict: int) -> Fault:
    """Put a verdict of `judge_times` into words.

    Parameters
    ----------
    time, append_time
        Of the click, seconds since the epoch.
    verdict
        `FUTURE` or `TOO_OLD`.
    """
    if verdict == TOO_OLD:
        late = append_time - time
        return Fault("too_old", f"{late:.0f} s older than its arrival: see events.max_age_seconds")
    unit = likely_unit(time)
    if unit is not None:
        return Fault(
            "future", f"timestamp {time:.0f} looks like {unit}: send seconds since the epoch"
        )
    ahead = time - append_time
    return Fault("future", f"{ahead:.0f} s ahead of its arrival: correct the producer's clock")


def refuse_future(
    events: EventColumns, faults: dict[int, Fault], now: float, tolerance: float
) -> EventColumns:
    """Take the events out that lie in the future, and say in `faults` what is wrong with them.

    Parameters
    ----------
    events
        The good rows of a file, in the file's order.
    faults
        Row to fault of all other rows; gets those that are taken out here.
    now
        Seconds since the epoch.
    tolerance
        How far past it an event may lie, seconds.
    """
    ahead = events.times > now + tolerance
    if not ahead.any():
        return events
    rows = [row for row in range(len(events) + len(faults)) if row not in faults]
    for place in np.flatnonzero(ahead).tolist():
        faults[rows[place]] = _file_fault(float(events.times[place]), now)
    return events.rows(np.flatnonzero(~ahead).tolist())


def _file_fault(time: float, now: float) -> Fault:
    moment = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Fault(
        "future",
        f"timestamp {time:.0f} ({moment}) lies {_span(time - now)} past this machine's clock",
    )


def _span(seconds: float) -> str:
    days = seconds / 86_400
    return f"{days:,.0f} days" if days >= 1 else f"{seconds:,.0f} seconds"

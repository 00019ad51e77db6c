"""Units of numeric timestamps: recognition, and conversion to seconds."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from gsr.counters.time_units import SECONDS_END

TimeUnit: TypeAlias = Literal[
    "s", "ms", "us", "ns", "minutes", "hours", "days", "excel", "calendar"
]
TIME_UNITS: Final[tuple[TimeUnit, ...]] = get_args(TimeUnit)

UNIT_WORDS: Final[dict[TimeUnit, str]] = {
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "minutes": "minutes",
    "hours": "hours",
    "days": "days since 1970",
    "excel": "days as Excel counts them",
    "calendar": "calendar days such as 20171001",
}

_PER_SECOND: Final[dict[TimeUnit, float]] = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_SECONDS: Final[dict[TimeUnit, float]] = {"minutes": 60.0, "hours": 3600.0, "days": 86_400.0}
_DAY: Final = 86_400.0
# 1 January 1970 in Excel's count, which begins with 1 for 1 January 1900.
_EXCEL_EPOCH: Final = 25_569
_YEARS: Final = (946_684_800.0, 2_840_140_800.0)
"""2000 to 2060: numbers that lie there in another unit hardly are seconds of January 1970."""

_BY_SIZE: Final[tuple[tuple[TimeUnit, float], ...]] = (
    ("s", SECONDS_END),
    ("ms", 1e14),
    ("us", 1e17),
    ("ns", np.inf),
)
# Digits of a whole number that may be a calendar's day, minute or second, and how to read it.
_CALENDARS: Final = ((8, "%Y%m%d"), (12, "%Y%m%d%H%M"), (14, "%Y%m%d%H%M%S"))
_CALENDAR_YEARS: Final = (1970, 2100)


class UnclearTimesError(ValueError):
    """The times of a file can be read in more than one way; the message says how to tell."""


@dataclass(frozen=True, slots=True)
class UnitGuess:
    """The unit of a file's numbers.

    Parameters
    ----------
    unit
        The unit.
    span
        Least and largest time of the sample in seconds since the epoch; None where the sample
        holds no dates of our days, such as a count from 0.
    """

    unit: TimeUnit
    span: tuple[float, float] | None


def to_seconds(numbers: npt.NDArray[np.float64], unit: TimeUnit) -> npt.NDArray[np.float64]:
    """Return numbers of a unit as seconds since the epoch, float64 [n]; NaN for no day.

    Examples
    --------
    >>> to_seconds(np.array([43009.5]), "excel"), to_seconds(np.array([20171001.0]), "calendar")
    (array([1.5068592e+09]), array([1.506816e+09]))
    """
    if unit in _PER_SECOND:
        return numbers / _PER_SECOND[unit]
    if unit in _SECONDS:
        return numbers * _SECONDS[unit]
    if unit == "excel":
        # Excel's day has fractions of 15 digits, which end within the millisecond.
        return np.round((numbers - _EXCEL_EPOCH) * _DAY, 3)
    return np.array([_calendar(number) for number in numbers.tolist()], dtype=np.float64)


def guess_unit(numbers: npt.NDArray[np.float64]) -> UnitGuess:
    """Return the unit of most numbers of a sample, at least one of which is a time.

    Parameters
    ----------
    numbers
        float64 [n], not negative and not NaN.

    Raises
    ------
    UnclearTimesError
        Half of them have another unit than the others, or they may be days or minutes.
    """
    if _most(~np.isnan(_calendars(numbers))):
        return with_span("calendar", numbers)
    for unit, end in _BY_SIZE:
        if _most((numbers < end) & (numbers >= _least(unit))):
            break
    else:
        raise UnclearTimesError(
            "the timestamps have several units (seconds, milliseconds, ...): one file has one; "
            "cut it in parts and name each one's with --time-unit"
        )
    if unit == "s":
        unit = _small_unit(numbers)
    return with_span(unit, numbers)


def with_span(unit: TimeUnit, numbers: npt.NDArray[np.float64]) -> UnitGuess:
    """Return a known unit with the span of the sample's times."""
    times = to_seconds(numbers, unit)
    good = times[(times >= FIRST_DATE) & (times < SECONDS_END)]
    if 2 * len(good) < len(times) or not len(good):
        return UnitGuess(unit, None)
    return UnitGuess(unit, (float(good.min()), float(good.max())))


def typical(numbers: npt.NDArray[np.float64]) -> float:
    """Return the number in the middle: one of them, unlike a median."""
    return float(np.sort(numbers)[len(numbers) // 2])


def unit_that_fits(number: float, guess: UnitGuess) -> TimeUnit | None:
    """Return the other unit that puts a number where the file's times lie; None without one."""
    if guess.span is None:
        return None
    low, high = guess.span[0] - _NEAR, guess.span[1] + _NEAR
    for unit in TIME_UNITS:
        if unit != guess.unit and low <= float(to_seconds(np.array([number]), unit)[0]) <= high:
            return unit
    return None


FIRST_DATE: Final = 1e8
"""March 1973: nearer to the epoch lie counters and times of another unit, not clicks."""
_NEAR: Final = 10 * 365.25 * _DAY


def _least(unit: TimeUnit) -> float:
    ends = [0.0, *(end for _, end in _BY_SIZE)]
    return ends[[name for name, _ in _BY_SIZE].index(unit)]


def _most(which: npt.NDArray[np.bool_]) -> bool:
    return bool(2 * np.count_nonzero(which) > len(which))


def _small_unit(numbers: npt.NDArray[np.float64]) -> TimeUnit:
    """Return the unit of numbers that would be seconds by their size."""
    excel = _lies_in_our_years(numbers, "excel")
    parts = numbers * _DAY
    in_seconds = np.abs(parts - np.round(parts)) < 1e-2  # noqa: PLR2004 - Excel's last digit
    if _most(excel & in_seconds) and bool(np.any(numbers[excel] % 1.0)):
        return "excel"
    for unit in ("excel", "days", "hours", "minutes"):
        if _most(_lies_in_our_years(numbers, unit)):
            number = typical(numbers)
            raise UnclearTimesError(
                f"timestamps such as {number:.15g} lie in 1970 when they are seconds, but in our "
                f"years when they are {UNIT_WORDS[unit]}: say which, --time-unit {unit} or "
                "--time-unit s"
            )
    return "s"


def _lies_in_our_years(numbers: npt.NDArray[np.float64], unit: TimeUnit) -> npt.NDArray[np.bool_]:
    times = to_seconds(numbers, unit)
    lies: npt.NDArray[np.bool_] = (times >= _YEARS[0]) & (times < _YEARS[1])
    return lies


def _calendars(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return `to_seconds` of calendar days, looking only at numbers of the right size."""
    found = np.full(len(numbers), np.nan)
    sized = np.zeros(len(numbers), dtype=np.bool_)
    for digits, _ in _CALENDARS:
        year = numbers / 10.0 ** (digits - 4)
        sized |= (year >= _CALENDAR_YEARS[0]) & (year < _CALENDAR_YEARS[1])
    if _most(sized):
        found[sized] = to_seconds(numbers[sized], "calendar")
    return found


@lru_cache(maxsize=4096)
def _calendar(number: float) -> float:
    text = f"{number:.0f}"
    for digits, form in _CALENDARS:
        if len(text) == digits and number == round(number):
            try:
                moment = datetime.strptime(text, form).replace(tzinfo=UTC)
            except ValueError:
                return np.nan
            within = _CALENDAR_YEARS[0] <= moment.year < _CALENDAR_YEARS[1]
            return moment.timestamp() if within else np.nan
    return np.nan

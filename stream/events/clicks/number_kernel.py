"""Kernels that read numbers and ISO-8601 times of JSON text exactly as Python does.

A text that they cannot read exactly with little effort is left to Python: they return -1.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel

_ZERO: Final = 48
_NINE: Final = 57
_POINT: Final = 46
_COMMA: Final = 44
_COLON: Final = 58
_DASH: Final = 45
_PLUS: Final = 43
_SPACE: Final = 32
_T: Final = 84
_Z: Final = 90
_SMALL_E: Final = 101
_LARGE_E: Final = 69

_MOST_DIGITS: Final = 18
_EXACT: Final = 2**53
_POWERS: Final = 10 ** np.arange(19, dtype=np.int64)
_LONG_DIVISION_DIGITS: Final = 9
_LONG_DIVISION_BITS: Final = 31
_LEAST_QUOTIENT: Final = 2**23
_MOST_QUOTIENT: Final = 2**32

_SECONDS_PER_DAY: Final = 86_400
_MICROSECONDS: Final = 1_000_000
_MOST_DECIMALS: Final = 9
_NO_OFFSET: Final = _SECONDS_PER_DAY
_DAYS_BEFORE_MONTH: Final = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])
_DAYS_BEFORE_1970: Final = 719_162


@lean_kernel
def _take_digits(
    data: npt.NDArray[np.uint8], at: int, stop: int, mantissa: int, room: int
) -> tuple[int, int]:
    """Append digits to `mantissa`; return it and where they end, -1 where more than `room` come."""
    begin = at
    while at < stop and _ZERO <= data[at] <= _NINE:
        if at - begin == room:
            return mantissa, -1
        mantissa = 10 * mantissa + int(np.int64(data[at]) - _ZERO)
        at += 1
    return mantissa, at


@lean_kernel
def read_count(data: npt.NDArray[np.uint8], at: int, stop: int, most: int) -> tuple[int, int]:
    """Read a whole JSON number from 1 to `most`.

    Parameters
    ----------
    data
        uint8 [m].
    at, stop
        The number begins at `at`; the text ends at `stop`.
    most
        The largest that is read.

    Returns
    -------
    The number and where it ends; or any number and -1.
    """
    count, end = _take_digits(data, at, stop, 0, _MOST_DIGITS)
    if end <= at or data[at] == _ZERO or count > most:
        return 0, -1
    if end < stop and data[end] in (_POINT, _SMALL_E, _LARGE_E):
        return 0, -1
    return count, end


@lean_kernel
def read_number(data: npt.NDArray[np.uint8], at: int, stop: int) -> tuple[float, int]:
    """Read a JSON number without sign and exponent.

    Parameters
    ----------
    data
        uint8 [m].
    at, stop
        The number begins at `at`; the text ends at `stop`.

    Returns
    -------
    The float64 nearest to it, of two the even one, and where it ends; or any number and -1.
    """
    mantissa, end = _take_digits(data, at, stop, 0, _MOST_DIGITS)
    digits = end - at
    if digits <= 0 or (digits > 1 and data[at] == _ZERO):
        return 0.0, -1
    decimals = 0
    if end < stop and data[end] == _POINT:
        point = end
        mantissa, end = _take_digits(data, point + 1, stop, mantissa, _MOST_DIGITS - digits)
        decimals = end - point - 1
        if decimals <= 0:
            return 0.0, -1
    if end < stop and data[end] in (_SMALL_E, _LARGE_E):
        return 0.0, -1
    return _quotient(mantissa, decimals, end)


@lean_kernel
def _quotient(mantissa: int, decimals: int, end: int) -> tuple[float, int]:
    """Return ``mantissa / 10**decimals`` rounded once, and `end`, or -1."""
    if mantissa <= _EXACT:
        # Both are exact, so that the division rounds once (Clinger 1990).
        return np.float64(mantissa) / np.float64(_POWERS[decimals]), end
    if decimals > _LONG_DIVISION_DIGITS:
        return 0.0, -1
    # At least 55 bits of the quotient, and whether anything is left: enough to round by.
    divisor = _POWERS[decimals]
    whole = mantissa // divisor
    if not _LEAST_QUOTIENT <= whole < _MOST_QUOTIENT:
        return 0.0, -1
    rest = (mantissa - whole * divisor) << _LONG_DIVISION_BITS
    part = rest // divisor
    bits = (whole << _LONG_DIVISION_BITS) | part
    if rest != part * divisor:
        bits |= 1
    return np.float64(bits) / np.float64(1 << _LONG_DIVISION_BITS), end


@lean_kernel
def _digits(data: npt.NDArray[np.uint8], at: int, count: int) -> int:
    """Return what `count` digits say, -1 where they are none."""
    number = 0
    for i in range(at, at + count):
        if not _ZERO <= data[i] <= _NINE:
            return -1
        number = 10 * number + int(np.int64(data[i]) - _ZERO)
    return number


@lean_kernel
def _days(year: int, month: int, day: int) -> int:
    """Return the days from 1970 on to a date that there is, else -1."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if year < 1970 or not 1 <= month <= 12 or day < 1:  # noqa: PLR2004 -- the calendar's
        return -1
    longest = 30 + ((month + month // 8) & 1)
    if month == 2:  # noqa: PLR2004 -- February
        longest = 29 if leap else 28
    if day > longest:
        return -1
    before = year - 1
    days = 365 * before + before // 4 - before // 100 + before // 400 - _DAYS_BEFORE_1970
    return int(days + _DAYS_BEFORE_MONTH[month - 1] + (leap and month > 2) + day - 1)  # noqa: PLR2004


@lean_kernel
def _clock(data: npt.NDArray[np.uint8], at: int) -> int:
    """Return the seconds that ``HH:MM`` stands for, -1 where it is none."""
    hours, minutes = _digits(data, at, 2), _digits(data, at + 3, 2)
    if data[at + 2] != _COLON or not (0 <= hours < 24 and 0 <= minutes < 60):  # noqa: PLR2004
        return -1
    return 3600 * hours + 60 * minutes


@lean_kernel
def _date(data: npt.NDArray[np.uint8], at: int) -> int:
    """Return the days since 1970 that ``YYYY-MM-DD`` stands for, -1 where it is none."""
    if data[at + 4] != _DASH or data[at + 7] != _DASH:
        return -1
    return _days(_digits(data, at, 4), _digits(data, at + 5, 2), _digits(data, at + 8, 2))


@lean_kernel
def _decimals(data: npt.NDArray[np.uint8], at: int, stop: int) -> tuple[int, int]:
    """Return the microseconds after a second, and where they end, or -1."""
    if at == stop or (data[at] != _POINT and data[at] != _COMMA):
        return 0, at
    at += 1
    begin = at
    micros, unit = 0, _MICROSECONDS
    while at < stop and _ZERO <= data[at] <= _NINE:
        unit //= 10
        micros += unit * int(np.int64(data[at]) - _ZERO)
        at += 1
    return micros, at if 1 <= at - begin <= _MOST_DECIMALS else -1


@lean_kernel
def _offset(data: npt.NDArray[np.uint8], at: int, stop: int) -> int:
    """Return the seconds east of Greenwich that end a time, `_NO_OFFSET` where they do not."""
    if at == stop or (stop - at == 1 and data[at] == _Z):
        return 0
    if stop - at != len("+00:00") or (data[at] != _PLUS and data[at] != _DASH):
        return _NO_OFFSET
    seconds = _clock(data, at + 1)
    if seconds < 0:
        return _NO_OFFSET
    return seconds if data[at] == _PLUS else -seconds


@lean_kernel
def read_time(data: npt.NDArray[np.uint8], at: int, stop: int) -> float:
    """Return what ``data[at:stop]`` says as a time from 1970 on in seconds since the epoch.

    Reads ``YYYY-MM-DDTHH:MM:SS``, also with a blank for the T, with decimals, and with Z or an
    offset like +02:00; -1 for anything else.
    """
    if stop - at < len("YYYY-MM-DDTHH:MM:SS") or data[at + 16] != _COLON:
        return -1.0
    if data[at + 10] != _T and data[at + 10] != _SPACE:
        return -1.0
    days, clock, second = _date(data, at), _clock(data, at + 11), _digits(data, at + 17, 2)
    if days < 0 or clock < 0 or not 0 <= second < 60:  # noqa: PLR2004 -- in a minute
        return -1.0
    micros, at = _decimals(data, at + 19, stop)
    offset = _NO_OFFSET if at < 0 else _offset(data, at, stop)
    if offset == _NO_OFFSET:
        return -1.0
    micros += (days * _SECONDS_PER_DAY + clock + second - offset) * _MICROSECONDS
    if not 0 <= micros <= _EXACT:
        return -1.0
    return np.float64(micros) / np.float64(_MICROSECONDS)

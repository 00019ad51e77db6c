"""Reading of times in the text forms that other programs write."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, Literal, TypeAlias

from stream.events.clicks.timestamps import parse_iso

DayOrder: TypeAlias = Literal["day-first", "month-first"]

_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_MONTH_NUMBERS: Final = {
    **{name: number for number, name in enumerate(_MONTHS, 1)},
    **{name[:3]: number for number, name in enumerate(_MONTHS, 1)},
    "sept": 9,
}
_CLOCK: Final = (
    r"(?:[ T,:]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<part>\d{1,9}))?)?"
    r"(?: ?(?P<half>[AP])\.?M\.?)?)?"
)
_ZONE: Final = r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d))?"
_WEEKDAY: Final = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +)?"
_FLAGS: Final = re.ASCII | re.IGNORECASE

_CLEAR: Final = tuple(
    re.compile(pattern, _FLAGS)
    for pattern in (
        # 2017/10/01 03:00:00, 2017-10-01 03:00:00 UTC
        r"(?P<year>\d{4})(?P<mark>[/.-])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"
        + _CLOCK
        + _ZONE,
        # Mon Jul 10 12:59:20 -0700 2017
        _WEEKDAY
        + r"(?P<month>[a-z]{3,9}) +(?P<day>\d{1,2})"
        + _CLOCK
        + _ZONE
        + r" (?P<year>\d{4})",
        # Mon, 10 Jul 2017 12:59:20 -0700, 10/Jul/2017:12:59:20 -0700
        _WEEKDAY
        + r"(?P<day>\d{1,2})[ /-](?P<month>[a-z]{3,9})[ /-](?P<year>\d{4})"
        + _CLOCK
        + _ZONE,
        # Jul 10, 2017 12:59:20 PM
        _WEEKDAY + r"(?P<month>[a-z]{3,9})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})" + _CLOCK + _ZONE,
        # 29.01.2021 07:01
        r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})" + _CLOCK + _ZONE,
    )
)
_ORDERED: Final = re.compile(
    r"(?P<first>\d{1,2})(?P<mark>[/-])(?P<second_number>\d{1,2})(?P=mark)(?P<year>\d{4})"
    + _CLOCK
    + _ZONE,
    _FLAGS,
)
_NOON: Final = 12


def parse_clear(text: str) -> float | None:
    """Return a time whose text leaves no doubt, in seconds since the epoch; None for any other.

    Without an offset it is UTC. Names of months are English.

    Examples
    --------
    >>> parse_clear("Mon Jul 10 12:59:20 -0700 2017"), parse_clear("29.01.2021 07:01")
    (1499716760.0, 1611903660.0)
    >>> parse_clear("29/01/2021")
    """
    iso = parse_iso(text)
    if iso is not None:
        return iso
    for pattern in _CLEAR:
        found = pattern.fullmatch(text)
        if found is not None:
            month = found["month"].lower()
            number = int(month) if month.isdigit() else _MONTH_NUMBERS.get(month, 0)
            return _time(found, number, int(found["day"]))
    return None


def parse_ordered(text: str, order: DayOrder) -> float | None:
    """Return a time of two numbers and a year, such as 29/01/2021 7:01 AM; None for any other.

    Parameters
    ----------
    text
        The time.
    order
        Whether its first number is the day or the month.
    """
    found = _ORDERED.fullmatch(text)
    if found is None:
        return None
    day, month = int(found["first"]), int(found["second_number"])
    if order == "month-first":
        day, month = month, day
    return _time(found, month, day)


def orders_of(texts: Iterable[str]) -> tuple[set[DayOrder], bool]:
    """Return what texts reveal about the order of day and month, and whether it matters to any.

    Examples
    --------
    >>> orders_of(["29/01/2021", "03/04/2021"]), orders_of(["11/11/2019", "1 May 2020"])
    (({'day-first'}, True), (set(), False))
    """
    orders: set[DayOrder] = set()
    matters = False
    for text in texts:
        found = _ORDERED.fullmatch(text)
        if found is not None:
            first, second = int(found["first"]), int(found["second_number"])
            matters = matters or first != second
            if first > _NOON >= second:
                orders.add("day-first")
            elif second > _NOON >= first:
                orders.add("month-first")
    return orders, matters


def is_ordered(text: str) -> bool:
    """Return whether a text's meaning depends on the order of day and month."""
    return _ORDERED.fullmatch(text) is not None


def parse_as(text: str, time_format: str) -> float | None:
    """Return a time in a format of `strptime`, UTC where it has no offset; None for any other."""
    try:
        moment = datetime.strptime(text, time_format)  # noqa: DTZ007 - may hold an offset or not
    except ValueError:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _time(found: re.Match[str], month: int, day: int) -> float | None:
    hour = int(found["hour"] or 0)
    half = (found["half"] or "").upper()
    if half:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if half == "P" else 0)
    try:
        moment = datetime(
            int(found["year"]),
            month,
            day,
            hour,
            int(found["minute"] or 0),
            int(found["second"] or 0),
            int((found["part"] or "0").ljust(6, "0")[:6]),
            tzinfo=_zone(found["zone"]),
        )
    except ValueError:
        return None
    return moment.timestamp()


def _zone(text: str | None) -> timezone:
    if text is None or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)

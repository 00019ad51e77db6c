"""Reading of event times in ISO-8601."""

import re
from datetime import UTC, datetime
from typing import Final

# Checked before `datetime` parses, because what that accepts grows with Python's version, and
# the same record must be judged alike everywhere.
_ISO: Final = re.compile(
    r"(?:\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?)?"
    r"|\d{8}[Tt]\d{4}(?:\d\d(?:[.,]\d{1,9})?)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?)",
    re.ASCII,
)
_HOUR_24: Final = re.compile(r"[Tt ]24", re.ASCII)


def parse_iso(text: str) -> float | None:
    """Return an ISO-8601 date and time as seconds since the epoch; None where it is none.

    A calendar date, with or without a time: `2017-10-01`, `2017-10-01T03:00:00Z` (also with a
    blank or in lower case, as in RFC 3339), `20171001T030000Z`. Without an offset it is UTC; a
    date alone is its midnight; digits past the microsecond are dropped.

    Examples
    --------
    >>> parse_iso("2017-10-01T03:00:00.5Z"), parse_iso("2017-10-01 00:00-03:00")
    (1506826800.5, 1506826800.0)
    >>> parse_iso("1 October 2017")
    """
    if not _ISO.fullmatch(text) or _HOUR_24.search(text):
        return None
    try:
        moment = datetime.fromisoformat(text[:-1] + "Z" if text.endswith("z") else text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()

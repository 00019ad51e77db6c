"""Moments as people read them."""

from datetime import UTC, datetime


def iso_time(seconds: float) -> str:
    """Return a moment as ISO-8601 in UTC.

    Examples
    --------
    >>> iso_time(0.0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

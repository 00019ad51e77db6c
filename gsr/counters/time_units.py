"""The unit of event times that are numbers."""

from typing import Final

# The year 5138: no real time is later in seconds, but today is in milliseconds.
SECONDS_END: Final = 1e11
_UNITS: Final = ((1e17, "nanoseconds"), (1e14, "microseconds"), (SECONDS_END, "milliseconds"))


def likely_unit(time: float) -> str | None:
    """Return the unit that a number far too large for seconds seems to have; None for seconds.

    Examples
    --------
    >>> likely_unit(1_506_826_800_000)
    'milliseconds'
    """
    for least, unit in _UNITS:
        if time >= least:
            return unit
    return None

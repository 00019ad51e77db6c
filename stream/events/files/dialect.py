"""Settings by which the operator says how an event file is written."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias, get_args

from stream.events.files.time_units import TIME_UNITS, TimeUnit

Quoting: TypeAlias = Literal["auto", "standard", "none"]

_A_DAY: Final = datetime(2017, 10, 23, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDialect:
    """The way in which an event file is written.

    Parameters
    ----------
    header
        Whether a CSV file's first line names its columns; False: columns go by number, from 1.
        None: it does, and a first line that looks like data is an error.
    quoting
        Whether quotes in CSV enclose a field ("standard") or are plain text ("none"); "auto":
        as the first quotes in the file tell.
    time_unit
        What numbers in the timestamp column count; None: as the first numbers tell.
    time_format
        `strptime`'s format of the timestamp column; None: numbers and usual texts.

    Raises
    ------
    ValueError
        A setting is no such thing, or two contradict each other.
    """

    header: bool | None = None
    quoting: Quoting = "auto"
    time_unit: TimeUnit | None = None
    time_format: str | None = None

    def __post_init__(self) -> None:
        if self.quoting not in get_args(Quoting):
            raise ValueError(f"quoting is {self.quoting!r}: give one of auto, standard, none")
        if self.time_unit is not None and self.time_unit not in TIME_UNITS:
            raise ValueError(
                f"time unit is {self.time_unit!r}: give one of {', '.join(TIME_UNITS)}"
            )
        if self.time_format is not None:
            if self.time_unit is not None:
                raise ValueError("a time unit is of numbers, a time format of text: give one")
            _check_format(self.time_format)


def _check_format(time_format: str) -> None:
    """Refuse a format that does not hold a whole day."""
    try:
        # A format may hold an offset or not; the day is the same.
        found = datetime.strptime(_A_DAY.strftime(time_format), time_format)  # noqa: DTZ007
    except ValueError as error:
        raise ValueError(
            f"time format {time_format!r} cannot be read ({error}): write it like "
            "'%d/%m/%Y %H:%M:%S'"
        ) from None
    if found.date() != _A_DAY.date():
        raise ValueError(
            f"time format {time_format!r} does not hold year, month and day: write it like "
            "'%d/%m/%Y %H:%M:%S'"
        )

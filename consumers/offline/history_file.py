"""An event file as history: what is in it, and in how large pieces it is learned."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

from consumers.config.settings import GsrConfig
from consumers.errors import ConfigError
from stream.errors import EventFileError
from stream.events.files.columns import Columns
from stream.events.files.dialect import FileDialect
from stream.events.files.reading import EventFile, FileSummary

SMALLEST_CYCLE: Final = 500
LARGEST_CYCLE: Final = 2000
CYCLES_PER_STREAM: Final = 200

WINDOWS: Final = 200
"""At most so many windows of time in a report."""

SKIPPED_EXAMPLES: Final = 3
"""So many of the bad rows are shown; the others are counted."""

WINDOW_SECONDS: Final = (
    *(60.0, 300.0, 900.0, 3600.0, 6 * 3600.0, 86_400.0),
    *(7 * 86_400.0, 30 * 86_400.0, 365 * 86_400.0),
)


def open_events(
    path: Path | Sequence[Path],
    columns: dict[str, str],
    config: GsrConfig,
    on_bad: Literal["fail", "skip"],
    dialect: FileDialect | None = None,
    *,
    now: float,
) -> EventFile:
    """Return the event file, or several as one, with its columns named.

    Parameters
    ----------
    path
        The file, or several.
    columns
        Role to the column's name, where it is not the usual one.
    config
        Which events there are, and how far past `now` one may lie.
    on_bad
        "fail" at the first bad row, or "skip" and count.
    dialect
        What is known of how the files are written.
    now
        Seconds since the epoch, the same for every reading, so that all find the same rows;
        infinity: any time is good.

    Raises
    ------
    ConfigError
        `columns` names a role that there is not.
    """
    roles = Columns().names
    unknown = set(columns) - set(roles)
    if unknown:
        raise ConfigError(
            f"no such column role: {', '.join(sorted(unknown))}; there are {', '.join(roles)}"
        )
    try:
        named = Columns(**{role: columns.get(role, name) for role, name in roles.items()})
        rules = config.events.rules()
        return EventFile(path, named, rules, dialect=dialect, on_bad=on_bad, now=lambda: now)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def summarise(file: EventFile, limit: int | None) -> FileSummary:
    """Return what there is to read, at most `limit` events.

    Raises
    ------
    EventFileError
        There is nothing.
    """
    summary = file.scan()
    if summary.events == 0:
        raise no_events(file, "nothing to learn from")
    return replace(summary, events=min(summary.events, limit or summary.events))


def no_events(file: EventFile, so: str) -> EventFileError:
    """Return the error of a file that was read and held nothing; `so` ends its sentence."""
    why = f", all {sum(file.skipped.values())} rows are bad" if file.skipped else ""
    return EventFileError(file.name, f"holds no events{why}: {so}")


def skipped_rows(file: EventFile) -> dict[str, Any]:
    """Return what results say of the bad rows that the latest whole reading left out.

    Ask before the file is read again: that counts anew, and with a limit not to the end.
    """
    return {
        "skipped_rows": dict(sorted(file.skipped.items())),
        "skipped_examples": file.examples[:SKIPPED_EXAMPLES],
    }


def cycle_clicks(events: int) -> int:
    """Return how many clicks make a cycle, about 200 cycles a stream.

    >>> cycle_clicks(50), cycle_clicks(100_000), cycle_clicks(1_294_842)
    (500, 500, 2000)
    """
    return min(max(SMALLEST_CYCLE, events // CYCLES_PER_STREAM), LARGEST_CYCLE)


def window_seconds(summary: FileSummary) -> float:
    """Return the shortest usual span of which the stream holds at most `WINDOWS`."""
    length = (summary.last_time or 0.0) - (summary.first_time or 0.0)
    return next((w for w in WINDOW_SECONDS if length / w <= WINDOWS), WINDOW_SECONDS[-1])

"""An event file as an option of offline work, opened with its columns named."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from consumers.config.settings import GsrConfig
from consumers.errors import ConfigError
from stream.errors import EventFileError
from stream.events.files.columns import Columns
from stream.events.files.dialect import FileDialect
from stream.events.files.reading import EventFile

SKIPPED_EXAMPLES: Final = 3
"""So many of the bad rows are shown; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOptions:
    """Events to read, and how: what the options of every offline command begin with.

    Parameters
    ----------
    events
        The event file, or several that are parts of one log (see `stream.events.files.reading`).
    columns
        Which column holds what: user, item, timestamp, event, event_id → column name.
    dialect
        What is known of how the file is written.
    config
        Which events there are, and how far in the future one may lie.
    limit
        Only the first so many events; None: all.
    on_bad
        "fail" at the first bad row, or "skip" and count.
    """

    events: Path | Sequence[Path]
    columns: dict[str, str] = field(default_factory=dict)
    dialect: FileDialect = field(default_factory=FileDialect)
    config: GsrConfig = field(default_factory=GsrConfig)
    limit: int | None = None
    on_bad: Literal["fail", "skip"] = "fail"

    def open(self, now: float) -> EventFile:
        """Return the event file, or several as one, with its columns named.

        Parameters
        ----------
        now
            Seconds since the epoch, the same for every reading, so that all find the same rows;
            infinity: any time is good.

        Raises
        ------
        ConfigError
            `columns` names a role that there is not.
        """
        roles = Columns().names
        unknown = set(self.columns) - set(roles)
        if unknown:
            raise ConfigError(
                f"no such column role: {', '.join(sorted(unknown))}; there are {', '.join(roles)}"
            )
        rules = self.config.events.rules()
        try:
            named = Columns(**{role: self.columns.get(role, name) for role, name in roles.items()})
            return EventFile(
                self.events,
                named,
                rules,
                dialect=self.dialect,
                on_bad=self.on_bad,
                now=lambda: now,
            )
        except ValueError as error:
            raise ConfigError(str(error)) from error


def no_events(file: EventFile, so: str) -> EventFileError:
    """Return the error of a file that was read and held nothing; `so` ends its sentence."""
    bad = sum(file.skipped.values())
    why = f", all {bad} rows are bad, the first: {file.examples[0]}" if bad else ""
    return EventFileError(file.name, f"holds no events{why}: {so}")


def skipped_rows(file: EventFile) -> dict[str, Any]:
    """Return the bad rows that the latest whole reading left out, as results name them.

    Ask before the file is read again: that counts anew, and with a limit not to the end.
    """
    return {
        "skipped_rows": dict(sorted(file.skipped.items())),
        "skipped_examples": file.examples[:SKIPPED_EXAMPLES],
    }

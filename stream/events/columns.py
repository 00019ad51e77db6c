"""Which columns of an event file hold what."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal, TypeAlias

TimestampUnit: TypeAlias = Literal["s", "ms", "us", "ns"]

UNITS_PER_SECOND: Final[dict[TimestampUnit, float]] = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}

_SHOWN: Final = 12

# Names seen in public click logs, spelled as `_plain` leaves them.
_SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "user": ("user", "uid", "visitorid", "customerid", "shopperid", "reviewerid", "sessionid"),
    "item": ("item", "iid", "productid", "articleid", "movieid", "asin", "sku", "newsid"),
    "timestamp": ("time", "ts", "datetime", "date", "eventtime", "createdat", "unixreviewtime"),
    "event": ("eventtype", "action", "behavior", "type", "eventname"),
    "event_id": ("id", "uuid", "eventuuid"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The names that an event file gives its columns.

    Parameters
    ----------
    user, item, timestamp
        Must be in the file.
    event, event_id
        May be absent under their default names; must be there when named otherwise.
    timestamp_unit
        What numbers in the timestamp column count.

    Examples
    --------
    >>> Columns(user="visitor", timestamp="ts", timestamp_unit="ms").item
    'item_id'
    """

    user: str = "user_id"
    item: str = "item_id"
    timestamp: str = "timestamp"
    event: str = "event"
    event_id: str = "event_id"
    timestamp_unit: TimestampUnit = "s"

    def __post_init__(self) -> None:
        names = list(self.names.values())
        if len(set(names)) < len(names) or "" in names:
            raise ValueError(f"columns need five different names, these are {names}")
        if self.timestamp_unit not in UNITS_PER_SECOND:
            units = ", ".join(UNITS_PER_SECOND)
            raise ValueError(f"timestamp_unit is {self.timestamp_unit!r}: give one of {units}")

    @property
    def names(self) -> dict[str, str]:
        """Role (user, item, timestamp, event, event_id) to the column's name."""
        return {role: str(getattr(self, role)) for role in _SYNONYMS}

    def missing(self, found: Sequence[str]) -> str | None:
        """Return what to do about columns that `found` lacks; None where nothing lacks.

        Examples
        --------
        >>> print(Columns().missing(["userId", "item_id", "timestamp"]))
        no column user_id among userId, item_id, timestamp; if userId is meant, map it:
        --column user=userId
        >>> Columns().missing(["user_id", "item_id", "timestamp", "rating"])
        """
        lacking = {
            role: name
            for role, name in self.names.items()
            if name not in found and not (role in _OPTIONAL and name == _DEFAULTS[role])
        }
        if not lacking:
            return None
        words = "column" if len(lacking) == 1 else "columns"
        shown = ", ".join(map(_shown, found[:_SHOWN]))
        shown += ", ..." if len(found) > _SHOWN else ""
        text = f"no {words} {', '.join(lacking.values())} among {shown or 'nothing'}"
        guesses = {role: guess for role in lacking if (guess := self._guess(role, found))}
        if not guesses:
            return f"{text}; name the file's own columns: --column {next(iter(lacking))}=NAME"
        mapping = " ".join(f"--column {role}={_shown(guess)}" for role, guess in guesses.items())
        meant = ", ".join(map(_shown, guesses.values()))
        pronoun, verb = ("it", "is") if len(guesses) == 1 else ("them", "are")
        return f"{text}; if {meant} {verb} meant, map {pronoun}: {mapping}"

    def _guess(self, role: str, found: Sequence[str]) -> str | None:
        """Return the column of `found` that most likely plays `role`."""
        free = {_plain(name): name for name in found if name not in self.names.values()}
        wanted = (_plain(self.names[role]), _plain(_DEFAULTS[role]), *_SYNONYMS[role])
        for name in wanted:
            if name in free:
                return free[name]
        for name in wanted:
            close = difflib.get_close_matches(name, free, n=1, cutoff=0.75)
            if close:
                return free[close[0]]
        return None


_DEFAULTS: Final[dict[str, str]] = {
    field.name: str(field.default) for field in fields(Columns) if field.name in _SYNONYMS
}
_OPTIONAL: Final = ("event", "event_id")


def _plain(name: str) -> str:
    """Reduce a column name to its lower-case letters and digits."""
    return "".join(character for character in name.lower() if character.isalnum())


def _shown(name: str) -> str:
    """Return a column name that any terminal can show."""
    return name[:40].encode("ascii", "backslashreplace").decode()

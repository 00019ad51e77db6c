"""Roles of columns, the names that a file gives them, and guesses where these are not found."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar, Final, cast

_SHOWN: Final = 12


class NamedColumns:
    """The names that a file gives its columns: the base of dataclasses with a field per role.

    Attributes
    ----------
    synonyms
        Role to names that known files give such a column, spelled as `plain_name` leaves them.
    optional
        Roles that may be absent under their default names.
    advised
        Those of them that advice on missing columns names too, where they seem to be there.
    """

    __slots__ = ()

    synonyms: ClassVar[Mapping[str, tuple[str, ...]]]
    optional: ClassVar[tuple[str, ...]] = ()
    advised: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        names = list(self.names.values())
        if len(set(names)) < len(names) or "" in names:
            raise ValueError(f"columns need {len(names)} different names, these are {names}")

    @property
    def names(self) -> dict[str, str]:
        """Role to the column's name."""
        return {role: str(getattr(self, role)) for role in self.synonyms}

    @classmethod
    def defaults(cls) -> dict[str, str]:
        """Return role to the usual name of its column."""
        usual = {field.name: str(field.default) for field in fields(cast("Any", cls))}
        return {role: usual[role] for role in cls.synonyms}

    def optional_defaults(self) -> tuple[str, ...]:
        """Return the roles that need no column: optional, and not named by the operator.

        Examples
        --------
        >>> from stream.events.files.columns import Columns
        >>> Columns(event="5").optional_defaults()
        ('event_id',)
        """
        usual = self.defaults()
        return tuple(role for role in self.optional if self.names[role] == usual[role])

    def within(self, found: Sequence[str]) -> dict[str, str]:
        """Return role to name in `found`, for the columns that are there.

        A name that differs in nothing but upper and lower case is taken where it is the only one,
        and for one role.

        Examples
        --------
        >>> from stream.events.files.columns import Columns
        >>> Columns().within(["User_ID", "item_id", "timestamp", "note"])
        {'user': 'User_ID', 'item': 'item_id', 'timestamp': 'timestamp'}
        """
        taken = set(self.names.values())
        there: dict[str, str] = {}
        for role, name in self.names.items():
            alike = [other for other in found if other.lower() == name.lower()]
            free = [other for other in alike if other not in taken | set(there.values())]
            if name in found:
                there[role] = name
            elif len(free) == 1:
                there[role] = free[0]
        return there

    def doubled(self, found: Sequence[str]) -> str | None:
        """Return the first wanted column that `found` holds twice; None: there is no such.

        Examples
        --------
        >>> from stream.events.files.columns import Columns
        >>> Columns().doubled(["user_id", "item_id", "timestamp", "Event", "EVENT"])
        'EVENT'
        """
        there = self.within(found)
        for role, name in self.names.items():
            if role in there:
                if list(found).count(there[role]) > 1:
                    return there[role]
            elif [other.lower() for other in found].count(name.lower()) > 1:
                return next(o for o in reversed(found) if o.lower() == name.lower())
        return None

    def knows(self, name: str) -> bool:
        """Return whether files are known that give a column this name.

        Examples
        --------
        >>> from stream.events.files.columns import Columns
        >>> Columns().knows("Visitor_ID"), Columns().knows("1370476800")
        (True, False)
        """
        others = (name for names in self.synonyms.values() for name in names)
        names = (*self.names.values(), *self.defaults().values(), *others)
        return plain_name(name) in map(plain_name, names)

    def missing(self, found: Sequence[str]) -> str | None:
        """Return what to do about columns that `found` lacks; None where nothing lacks.

        Examples
        --------
        >>> from stream.events.files.columns import Columns
        >>> print(Columns().missing(["userId", "item_id", "timestamp"]))
        no column user_id among userId, item_id, timestamp; if userId is meant, map it:
        --column user=userId
        >>> Columns().missing(["user_id", "item_id", "timestamp", "rating"])
        """
        there = self.within(found)
        lacking = {
            role: name
            for role, name in self.names.items()
            if role not in there and role not in self.optional_defaults()
        }
        if not lacking:
            return None
        words = "column" if len(lacking) == 1 else "columns"
        shown = ", ".join(map(shown_name, found[:_SHOWN]))
        shown += ", ..." if len(found) > _SHOWN else ""
        text = f"no {words} {', '.join(lacking.values())} among {shown or 'nothing'}"
        guesses = self._guesses(list(lacking), found)
        if not guesses:
            return f"{text}; name the file's own columns: --column {next(iter(lacking))}=NAME"
        for role in self.advised:
            if role not in there and (guess := self._synonym(role, found)) is not None:
                guesses.setdefault(role, guess)
        mapping = " ".join(
            f"--column {role}={shown_name(guess)}" for role, guess in guesses.items()
        )
        meant = ", ".join(map(shown_name, guesses.values()))
        pronoun, verb = ("it", "is") if len(guesses) == 1 else ("them", "are")
        return f"{text}; if {meant} {verb} meant, map {pronoun}: {mapping}"

    def _guesses(self, roles: Sequence[str], found: Sequence[str]) -> dict[str, str]:
        """Return role to the column of `found` that most likely plays it, none of them twice."""
        guesses: dict[str, str] = {}
        for guess_of in (self._synonym, self._close):
            for role in roles:
                rest = [name for name in found if name not in guesses.values()]
                if role not in guesses and (guess := guess_of(role, rest)) is not None:
                    guesses[role] = guess
        return {role: guesses[role] for role in roles if role in guesses}

    def _close(self, role: str, found: Sequence[str]) -> str | None:
        """Return a column whose name is spelled much like one that `role` goes by."""
        free = self._free(found)
        for name in self._wanted(role):
            close = difflib.get_close_matches(name, free, n=1, cutoff=0.75)
            if close:
                return free[close[0]]
        return None

    def _synonym(self, role: str, found: Sequence[str]) -> str | None:
        free = self._free(found)
        return next((free[name] for name in self._wanted(role) if name in free), None)

    def _free(self, found: Sequence[str]) -> dict[str, str]:
        taken = self.within(found).values()
        return {plain_name(name): name for name in found if name not in taken}

    def _wanted(self, role: str) -> tuple[str, ...]:
        return (
            plain_name(self.names[role]),
            plain_name(self.defaults()[role]),
            *self.synonyms[role],
        )


def plain_name(name: str) -> str:
    """Reduce a column name to its lower-case letters and digits."""
    return "".join(character for character in name.lower() if character.isalnum())


def shown_name(name: str) -> str:
    """Return a column name that any terminal can show."""
    return name[:40].encode("ascii", "backslashreplace").decode()

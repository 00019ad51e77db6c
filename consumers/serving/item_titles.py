"""Titles of items, as the file of titles has them now."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from consumers.serving.title_table import TitleTable
from stream.events.files.title_text import shortened_title

_LOGGER = logging.getLogger(__name__)

LONGEST_IN_WORDS: Final = 60
KEPT_TITLES: Final = 20_000
"""Looked up lately, and kept in memory: lists hold much the same items, and asking the file takes
a hundred times as long."""


class ItemTitles:
    """Looks titles up, and follows the file when another one takes its place.

    Without a file, or with one that cannot be read, no item has a title, and everything else goes
    on. Threads may share it.

    Parameters
    ----------
    path
        The file; None: there is none.

    Attributes
    ----------
    generation
        Grows whenever there may be other titles than before.

    Examples
    --------
    >>> ItemTitles(None).of(["i1"])
    {}
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._table: TitleTable | None = None
        self._kept: dict[str, str | None] = {}
        self._seen: tuple[int, int, int] | None = None
        self.generation = 0
        self.refresh()

    @property
    def count(self) -> int:
        """How many items have one."""
        with self._lock:
            return 0 if self._table is None else self._table.count

    def of(self, item_ids: Iterable[str]) -> dict[str, str]:
        """Return item to title, for those that have one."""
        with self._lock:
            if self._table is None:
                return {}
            asked = set(item_ids)
            unknown = [item for item in asked if item not in self._kept]
            if unknown:
                try:
                    found = self._table.titles(unknown)
                except sqlite3.Error as error:
                    self._give_up(error)
                    return {}
                if len(self._kept) + len(unknown) > KEPT_TITLES:
                    self._kept = {item: self._kept[item] for item in asked if item in self._kept}
                self._kept.update((item, found.get(item)) for item in unknown)
            kept = ((item, self._kept[item]) for item in asked)
            return {item: title for item, title in kept if title is not None}

    def refresh(self) -> bool:
        """Take over another file, if there is one by now; say so."""
        seen = _identity(self._path)
        if seen == self._seen:
            return False
        table = None
        if self._path is not None and seen is not None:
            try:
                table = TitleTable(self._path)
            except sqlite3.Error as error:
                _LOGGER.warning(
                    "titles in %s cannot be read (%s): items go by their ids. Load them again "
                    "with gsr items load",
                    self._path,
                    error,
                )
        with self._lock:
            before, self._table, self._seen = self._table, table, seen
            self._kept = {}
            self.generation += 1
        if before is not None:
            before.close()
        return True

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._table is not None:
                self._table.close()
            self._table = None

    def _give_up(self, error: sqlite3.Error) -> None:
        """Do without titles until there is another file."""
        _LOGGER.error(
            "titles in %s are damaged (%s): items go by their ids from now on. Load them again "
            "with gsr items load",
            self._path,
            error,
        )
        if self._table is not None:
            self._table.close()
        self._table = None
        self._kept = {}
        self.generation += 1


def names_in_words(titles: Mapping[str, str]) -> Callable[[str], str]:
    """Return what names an item in a sentence: by its title, not at full length, else by its id.

    Examples
    --------
    >>> name = names_in_words({"i1": "Blue mug"})
    >>> name("i1"), name("i2")
    ('Blue mug', 'i2')
    """
    return lambda item: shortened_title(titles[item], LONGEST_IN_WORDS) if item in titles else item


def _identity(path: Path | None) -> tuple[int, int, int] | None:
    """Return what tells one file at a path from the next; None where there is none."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size

"""The file of titles: an SQLite database that is written once, and only ever replaced as a whole.

Ids are found by its tree, so that memory does not grow with the catalogue.
"""

import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import quote

from consumers.artifacts.abandoned import abandoned
from consumers.errors import ConfigError
from stream.errors import StorageFullError
from stream.synced import sync

APPLICATION_ID: Final = 0x67737274  # "gsrt": tells a file of titles from any other SQLite file
FORMAT_VERSION: Final = 1

_ASKED_AT_ONCE: Final = 250
_READ_CACHE_KIB: Final = 4 * 1024
_WRITE_CACHE_KIB: Final = 64 * 1024
_ABANDONED_SECONDS: Final = 600.0
"""A file aside that nobody has written to for so long was left by a process that died."""


class TitleTable:
    """An opened file of titles; any thread may use it, one at a time.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    sqlite3.Error
        It is damaged, no file of titles, or one of another format.
    """

    def __init__(self, path: Path) -> None:
        # Nobody ever writes to the file, so that it needs no locks and no files beside it.
        address = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
        self._database = sqlite3.connect(
            address, uri=True, check_same_thread=False, cached_statements=_ASKED_AT_ONCE + 8
        )
        try:
            self._check_marks()
            self._database.execute("PRAGMA trusted_schema = OFF")
            self._database.execute(f"PRAGMA cache_size = -{_READ_CACHE_KIB}")
            self.count = _number(self._database, "SELECT items FROM facts")
        except BaseException:
            self._database.close()
            raise

    def titles(self, item_ids: Sequence[str]) -> dict[str, str]:
        """Return item to title, for those that have one."""
        found: dict[str, str] = {}
        rest = iter(item_ids)
        while asked := list(islice(rest, _ASKED_AT_ONCE)):
            marks = ", ".join("?" * len(asked))
            query = f"SELECT item_id, title FROM titles WHERE item_id IN ({marks})"  # noqa: S608 - question marks only
            found.update(self._database.execute(query, asked))
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _check_marks(self) -> None:
        names = ("application_id", "user_version")
        marks = [_number(self._database, f"PRAGMA {name}") for name in names]
        if marks != [APPLICATION_ID, FORMAT_VERSION]:
            raise sqlite3.DatabaseError("it is no file of titles, or one of another format")


def write_titles(
    path: Path,
    batches: Iterable[Iterable[tuple[str, str]]],
    *,
    most_items: int,
    most_bytes: int,
) -> int:
    """Write a file of titles in place of the one at `path`; return how many items it has.

    It is written aside and renamed: whoever reads sees the old file or the new one, whatever
    happens meanwhile. Where nothing comes, nothing is replaced.

    Parameters
    ----------
    path
        The file.
    batches
        Items and titles; of an item that comes twice the last one stays.
    most_items, most_bytes
        Of the file.

    Raises
    ------
    ConfigError
        There is more than that.
    StorageFullError
        The disk is full, or the place cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in abandoned(path.parent, f".{path.name}.*", _ABANDONED_SECONDS):
            leftover.unlink(missing_ok=True)
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            with closing(sqlite3.connect(aside, isolation_level=None)) as database:
                count = _fill(database, batches, most_items, most_bytes)
            if count:
                sync(aside)
                aside.replace(path)
                sync(path.parent)
        finally:
            aside.unlink(missing_ok=True)
    except (sqlite3.OperationalError, OSError) as error:
        raise StorageFullError(
            f"titles cannot be written to {path} ({error}): free space there or correct the rights "
            "(what was there before stays), or name another file with titles.file"
        ) from error
    return count


def _fill(
    database: sqlite3.Connection,
    batches: Iterable[Iterable[tuple[str, str]]],
    most_items: int,
    most_bytes: int,
) -> int:
    # A file aside is worth nothing after a crash: no journal, and one sync at the end.
    for setting in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
        database.execute(f"PRAGMA {setting}")
    database.execute(f"PRAGMA cache_size = -{_WRITE_CACHE_KIB}")
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    database.execute("BEGIN")
    database.execute(
        "CREATE TABLE titles (item_id TEXT PRIMARY KEY, title TEXT NOT NULL) WITHOUT ROWID"
    )
    database.execute("CREATE TABLE facts (items INTEGER NOT NULL)")
    page_bytes = _number(database, "PRAGMA page_size")
    rows = count = 0
    for batch in batches:
        pairs = list(batch)
        database.executemany("INSERT OR REPLACE INTO titles VALUES (?, ?)", pairs)
        rows += len(pairs)
        # Counting reads the whole table: only where there may be too many.
        if count + rows > most_items:
            count, rows = _number(database, "SELECT count(*) FROM titles"), 0
            if count > most_items:
                raise ConfigError(
                    f"there are more than {most_items:,} items: raise titles.most_items, or leave "
                    "out items that nobody clicks; nothing was changed"
                )
        if _number(database, "PRAGMA page_count") * page_bytes > most_bytes:
            raise ConfigError(
                f"the titles take more than {most_bytes:,} bytes: raise titles.most_bytes, or "
                "leave out items that nobody clicks; nothing was changed"
            )
    count = _number(database, "SELECT count(*) FROM titles")
    database.execute("INSERT INTO facts VALUES (?)", (count,))
    database.execute("COMMIT")
    return count


def _number(database: sqlite3.Connection, query: str) -> int:
    """Return the number that a query answers with, 0 where there is none."""
    row = database.execute(query).fetchone()
    return int(row[0]) if row else 0

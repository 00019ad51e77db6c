"""SQLite's errors, as errors of the log."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stream.errors import (
    LogCorruptError,
    LogError,
    LogFullError,
    LogUnavailableError,
    RecordTooLargeError,
)

_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNWRITABLE: Final = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about the file at `path` into log errors."""
    try:
        yield
    except sqlite3.Error as error:
        raise _log_error(error, path) from error


def _log_error(error: sqlite3.Error, path: Path) -> LogError:
    # An extended code carries the primary one in its low byte.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _BUSY:
        return LogUnavailableError(f"{path} is busy ({error}): another process holds it, try again")
    if code in _DAMAGED:
        return LogCorruptError(
            f"{path} is damaged or is no log file ({error}): stop everything that uses it, keep "
            "a copy of it with its -wal and -shm files, and put back a backup. An empty log in its "
            "place is another log, which state does not go on from"
        )
    if code in _UNWRITABLE:
        return LogFullError(
            f"{path} cannot be written ({error}): free space on its disk or correct its "
            "permissions, then restart"
        )
    if code == sqlite3.SQLITE_TOOBIG:
        return RecordTooLargeError(path.stem, (), None)
    return LogError(f"{path}: {error}")

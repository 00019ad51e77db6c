"""Each error of SQLite says what an operator does."""

import sqlite3
from pathlib import Path

import pytest

from stream.errors import (
    LogCorruptError,
    LogError,
    LogFullError,
    LogUnavailableError,
    RecordTooLargeError,
)
from stream.log.embedded.errors import sqlite_errors


@pytest.mark.parametrize(
    ("code", "meaning", "advice"),
    [
        (sqlite3.SQLITE_BUSY, LogUnavailableError, "try again"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, LogUnavailableError, "try again"),
        (sqlite3.SQLITE_CORRUPT, LogCorruptError, "put back a backup"),
        (sqlite3.SQLITE_NOTADB, LogCorruptError, "put back a backup"),
        (sqlite3.SQLITE_FULL, LogFullError, "free space"),
        (sqlite3.SQLITE_IOERR_WRITE, LogFullError, "free space"),
        (sqlite3.SQLITE_READONLY, LogFullError, "permissions"),
        (sqlite3.SQLITE_TOOBIG, RecordTooLargeError, "append to clicks"),
        (sqlite3.SQLITE_MISUSE, LogError, "clicks.db"),
    ],
)
def test_it_is_told_by_its_code(code: int, meaning: type[LogError], advice: str) -> None:
    """Also by one that says more than the primary code."""
    error = sqlite3.OperationalError("it is so")
    error.sqlite_errorcode = code
    with pytest.raises(LogError, match=advice) as caught, sqlite_errors(Path("clicks.db")):
        raise error
    assert type(caught.value) is meaning


def test_an_error_without_a_code_is_an_error() -> None:
    with pytest.raises(LogError, match="it is so"), sqlite_errors(Path("clicks.db")):
        raise sqlite3.InterfaceError("it is so")

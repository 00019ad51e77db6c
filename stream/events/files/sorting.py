"""Sorting of the events of a file by time, in bounded memory."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import gettempdir
from typing import Final

import numpy as np

from stream.errors import StorageFullError
from stream.events.clicks.event_columns import EventColumns
from stream.events.files.reading import EventFile, FileSummary

_CACHE_KIB: Final = 64 * 1024


def sorted_events(
    file: EventFile, summary: FileSummary | None = None, directory: Path | None = None
) -> Iterator[EventColumns]:
    """Read a file's events by time; equal times keep the order of the file.

    A sorted file is streamed; any other goes through `sort_events`.

    Parameters
    ----------
    file
        The file.
    summary
        What `EventFile.scan` found, where that is known already; None looks again.
    directory
        See `sort_events`.

    Raises
    ------
    EventFileError
        The file cannot be read.
    StorageFullError
        There is no room to sort it.
    """
    if (summary or file.scan()).sorted:
        yield from file.read()
    else:
        yield from sort_events(file, directory)


def sort_events(file: EventFile, directory: Path | None = None) -> Iterator[EventColumns]:
    """Read a file once and yield its events by time; equal times keep the order of the file.

    Sorts through a temporary SQLite database, which needs about as much disk as the unpacked file,
    twice. Its files have no names once they are open, so that nothing is left whatever happens.

    Parameters
    ----------
    file
        The file.
    directory
        Where to put the temporary database; None: the system's place for such files.

    Raises
    ------
    EventFileError
        The file cannot be read.
    StorageFullError
        `directory` has no room, or cannot be written.
    """
    place = str(directory or gettempdir())
    try:
        with closing(sqlite3.connect("")) as database:
            _prepare(database, place)
            _fill(database, file)
            yield from _drain(database, file.batch_rows)
    except sqlite3.OperationalError as error:
        raise StorageFullError(
            f"{file.name} cannot be sorted in {place} ({error}): free about twice the unpacked "
            "file there, name another directory with TMPDIR, or sort the file by time first"
        ) from error


def _prepare(database: sqlite3.Connection, place: str) -> None:
    # SQLite would look for a directory by rules of its own; there is no other way to tell it.
    database.execute("PRAGMA temp_store_directory = '{}'".format(place.replace("'", "''")))
    # The database lives only as long as this reading: nothing to protect from a crash.
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    database.execute(
        "CREATE TABLE events "
        "(place INTEGER PRIMARY KEY, time REAL, user TEXT, item TEXT, event TEXT, event_id TEXT)"
    )


def _fill(database: sqlite3.Connection, file: EventFile) -> None:
    for events in file.read():
        database.executemany(
            "INSERT INTO events (time, user, item, event, event_id) VALUES (?, ?, ?, ?, ?)",
            zip(
                events.times.tolist(),
                events.user_ids,
                events.item_ids,
                events.events,
                events.event_ids,
                strict=True,
            ),
        )


def _drain(database: sqlite3.Connection, batch_rows: int) -> Iterator[EventColumns]:
    rows = database.execute(
        "SELECT time, user, item, event, event_id FROM events ORDER BY time, place"
    )
    while batch := rows.fetchmany(batch_rows):
        times, users, items, names, event_ids = zip(*batch, strict=True)
        yield EventColumns(list(users), list(items), np.array(times), list(names), list(event_ids))

"""Events of a file in the order of their times, in bounded memory."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from stream.errors import EventFileError
from stream.events.click import EventColumns
from stream.events.files import EventFile, FileSummary

_CACHE_KIB: Final = 64 * 1024


def sorted_events(
    file: EventFile, summary: FileSummary | None = None, directory: Path | None = None
) -> Iterator[EventColumns]:
    """Read a file's events by time; equal times keep the order of the file.

    A sorted file is streamed. Any other is sorted through a temporary SQLite database, which needs
    about as much disk as the unpacked file, twice.

    Parameters
    ----------
    file
        The file.
    summary
        What `EventFile.scan` found, where that is known already; None looks again.
    directory
        Where to put the temporary database; None: the system's place for such files.

    Raises
    ------
    EventFileError
        The file cannot be read, or the temporary database has no room.
    """
    if (summary or file.scan()).sorted:
        yield from file.read()
        return
    with TemporaryDirectory(prefix="gsr-sort-", dir=directory) as scratch:
        try:
            with closing(sqlite3.connect(Path(scratch) / "events.sqlite")) as database:
                _fill(database, file)
                yield from _drain(database, file.batch_rows)
        except sqlite3.OperationalError as error:
            raise EventFileError(
                str(file.path),
                f"cannot be sorted in {scratch} ({error}): free space there, name another "
                "directory, or sort the file by time first",
            ) from error


def _fill(database: sqlite3.Connection, file: EventFile) -> None:
    # The database lives only as long as this reading: nothing to protect from a crash.
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    database.execute(
        "CREATE TABLE events "
        "(place INTEGER PRIMARY KEY, time REAL, user TEXT, item TEXT, event TEXT, event_id TEXT)"
    )
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

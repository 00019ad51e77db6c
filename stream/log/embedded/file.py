"""One topic's SQLite file: created whole, opened once per thread, written in transactions."""

import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from stream.errors import LogCorruptError, LogError, LogUnavailableError
from stream.log.embedded.errors import sqlite_errors
from stream.log.embedded.schema import (
    ADD_IDENTITY,
    APPLICATION_ID,
    CREATE_IDENTITY,
    FORMAT_VERSION,
    PAGE_BYTES,
    TOPIC_TABLES,
    PartitionStatements,
)
from stream.log.interface import TopicSpec
from stream.synced import sync

_CHECKPOINT_PAGES: Final = 16 * 1024 * 1024 // PAGE_BYTES
_WAL_KEPT_BYTES: Final = 16 * 1024 * 1024  # a longer write-ahead log is cut back to this
_WAL_LIMIT_BYTES: Final = 64 * 1024 * 1024  # a longer one makes the writer wait for readers
_CHECKPOINT_TRIES: Final = 10
_CHECKPOINT_TRY_MILLISECONDS: Final = 20
_CACHED_STATEMENTS: Final = 512
_SPARE_PAGES: Final = 1000  # free pages that are kept for the records to come
_VACUUM_PAGES: Final = 1000  # moved at once, so that writers wait tens of milliseconds at most


class SqliteFile:
    """Connections to one topic's file.

    Each thread has its own connection, which lives until `close`. Do not carry one of these
    across a fork: open the log in the child.

    Parameters
    ----------
    path
        The file, written by `SqliteFile.create`.
    survive_power_loss
        Wait for the disk in every transaction. Without, what was committed survives a killed
        process but the newest transactions may be lost with the machine's power.
    busy_timeout_seconds
        How long a transaction waits for other processes' before LogUnavailableError.
    """

    def __init__(
        self, path: Path, *, survive_power_loss: bool, busy_timeout_seconds: float
    ) -> None:
        self.path = path
        self._wal_path = f"{path}-wal"
        self._synchronous = "FULL" if survive_power_loss else "NORMAL"
        self._busy_timeout_seconds = busy_timeout_seconds
        self._next_forced_checkpoint_bytes = _WAL_LIMIT_BYTES
        self._own = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._opened = _file_number(path)
        self._identity: str | None = None
        self._changing = threading.Lock()
        self._closed = False

    @classmethod
    def create(cls, path: Path, spec: TopicSpec) -> None:
        """Write the file of a new topic at `path`: after a crash it is there whole or not at all.

        The caller sees to it that nobody else creates the same topic meanwhile.
        """
        draft = path.with_name(".new")
        for suffix in ("", "-journal", "-wal", "-shm"):
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)
        with sqlite_errors(path):
            connection = sqlite3.connect(draft, isolation_level=None)
            try:
                connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN")
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
                _write_tables(connection, spec)
                connection.execute("COMMIT")
            finally:
                connection.close()
        draft.rename(path)
        sync(path.parent)

    def read_spec(self) -> TopicSpec:
        """Return the topic's settings, after checking that the file is one of ours."""
        with sqlite_errors(self.path):
            connection = self.connection()
            (application_id,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if application_id != APPLICATION_ID:
                raise LogCorruptError(f"{self.path} is not a topic's file: move it away")
            if version != FORMAT_VERSION:
                raise LogCorruptError(
                    f"{self.path} has the format {version}, this program reads {FORMAT_VERSION}: "
                    "use the program that wrote it, or another log directory"
                )
            (spec,) = connection.execute("SELECT spec FROM topic").fetchone()
        try:
            return msgspec.json.decode(spec, type=TopicSpec)
        except msgspec.DecodeError as error:
            raise LogCorruptError(f"{self.path} holds unreadable settings: {error}") from error

    def identity(self) -> str:
        """Return the topic's id; give it one where it has none yet."""
        if self._identity is None:
            self._identity = self._read_identity()
        return self._identity

    def _read_identity(self) -> str:
        with sqlite_errors(self.path):
            try:
                row = self.connection().execute("SELECT id FROM identity").fetchone()
            except sqlite3.OperationalError:  # there is no such table
                row = None
        if row is None:
            with self.transaction() as connection:
                connection.execute(CREATE_IDENTITY)
                connection.execute(ADD_IDENTITY, (str(uuid.uuid4()),))
                row = connection.execute("SELECT id FROM identity").fetchone()
        return str(row[0])

    @property
    def replaced(self) -> bool:
        """Whether the file was removed, with or without another one in its place."""
        return _file_number(self.path) != self._opened

    def connection(self) -> sqlite3.Connection:
        """Return the calling thread's connection."""
        if self._closed:
            raise LogError(f"{self.path} was closed")
        own: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if own is None:
            own = self._own.connection = self._connect()
        return own

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the file's write lock; commit at the end, or roll back what raised.

        Raises
        ------
        LogUnavailableError
            The file was removed: nobody would ever read what is written there.
        """
        if self.replaced:
            raise LogUnavailableError(
                f"{self.path} was removed, and perhaps made anew, while this program had it open: "
                "move it back if it was moved, or start again"
            )
        with sqlite_errors(self.path):
            connection = self.connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself after some errors, a full disk among them.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        self._bound_wal(connection)

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file and cut it, unless someone is using it."""
        with sqlite_errors(self.path):
            self._truncate_wal(self.connection(), tries=1, wait_milliseconds=0)

    def vacuum(self) -> bool:
        """Give back some free pages to the disk; return whether there are many more."""
        with sqlite_errors(self.path):
            connection = self.connection()
            (free,) = connection.execute("PRAGMA freelist_count").fetchone()
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            spare = max(_SPARE_PAGES, pages // 4)
            if free <= spare:
                return False
            # A page per step and no columns: only a script is stepped to its end.
            connection.executescript(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})")
            return bool(free - _VACUUM_PAGES > spare)

    def close(self) -> None:
        """Close every thread's connection."""
        with self._changing:
            self._closed = True
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    def _connect(self) -> sqlite3.Connection:
        # Mode rw: a file that has vanished must not come back empty.
        connection = sqlite3.connect(
            f"{self.path.resolve().as_uri()}?mode=rw",
            uri=True,
            timeout=self._busy_timeout_seconds,
            isolation_level=None,
            check_same_thread=False,  # only `close` comes from another thread
            cached_statements=_CACHED_STATEMENTS,
        )
        with self._changing:
            self._connections.append(connection)
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}")
        # Overwriting what was removed would double the work of retention.
        connection.execute("PRAGMA secure_delete = FAST")
        return connection

    def _bound_wal(self, connection: sqlite3.Connection) -> None:
        """Wait for readers where their overlapping reads have kept the log from starting over."""
        try:
            size = os.stat(self._wal_path).st_size  # noqa: PTH116 - once per append, 5 x faster
        except FileNotFoundError:
            return
        if size < self._next_forced_checkpoint_bytes:
            return
        # What was committed is durable: a disk that cannot take it twice refuses the next commit.
        with suppress(sqlite3.OperationalError):
            self._truncate_wal(
                connection,
                tries=_CHECKPOINT_TRIES,
                wait_milliseconds=_CHECKPOINT_TRY_MILLISECONDS,
            )
        # A reader that stays for long must not make every append wait.
        left = os.stat(self._wal_path).st_size  # noqa: PTH116 - as above
        self._next_forced_checkpoint_bytes = left + _WAL_LIMIT_BYTES

    def _truncate_wal(
        self, connection: sqlite3.Connection, *, tries: int, wait_milliseconds: int
    ) -> None:
        connection.execute(f"PRAGMA busy_timeout = {wait_milliseconds}")
        try:
            # Overlapping readers can hold off one long try to its end, seldom two short ones.
            for _ in range(tries):
                ((busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                if not busy:
                    break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise
        finally:
            milliseconds = round(self._busy_timeout_seconds * 1000)
            connection.execute(f"PRAGMA busy_timeout = {milliseconds}")


def _file_number(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of its name; None: there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - once per append, 5 x faster
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def _write_tables(connection: sqlite3.Connection, spec: TopicSpec) -> None:
    for statement in TOPIC_TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO topic VALUES (?)", (msgspec.json.encode(spec).decode(),))
    connection.execute(ADD_IDENTITY, (str(uuid.uuid4()),))
    for partition in range(spec.partitions):
        statements = PartitionStatements.of(partition)
        connection.execute("INSERT INTO partitions (partition) VALUES (?)", (partition,))
        for statement in statements.create:
            connection.execute(statement)
        for statement in statements.create_compacted if spec.compacted else ():
            connection.execute(statement)

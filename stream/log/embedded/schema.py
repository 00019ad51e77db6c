"""The layout of a topic's SQLite file.

============  ===================================================================================
table         holds
============  ===================================================================================
topic         one row: the topic's settings as JSON
identity      one row: a random id; a file from before there were ids gets one when it is asked for
partitions    a row per partition: bounds, newest append time, size, how far compaction has come
records_N     the records of partition N by offset; headers as a msgpack list of pairs, or null
newest_N      of a compacted topic: each key's newest offset, as far as compaction has come
fences        a row per fence name: its epoch
positions     a row per group and partition: the offset to read next
============  ===================================================================================

A table per partition lets SQLite append at the end of each one's tree, which fills pages and is
about twice as fast as appending in several places of one tree.
"""

from dataclasses import dataclass
from typing import Final, Self

APPLICATION_ID: Final = 0x67737231  # "gsr1": tells a topic's file from any other SQLite file
FORMAT_VERSION: Final = 1
PAGE_BYTES: Final = 8192  # holds a sequence record whole, and keeps a single append small
RECORD_OVERHEAD_BYTES: Final = 24  # what a record takes beside its key, value and headers

APPENDED_COLUMNS: Final = 5
APPENDED_ROWS: Final = 50  # in one statement: a third faster than one by one

_ROW: Final = "(?, ?, ?, ?, ?)"
_SIZE: Final = (
    f"{RECORD_OVERHEAD_BYTES} + ifnull(length(key), 0) + ifnull(length(value), 0)"
    " + ifnull(length(headers), 0)"
)

# A table of its own: programs that do not know it rewrite the settings without it.
CREATE_IDENTITY: Final = "CREATE TABLE IF NOT EXISTS identity (id TEXT NOT NULL)"
ADD_IDENTITY: Final = "INSERT INTO identity SELECT ? WHERE NOT EXISTS (SELECT 1 FROM identity)"

TOPIC_TABLES: Final = (
    "CREATE TABLE topic (spec TEXT NOT NULL)",
    CREATE_IDENTITY,
    """
    CREATE TABLE partitions (
        partition INTEGER PRIMARY KEY,
        start_offset INTEGER NOT NULL DEFAULT 0,
        next_offset INTEGER NOT NULL DEFAULT 0,
        append_time REAL NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0,
        compacted_to INTEGER NOT NULL DEFAULT 0
    )
    """,
    "CREATE TABLE fences (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID",
    """
    CREATE TABLE positions (
        group_name TEXT,
        partition INTEGER,
        next_offset INTEGER NOT NULL,
        PRIMARY KEY (group_name, partition)
    ) WITHOUT ROWID
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionStatements:
    """The SQL of one partition's tables, whose names hold the partition's number.

    Parameters
    ----------
    create, create_compacted
        Create the tables of any topic, and those that a compacted topic has besides.
    append, append_rows, read, read_time
        Of the log; the second takes `APPENDED_ROWS` rows at once.
    oldest, expire
        Of retention.
    compactable, size_of, remove, newest, set_newest, drop_newest, tombstones
        Of compaction.
    """

    create: tuple[str, ...]
    create_compacted: tuple[str, ...]
    append: str
    append_rows: str
    read: str
    read_time: str
    oldest: str
    expire: str
    compactable: str
    size_of: str
    remove: str
    newest: str
    set_newest: str
    drop_newest: str
    tombstones: str

    @classmethod
    def of(cls, partition: int) -> Self:
        """Return the statements of `partition`."""
        records, newest = f"records_{int(partition)}", f"newest_{int(partition)}"
        # ruff: noqa: S608 - the only thing that is formatted into SQL is a number of ours
        return cls(
            create=(
                f"""
                CREATE TABLE {records} (
                    offset INTEGER PRIMARY KEY,
                    append_time REAL NOT NULL,
                    key BLOB,
                    value BLOB,
                    headers BLOB
                )
                """,
            ),
            create_compacted=(
                f"""
                CREATE INDEX tombstones_{int(partition)} ON {records} (append_time)
                WHERE value IS NULL
                """,
                f"""
                CREATE TABLE {newest} (
                    key BLOB PRIMARY KEY,
                    offset INTEGER NOT NULL
                ) WITHOUT ROWID
                """,
            ),
            append=f"INSERT INTO {records} VALUES {_ROW}",
            append_rows=f"INSERT INTO {records} VALUES {', '.join([_ROW] * APPENDED_ROWS)}",
            read=f"SELECT offset, append_time, key, value, headers FROM {records}"
            " WHERE offset >= ? ORDER BY offset LIMIT ?",
            read_time=f"SELECT offset, append_time FROM {records}"
            " WHERE offset >= ? ORDER BY offset LIMIT 1",
            oldest=f"SELECT offset, append_time, key, {_SIZE} FROM {records}"
            " ORDER BY offset LIMIT ?",
            expire=f"DELETE FROM {records} WHERE offset < ?",
            compactable=f"SELECT offset, key, {_SIZE} FROM {records}"
            " WHERE offset >= ? AND offset < ? ORDER BY offset LIMIT ?",
            size_of=f"SELECT {_SIZE} FROM {records} WHERE offset = ?",
            remove=f"DELETE FROM {records} WHERE offset = ?",
            newest=f"SELECT offset FROM {newest} WHERE key = ?",
            set_newest=f"REPLACE INTO {newest} VALUES (?, ?)",
            drop_newest=f"DELETE FROM {newest} WHERE key = ? AND offset = ?",
            tombstones=f"SELECT offset, key, {_SIZE} FROM {records}"
            " WHERE value IS NULL AND append_time < ? AND offset < ?"
            " ORDER BY append_time LIMIT ?",
        )

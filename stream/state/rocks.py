"""RocksDB as this project uses it, and its errors in plain words."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
)

from stream.errors import StateCorruptError, StateError, StateLockedError, StorageFullError

COLUMN_FAMILIES: Final = ("meta", "users", "filters", "items", "graph", "feed")

_BITS_PER_KEY: Final = 10
_BLOCK_BYTES: Final = 16 * 1024
_FAMILY_WRITE_BUFFER_BYTES: Final = 32 * 1024 * 1024
_OPEN_FILES: Final = 512
_READER_CACHE_BYTES: Final = 16 * 1024 * 1024
_INFO_LOG_BYTES: Final = 4 * 1024 * 1024
_INFO_LOGS: Final = 2
_BACKGROUND_JOBS: Final = 2

# RocksDB's errors reach Python as bare `Exception`s: their text is all there is to go by.
_FULL: Final = ("No space left", "quota exceeded", "File too large")
_UNWRITABLE: Final = ("Permission denied", "Read-only file system", "Operation not permitted")
_LOCKED: Final = ("LOCK:", "lock hold by")
_DAMAGED: Final = ("Corruption", "No such file or directory", "checksum mismatch", "does not exist")


class Database:
    """An open database with a handle per column family, held as long as it is open.

    A handle that is let go makes RocksDB write the family's memtable to a file, with a wait: so
    none is let go while there is work.

    Parameters
    ----------
    rocks
        What rocksdict opened.
    families
        Its column families.
    """

    def __init__(self, rocks: Rdict, families: Sequence[str] = COLUMN_FAMILIES) -> None:
        self.rocks = rocks
        self.families = tuple(families)
        self._families = {name: rocks.get_column_family(name) for name in families}

    def family(self, name: str) -> Any:
        """Return the handle of a column family, typed for what raw mode gives: bytes only."""
        return self._families[name]

    def close(self) -> None:
        """Let go of the files."""
        self._families.clear()
        self.rocks.close()


def database_path(path: Path) -> Path:
    """Return where the database of a state directory or a checkpoint lies."""
    inside = path / "db"
    with plain_errors(path):
        return inside if inside.is_dir() else path


def open_database(
    path: Path,
    block_cache_bytes: int,
    write_buffer_bytes: int,
    families: Sequence[str] = COLUMN_FAMILIES,
) -> Database:
    """Open or create a database with these column families for writing.

    Every option is given anew for every column family, because a plain re-open falls back to
    RocksDB's defaults, without bloom filters and with a block cache per family.
    """
    cache = Cache(block_cache_bytes)
    options = _options(cache)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_db_write_buffer_size(write_buffer_bytes)
    options.set_max_total_wal_size(2 * write_buffer_bytes)
    options.set_max_background_jobs(_BACKGROUND_JOBS)
    options.set_max_open_files(_OPEN_FILES)
    options.set_max_log_file_size(_INFO_LOG_BYTES)
    options.set_keep_log_file_num(_INFO_LOGS)
    options.set_stats_dump_period_sec(0)
    by_name = {name: _options(cache) for name in families}
    with plain_errors(path):
        return Database(Rdict(str(path), options=options, column_families=by_name), families)


def open_read_only(path: Path) -> Database:
    """Open a checkpoint, or a database that nobody writes, for reading."""
    cache = Cache(_READER_CACHE_BYTES)
    options = _options(cache)
    # Reading must not litter a checkpoint with information logs that count as its files.
    options.set_keep_log_file_num(1)
    families = {name: _options(cache) for name in COLUMN_FAMILIES}
    with plain_errors(path):
        rocks = Rdict(
            str(path),
            options=options,
            column_families=families,
            access_type=AccessType.read_only(),
        )
        return Database(rocks)


def _options(cache: Cache) -> Options:
    """Return the options of one column family."""
    table = BlockBasedOptions()
    table.set_block_cache(cache)
    table.set_block_size(_BLOCK_BYTES)
    table.set_bloom_filter(_BITS_PER_KEY, block_based=False)
    table.set_cache_index_and_filter_blocks(True)
    table.set_pin_l0_filter_and_index_blocks_in_cache(True)
    options = Options(raw_mode=True)
    options.set_block_based_table_factory(table)
    # What is soon rewritten is compressed quickly, what stays is compressed well.
    options.set_compression_type(DBCompressionType.lz4())
    options.set_bottommost_compression_type(DBCompressionType.zstd())
    options.set_write_buffer_size(_FAMILY_WRITE_BUFFER_BYTES)
    options.set_level_compaction_dynamic_level_bytes(True)
    return options


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn RocksDB's errors into this package's, with what to do.

    Parameters
    ----------
    path
        The directory to name.
    """
    try:
        yield
    except OSError as error:
        # What stands in the way before RocksDB is asked, a directory's permissions for one.
        raise _plain(path, str(error)) from error
    except Exception as error:
        # rocksdict raises `Exception` itself for everything; whatever is more precise is not its.
        if type(error) is not Exception:
            raise
        raise _plain(path, str(error)) from error


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Turn the system's refusal to make a directory or a file into this package's error."""
    try:
        yield
    except OSError as error:
        raise _unwritable(path, str(error)) from error


def _unwritable(path: Path, text: str) -> StorageFullError:
    """Return the error for a place that may not be read or written."""
    return StorageFullError(
        f"The state in {path} cannot be read or written: correct the owner and the permissions of "
        f"the directory, or name another one with --state, then restart. ({text})"
    )


def _plain(path: Path, text: str) -> StateError:
    """Return the error that `text` means."""
    if any(mark in text for mark in _FULL):
        return StorageFullError(
            f"No space left for the state in {path}: free space, then restart. Nothing is lost: "
            f"what was not written is read from the log again. ({text})"
        )
    if any(mark in text for mark in _UNWRITABLE):
        return _unwritable(path, text)
    if any(mark in text for mark in _LOCKED):
        return StateLockedError(
            f"Another process has the state in {path} open: stop it, or use another directory. "
            f"({text})"
        )
    if any(mark in text for mark in _DAMAGED):
        return StateCorruptError(
            f"The state in {path} is damaged: stop ingest, and `gsr state check --live` says "
            f"what mends it. ({text})"
        )
    return StateError(f"RocksDB could not work with {path}: {text}")


def scan(database: Database, family: str, from_key: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a column family in order, from `from_key` on."""
    yield from database.family(family).items(from_key=from_key)


def fetch(database: Database, family: str, key: bytes) -> bytes | None:
    """Return the value of a key, None where there is none."""
    value: bytes | None = database.family(family).get(key)
    return value


def fetch_all(database: Database, family: str, keys: list[bytes]) -> list[bytes | None]:
    """Return the value of each key; sorted keys are found faster."""
    found: list[bytes | None] = database.family(family).get(keys)
    return found


def property_of(database: Database, name: str) -> int:
    """Return one of RocksDB's integer properties, summed over the column families."""
    families = map(database.family, database.families)
    return sum(int(family.property_int_value(name) or 0) for family in families)

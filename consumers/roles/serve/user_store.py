"""The newest list and sequence of every user, on disk, with how far their topics were read."""

import json
import logging
import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, Final, Literal

from rocksdict import WriteBatch

from stream.errors import StateCorruptError
from stream.state.directory_lock import DirectoryLock
from stream.state.rocks import (
    Database,
    fetch,
    fetch_all,
    open_database,
    plain_errors,
    property_of,
    scan,
    writable,
)

_LOGGER = logging.getLogger(__name__)

Kind = Literal["lists", "sequences"]
KINDS: Final[tuple[Kind, ...]] = ("lists", "sequences")

FORMAT: Final = 1
_ORIGIN: Final = b"origin"
_POSITIONS: Final = b"positions."
_ORDER_BYTES: Final = 8
_SIZES: Final = ("rocksdb.live-sst-files-size", "rocksdb.cur-size-all-mem-tables")


@dataclass(frozen=True, slots=True)
class Change:
    """What a record says of a user.

    Parameters
    ----------
    key
        The user id.
    order
        A record of a lower one never replaces this one.
    value
        The record's value; None: there is none any more.
    """

    key: bytes
    order: int
    value: bytes | None


class UserStore:
    """Users' newest records in RocksDB, each written together with the position behind it.

    Everything in it comes from the topics, so a store that is damaged, of another format or made
    from other topics is thrown away and filled anew. `newest` and `keys` may be called from any
    thread, all else from one.

    Make one with `UserStore.open`.
    """

    def __init__(self, directory: Path, database: Database, lock: DirectoryLock) -> None:
        self._directory = directory
        self._database = database
        self._lock = lock

    @classmethod
    def open(
        cls,
        directory: Path,
        topic_ids: Mapping[str, str | None],
        ends: Mapping[Kind, Mapping[int, int]],
        *,
        cache_bytes: int,
        write_buffer_bytes: int,
    ) -> "UserStore":
        """Open the store in `directory`, or begin one there.

        Parameters
        ----------
        directory
            Its own: nothing else may lie there.
        topic_ids
            Of the topics that it is filled from (`Log.topic_ids`).
        ends
            Of each kind's topic, partition by partition: a store that was read further than that
            was filled from another one.
        cache_bytes, write_buffer_bytes
            Bounds of RocksDB's memory.

        Raises
        ------
        StateLockedError
            Another process has it open.
        StorageFullError
            The directory cannot be written.
        """
        with writable(directory):
            directory.mkdir(parents=True, exist_ok=True)
            lock = DirectoryLock(directory)
        with ExitStack() as undo:
            undo.callback(lock.release)
            origin = json.dumps({"format": FORMAT, "topics": dict(topic_ids)}, sort_keys=True)
            fault = None
            try:
                database = _open(directory, cache_bytes, write_buffer_bytes)
                found = fetch(database, "meta", _ORIGIN)
                other = found is not None and found != origin.encode()
                if other or _is_ahead(database, ends):
                    database.close()
                    fault = "was filled from other topics, or by another version"
            except StateCorruptError as error:
                fault = f"is damaged ({error.__cause__ or error})"
            if fault is not None:
                _LOGGER.warning("the store in %s %s: it is filled anew", directory, fault)
                with writable(directory):
                    shutil.rmtree(directory / "db")
                database = _open(directory, cache_bytes, write_buffer_bytes)
            with plain_errors(directory):
                database.family("meta")[_ORIGIN] = origin.encode()
            undo.pop_all()
            return cls(directory, database, lock)

    def positions(self, kind: Kind) -> dict[int, int]:
        """Return partition -> the offset to read a kind's topic from; none where not read yet."""
        return _positions(self._database, kind)

    def write(self, kind: Kind, changes: Iterable[Change], positions: Mapping[int, int]) -> int:
        """Write changes and the positions behind them at once; return how many users changed.

        Of a user's changes, the last one counts that is not older than what is stored.
        """
        last: dict[bytes, Change] = {}
        forgotten: set[bytes] = set()
        for change in changes:
            before = last.get(change.key)
            if change.value is None:
                forgotten.add(change.key)
                last[change.key] = change
            elif before is None or before.value is None or change.order >= before.order:
                last[change.key] = change
        keys = sorted(last)
        batch = WriteBatch(raw_mode=True)
        with plain_errors(self._directory):
            stored = fetch_all(self._database, kind, keys) if keys else []
            batch.set_default_column_family(self._handle(kind))
            written = 0
            for key, known in zip(keys, stored, strict=True):
                change = last[key]
                if change.value is None:
                    batch.delete(key)
                elif known is None or key in forgotten or _order(known) <= change.order:
                    batch.put(key, change.order.to_bytes(_ORDER_BYTES, "big") + change.value)
                else:
                    continue
                written += 1
            batch.set_default_column_family(self._handle("meta"))
            document = {str(partition): offset for partition, offset in positions.items()}
            batch.put(_POSITIONS + kind.encode(), json.dumps(document).encode())
            self._database.rocks.write(batch)
        return written

    def _handle(self, family: str) -> Any:
        return self._database.rocks.get_column_family_handle(family)

    def newest(self, kind: Kind, key: bytes) -> bytes | None:
        """Return the value of a user's newest record, None where there is none."""
        with plain_errors(self._directory):
            found = fetch(self._database, kind, key)
        return None if found is None else found[_ORDER_BYTES:]

    def keys(self, kind: Kind, prefix: bytes, count: int) -> list[bytes]:
        """Return the first users, in order, whose keys begin with `prefix`."""
        with plain_errors(self._directory):
            found = (key for key, _ in scan(self._database, kind, prefix))
            return list(islice(takewhile(lambda key: key.startswith(prefix), found), count))

    def users(self, kind: Kind) -> int:
        """Return how many users have a record of a kind, roughly: users written twice count."""
        family: Any = self._database.family(kind)
        return int(family.property_int_value("rocksdb.estimate-num-keys") or 0)

    def nbytes(self) -> int:
        """Return the bytes that it takes on disk and in tables not written yet."""
        return sum(property_of(self._database, name) for name in _SIZES)

    def close(self) -> None:
        """Let go of it; a closed store may be closed again."""
        self._database.close()
        self._lock.release()


def _open(directory: Path, cache_bytes: int, write_buffer_bytes: int) -> Database:
    families = ("meta", *KINDS)
    return open_database(directory / "db", cache_bytes, write_buffer_bytes, families)


def _positions(database: Database, kind: Kind) -> dict[int, int]:
    found = fetch(database, "meta", _POSITIONS + kind.encode())
    stored: dict[str, int] = {} if found is None else json.loads(found)
    return {int(partition): offset for partition, offset in stored.items()}


def _is_ahead(database: Database, ends: Mapping[Kind, Mapping[int, int]]) -> bool:
    return any(
        offset > ends[kind].get(partition, 0)
        for kind in KINDS
        for partition, offset in _positions(database, kind).items()
    )


def _order(stored: bytes) -> int:
    return int.from_bytes(stored[:_ORDER_BYTES], "big")

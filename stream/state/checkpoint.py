"""A checkpoint: a partition's state as of one flush, opened read-only by other processes."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from gsr.counters.items.partition_items import PartitionItems
from gsr.counters.users.user_buffer import UserBuffer
from stream.errors import StateCorruptError
from stream.state.feed import CHUNK_ROWS, FeedChunk, decode_chunk, empty_chunk, join_chunks
from stream.state.meta import StateMeta
from stream.state.packing import seen_in
from stream.state.reading import (
    decode_user,
    read_items,
    read_meta,
    read_users,
    sequence_key,
    stored_items,
)
from stream.state.rocks import Database, database_path, fetch, open_read_only, plain_errors, scan


class Checkpoint:
    """A checkpoint directory, opened read-only.

    Make one with `Checkpoint.open`. A state directory that no process writes may be opened too.

    Parameters
    ----------
    path
        What was opened, for messages.
    database
        The open database.
    meta
        Its shape and progress.
    """

    def __init__(self, path: Path, database: Database, meta: StateMeta) -> None:
        self.meta = meta
        self._path = path
        self._database = database
        self._open = True

    @classmethod
    def open(cls, path: Path) -> "Checkpoint":
        """Open a directory that `PartitionStore.checkpoint` wrote.

        Raises
        ------
        StateMismatchError
            Another format version.
        StateCorruptError
            Torn or damaged.
        """
        path = database_path(Path(path))
        database = open_read_only(path)
        try:
            with plain_errors(path):
                meta = read_meta(database, str(path))
        except BaseException:
            database.close()
            raise
        if meta is None:
            database.close()
            raise StateCorruptError(f"{path} holds no state: use another checkpoint.")
        return cls(path, database, meta)

    @property
    def database(self) -> Database:
        """The open database, for `check` and `dump`."""
        return self._database

    def vocabulary(self, start_index: int = 0) -> list[tuple[int, str]]:
        """Return (index, item id) of every item with an index from `start_index` on, ascending.

        Items that have left the state are not in it; feed rows may still name their indexes.
        """
        with plain_errors(self._path):
            stored = stored_items(self._database, self.meta, start_index)
        return [
            (index, item_id.decode())
            for index, item_id in zip(stored.indexes.tolist(), stored.ids, strict=True)
            if item_id is not None
        ]

    def feed(self, start_sequence: int, limit: int) -> FeedChunk:
        """Return at most `limit` rows of the accepted feed from `start_sequence` on.

        Starts later where the oldest rows have left (`FeedChunk.start` tells); empty at the end.

        Raises
        ------
        StateCorruptError
            A chunk is missing or damaged.
        """
        start = max(start_sequence, self.meta.feed_start)
        stop = min(start + limit, self.meta.feed_stop)
        if start >= stop:
            return empty_chunk(start)
        first = start // CHUNK_ROWS * CHUNK_ROWS
        with plain_errors(self._path):
            chunks = [
                self._chunk(fetch(self._database, "feed", sequence_key(sequence)), sequence)
                for sequence in range(first, stop, CHUNK_ROWS)
            ]
        rows = join_chunks(chunks)
        if rows.stop < stop:
            raise StateCorruptError(f"{self._path}: the accepted feed lacks rows before {stop}.")
        return rows.rows(start - first, stop - first)

    def _chunk(self, value: bytes | None, sequence: int) -> FeedChunk:
        """Decode a chunk that must be there."""
        if value is None:
            raise StateCorruptError(f"{self._path}: chunk {sequence} of the feed is missing.")
        return decode_chunk(sequence, value)

    def history(self) -> int | None:
        """Return how many clicks from before the log this state began with (see bootstrap).

        None where the state cannot tell: it was begun before states noted it, and its oldest
        clicks have left the feed.
        """
        noted = self.meta.counters.get("history")
        if noted is not None or self.meta.feed_start > 0:
            return noted
        oldest = self.feed(0, 1).offsets
        return -min(0, int(oldest[0])) if len(oldest) else 0

    def buffers(self, user_ids: Sequence[str]) -> dict[str, UserBuffer]:
        """Return the buffers of those of `user_ids` that are known; items are indexes."""
        with plain_errors(self._path):
            stored = read_users(self._database, user_ids)
        known = {user_id: decode_user(*values) for user_id, values in stored.items()}
        return {user_id: known[user_id] for user_id in user_ids if self._lives(known.get(user_id))}

    def _lives(self, buffer: UserBuffer | None) -> bool:
        """Tell whether a user is there and has not expired."""
        ttl = self.meta.config.user_ttl_seconds
        horizon = -math.inf if ttl is None else self.meta.watermark - ttl
        return buffer is not None and buffer.last_click_at >= horizon

    def items(self) -> PartitionItems:
        """Return every item with its counters."""
        with plain_errors(self._path):
            return read_items(self._database, self.meta)

    def users(self, limit: int | None = None) -> Iterator[tuple[str, UserBuffer]]:
        """Yield users in the order of their ids, at most `limit`; items are indexes."""
        left = math.inf if limit is None else limit
        for key, value in scan(self._database, "users"):
            if left <= 0:
                return
            seen = fetch(self._database, "filters", key) if seen_in(value) > 0 else b""
            buffer = decode_user(value, seen or b"")
            if self._lives(buffer):
                left -= 1
                yield key.decode(), buffer

    def close(self) -> None:
        """Let go of the files; a closed checkpoint may be closed again."""
        if self._open:
            self._open = False
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

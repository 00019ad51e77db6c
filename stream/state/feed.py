"""The accepted feed: the clicks that changed the state, in their order."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsr.counters.applied_clicks import ACCEPTED, FORGET_EVENT, FORGOTTEN, AppliedClicks
from gsr.counters.click_batch import ClickBatch
from gsr.counters.ids.byte_column import ByteColumn
from gsr.counters.ids.id_column import IdColumn, join_ids
from gsr.counters.items.item_columns import NO_INDEX
from stream.errors import StateCorruptError

CHUNK_ROWS: Final = 1024
"""Rows per chunk; chunk starts are multiples of it."""

_ROW_BYTES: Final = 31
_HEADER_BYTES: Final = 4
_PENDING_ROW_BYTES: Final = _ROW_BYTES + 8  # with a guess at the length of a user's id


@dataclass(frozen=True, slots=True)
class FeedChunk:
    """Consecutive rows of a partition's accepted feed; n of them.

    Parameters
    ----------
    start
        Sequence number of the first row; row i has ``start + i``.
    user_ids
        n strings.
    items
        int64 [n], item indexes (see `Checkpoint.vocabulary`); -1 in a forget row.
    times
        float64 [n], event times in seconds since the epoch; 0 in a forget row.
    events
        uint8 [n], event codes; `FORGET_EVENT` in a forget row.
    append_times
        float64 [n], when the log took the click.
    offsets
        int64 [n], offset of the click's record.
    """

    start: int
    user_ids: Sequence[str]
    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]
    append_times: npt.NDArray[np.float64]
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.user_ids)

    @property
    def stop(self) -> int:
        """Sequence number after the last row."""
        return self.start + len(self)

    def rows(self, start: int, stop: int) -> "FeedChunk":
        """Return rows ``start : stop``, counted from the chunk's first."""
        part = slice(start, stop)
        return FeedChunk(
            self.start + start,
            self.user_ids[part],
            self.items[part],
            self.times[part],
            self.events[part],
            self.append_times[part],
            self.offsets[part],
        )


def empty_chunk(start: int) -> FeedChunk:
    """Return a chunk without rows."""
    return FeedChunk(
        start,
        [],
        np.zeros(0, dtype=np.int64),
        np.zeros(0, dtype=np.float64),
        np.zeros(0, dtype=np.uint8),
        np.zeros(0, dtype=np.float64),
        np.zeros(0, dtype=np.int64),
    )


def accepted_rows(start: int, batch: ClickBatch, applied: AppliedClicks) -> FeedChunk:
    """Return the rows of a batch that changed something: accepted clicks and forgotten users."""
    told = np.flatnonzero((applied.outcomes == ACCEPTED) | (applied.outcomes == FORGOTTEN))
    forget = batch.forget[told]
    return FeedChunk(
        start,
        IdColumn.of(batch.user_ids).rows(told).compact(),
        applied.item_indexes[told],
        np.where(forget, 0.0, batch.times[told]),
        np.where(forget, FORGET_EVENT, batch.events[told]).astype(np.uint8),
        batch.append_times[told],
        batch.offsets[told],
    )


def join_chunks(chunks: Sequence[FeedChunk]) -> FeedChunk:
    """Return chunks that follow each other as one."""
    return FeedChunk(
        chunks[0].start,
        join_ids([IdColumn.of(chunk.user_ids) for chunk in chunks]),
        np.concatenate([chunk.items for chunk in chunks]),
        np.concatenate([chunk.times for chunk in chunks]),
        np.concatenate([chunk.events for chunk in chunks]),
        np.concatenate([chunk.append_times for chunk in chunks]),
        np.concatenate([chunk.offsets for chunk in chunks]),
    )


def encode_chunk(chunk: FeedChunk) -> bytes:
    """Return a chunk as bytes.

    Wide columns are stored byte plane by byte plane, which compresses far better than row by row.
    """
    ids = IdColumn.of(chunk.user_ids).compact()
    return b"".join(
        (
            len(chunk).to_bytes(_HEADER_BYTES, "little"),
            ids.lengths.astype(np.uint16).tobytes(),
            np.where(chunk.items < 0, NO_INDEX, chunk.items).astype(np.uint32).tobytes(),
            chunk.events.tobytes(),
            _planes(chunk.times),
            _planes(chunk.append_times),
            _planes(chunk.offsets),
            ids.data.tobytes(),
        )
    )


def decode_chunk(start: int, value: bytes) -> FeedChunk:
    """Return the chunk that `encode_chunk` wrote.

    Raises
    ------
    StateCorruptError
        The bytes are not such a chunk.
    """
    n = int.from_bytes(value[:_HEADER_BYTES], "little")
    wide = _HEADER_BYTES + 7 * n
    names = _HEADER_BYTES + _ROW_BYTES * n
    if len(value) < names:
        raise StateCorruptError(f"Chunk {start} of the accepted feed is cut short.")
    lengths = np.frombuffer(value, np.uint16, count=n, offset=_HEADER_BYTES).astype(np.int64)
    items = np.frombuffer(value, np.uint32, count=n, offset=_HEADER_BYTES + 2 * n)
    ends = names + np.cumsum(lengths)
    if n > 0 and int(ends[-1]) != len(value):
        raise StateCorruptError(f"Chunk {start} of the accepted feed has the wrong length.")
    return FeedChunk(
        start,
        IdColumn.of_bytes(ByteColumn(np.frombuffer(value, np.uint8), ends - lengths, lengths)),
        np.where(items == NO_INDEX, -1, items.astype(np.int64)),
        _column(value, wide, n, np.float64),
        np.frombuffer(value, np.uint8, count=n, offset=_HEADER_BYTES + 6 * n),
        _column(value, wide + 8 * n, n, np.float64),
        _column(value, wide + 16 * n, n, np.int64),
    )


def _planes(column: npt.NDArray[Any]) -> bytes:
    """Return a column of eight-byte values byte plane by byte plane."""
    return np.ascontiguousarray(column).view(np.uint8).reshape(-1, 8).T.tobytes()


def _column(value: bytes, offset: int, n: int, dtype: type[Any]) -> npt.NDArray[Any]:
    """Return the column whose byte planes start at `offset`."""
    planes = np.frombuffer(value, np.uint8, count=8 * n, offset=offset).reshape(8, n)
    column: npt.NDArray[Any] = np.ascontiguousarray(planes.T).view(dtype).reshape(n)
    return column


class FeedTail:
    """The end of the feed: rows not written yet, and which chunks are there.

    What leaves when is decided as full chunks come up, so it does not depend on flushes.

    Parameters
    ----------
    cap_bytes
        How much all full chunks may take, before compression.
    start, dropped
        First sequence number that is still there, and how many rows have left.
    sizes
        (first sequence number, bytes) of the full chunks, ascending.
    tail
        The last chunk, not full.
    """

    def __init__(
        self,
        cap_bytes: int,
        start: int,
        dropped: int,
        sizes: Sequence[tuple[int, int]],
        tail: FeedChunk,
    ) -> None:
        self.start = start
        self.dropped = dropped
        self.pending_bytes = 0
        self._cap_bytes = cap_bytes
        self._sizes = deque(sizes)
        self._total = sum(size for _, size in sizes)
        self._parts = [tail]
        self.stop = tail.stop

    @property
    def nbytes(self) -> int:
        """What the feed holds, before compression; full chunks stay within the cap."""
        return self._total + _PENDING_ROW_BYTES * (self.stop - self._parts[0].start)

    def append(self, rows: FeedChunk) -> None:
        """Add rows at the end; their own `start` does not matter."""
        self._parts.append(rows)
        self.stop += len(rows)
        self.pending_bytes += _PENDING_ROW_BYTES * len(rows)

    def changes(self) -> "FeedChanges":
        """Return what to write, and forget that it was pending."""
        rows = join_chunks(self._parts)
        changes = FeedChanges({}, {}, [])
        full = len(rows) // CHUNK_ROWS * CHUNK_ROWS
        for first in range(0, full, CHUNK_ROWS):
            self._complete(rows.rows(first, first + CHUNK_ROWS), changes)
        tail = rows.rows(full, len(rows))
        if len(tail) > 0:
            changes.chunks[tail.start] = encode_chunk(tail)
        self._parts = [tail]
        self.pending_bytes = 0
        return changes

    def _complete(self, chunk: FeedChunk, changes: "FeedChanges") -> None:
        """Note a full chunk; the oldest ones leave for it."""
        value = encode_chunk(chunk)
        changes.chunks[chunk.start] = value
        changes.sizes[chunk.start] = len(value)
        self._sizes.append((chunk.start, len(value)))
        self._total += len(value)
        while self._total > self._cap_bytes:
            first, size = self._sizes.popleft()
            self._total -= size
            self.start = first + CHUNK_ROWS
            self.dropped += CHUNK_ROWS
            changes.chunks.pop(first, None)
            changes.sizes.pop(first, None)
            changes.dropped.append(first)


@dataclass(frozen=True, slots=True)
class FeedChanges:
    """What a flush writes of the feed.

    Parameters
    ----------
    chunks
        Values by first sequence number.
    sizes
        Bytes of the full ones among them.
    dropped
        First sequence numbers of chunks that left.
    """

    chunks: dict[int, bytes]
    sizes: dict[int, int]
    dropped: list[int]

"""Users and rows of the graph as bytes; everything little-endian. Items: see `item_blocks`.

::

    users    user id         source_offset i64 | accepted_at f64 | n i32 | m i32
                             | items u32[n] | fingerprints u32[n] | times f64[n]
                             | events u8[n] | hashes u64[n]
    filters  user id         fingerprints u32[m], oldest first
    graph    index u32 (BE)  references i64[S + C] | neighbours u32[n] | weights f32[S + C][n]
"""

import math
import sys
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel
from gsr.counters.items.edge_rows import Edges
from gsr.counters.items.item_columns import ItemColumns
from gsr.counters.users.user_columns import BYTES_PER_CLICK, BYTES_PER_USER, UserColumns
from gsr.counters.users.user_slots import UserSlots

if sys.byteorder != "little":
    raise ImportError("State is stored as memory holds it, which must be little-endian.")

_OFFSET: Final = slice(0, 8)
_LENGTH: Final = slice(16, 20)
_SEEN_LENGTH: Final = slice(20, 24)


def as_bytes(column: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return a column as uint8 [rows, bytes], also where it is part of wider records."""
    cells = column.reshape(len(column), math.prod(column.shape[1:]))
    return cells.view(np.uint8)


class UserBytes(NamedTuple):
    """`UserColumns` as bytes.

    Parameters
    ----------
    source_offsets, accepted_at, lengths, seen_lengths
        uint8 [slots, width of the column].
    blocks, firsts
        As in `UserColumns`: their sum is where the oldest click stands in the columns below.
    items, fingerprints, times, events, hashes
        uint8 [clicks * width of the column].
    """

    source_offsets: npt.NDArray[np.uint8]
    accepted_at: npt.NDArray[np.uint8]
    lengths: npt.NDArray[np.uint8]
    seen_lengths: npt.NDArray[np.uint8]
    blocks: npt.NDArray[np.int64]
    firsts: npt.NDArray[np.int32]
    items: npt.NDArray[np.uint8]
    fingerprints: npt.NDArray[np.uint8]
    times: npt.NDArray[np.uint8]
    events: npt.NDArray[np.uint8]
    hashes: npt.NDArray[np.uint8]


def user_bytes(users: UserColumns) -> UserBytes:
    """Return views of the columns that are stored."""
    return UserBytes(
        source_offsets=as_bytes(users.source_offsets),
        accepted_at=as_bytes(users.accepted_at),
        lengths=as_bytes(users.lengths),
        seen_lengths=as_bytes(users.seen_lengths),
        blocks=users.blocks,
        firsts=users.firsts,
        items=users.buffers.items.view(np.uint8),
        fingerprints=users.buffers.fingerprints.view(np.uint8),
        times=users.buffers.times.view(np.uint8),
        events=users.buffers.events,
        hashes=users.buffers.hashes.view(np.uint8),
    )


def pack_users(
    users: UserColumns, slots: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the values of users, one after another, and where each ends, int64 [n]."""
    lengths = users.lengths[slots].astype(np.int64)
    ends = np.cumsum(BYTES_PER_USER + BYTES_PER_CLICK * lengths)
    out = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
    _pack_users(user_bytes(users), slots, lengths, out)
    return out, ends


@lean_kernel
def _copy(
    source: npt.NDArray[np.uint8],
    start: int,
    target: npt.NDArray[np.uint8],
    at: int,
    count: int,
) -> int:
    """Copy `count` bytes; return where the next ones go."""
    there = target[at : at + count]
    here = source[start : start + count]
    for i in range(count):
        there[i] = here[i]
    return at + count


@lean_kernel
def _pack_users(
    users: UserBytes,
    slots: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    out: npt.NDArray[np.uint8],
) -> None:
    """Write the values of users behind each other."""
    at = 0
    for i in range(len(slots)):
        slot = slots[i]
        start = users.blocks[slot] + users.firsts[slot]
        n = lengths[i]
        at = _copy(users.source_offsets[slot], 0, out, at, 8)
        at = _copy(users.accepted_at[slot], 0, out, at, 8)
        at = _copy(users.lengths[slot], 0, out, at, 4)
        at = _copy(users.seen_lengths[slot], 0, out, at, 4)
        at = _copy(users.items, 4 * start, out, at, 4 * n)
        at = _copy(users.fingerprints, 4 * start, out, at, 4 * n)
        at = _copy(users.times, 8 * start, out, at, 8 * n)
        at = _copy(users.events, start, out, at, n)
        at = _copy(users.hashes, 8 * start, out, at, 8 * n)


@lean_kernel
def _unpack_users(
    users: UserBytes,
    slots: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    packed: npt.NDArray[np.uint8],
) -> None:
    """Read the values of users, which stand behind each other, into their slots."""
    at = 0
    for i in range(len(slots)):
        slot = slots[i]
        start = users.blocks[slot] + users.firsts[slot]
        n = lengths[i]
        _copy(packed, at, users.source_offsets[slot], 0, 8)
        _copy(packed, at + 8, users.accepted_at[slot], 0, 8)
        _copy(packed, at + 16, users.lengths[slot], 0, 4)
        at += BYTES_PER_USER
        _copy(packed, at, users.items, 4 * start, 4 * n)
        at += 4 * n
        _copy(packed, at, users.fingerprints, 4 * start, 4 * n)
        at += 4 * n
        _copy(packed, at, users.times, 8 * start, 8 * n)
        at += 8 * n
        _copy(packed, at, users.events, start, n)
        at += n
        _copy(packed, at, users.hashes, 8 * start, 8 * n)
        at += 8 * n


def fill_slots(
    users: UserSlots, slots: npt.NDArray[np.int64], stored: Sequence[tuple[bytes, bytes]]
) -> None:
    """Fill empty slots, int64 [n], with the values of n users: buffer and seen filter."""
    values = [value for value, _ in stored]
    lengths = np.fromiter(map(clicks_in, values), dtype=np.int64, count=len(values))
    users.give_room(slots, lengths)
    packed = np.frombuffer(b"".join(values), dtype=np.uint8)
    _unpack_users(user_bytes(users.columns), slots, lengths, packed)
    for slot, (value, seen) in zip(slots.tolist(), stored, strict=True):
        if seen_in(value) > 0:
            users.put_seen(slot, np.frombuffer(seen, dtype=np.uint32))


def clicks_in(value: bytes) -> int:
    """Return how many clicks a user's value holds."""
    return (len(value) - BYTES_PER_USER) // BYTES_PER_CLICK


def seen_in(value: bytes) -> int:
    """Return how many items the user's seen filter holds."""
    return int.from_bytes(value[_SEEN_LENGTH], "little")


def whole_user(value: bytes) -> bool:
    """Tell whether a user's value has the length that it says."""
    said = int.from_bytes(value[_LENGTH], "little")
    return len(value) == BYTES_PER_USER + BYTES_PER_CLICK * said and said > 0


def newest_time(value: bytes) -> float:
    """Return the time of a user's newest click."""
    n = clicks_in(value)
    return float(np.frombuffer(value, np.float64, count=1, offset=BYTES_PER_USER + 16 * n - 8)[0])


def row_words(scales: int, length: int) -> int:
    """Return how many 4-byte words a row of the graph takes, of so many scales (S + C)."""
    return 2 * scales + (1 + scales) * length


def pack_rows(
    items: ItemColumns, edges: Edges, rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the values of rows, one after another, and where each ends in bytes, int64 [n].

    A row without neighbours has no bytes.
    """
    scales = items.row_references.shape[1]
    lengths = items.row_lengths[rows].astype(np.int64)
    words = np.where(lengths > 0, 2 * scales + (1 + scales) * lengths, 0)
    ends = np.cumsum(words)
    out = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.uint32)
    _pack_rows(
        items,
        edges.neighbours.slots,
        edges.weights.view(np.uint32),
        items.row_references.view(np.uint32),
        rows,
        out,
    )
    return out.view(np.uint8), 4 * ends


@lean_kernel
def _pack_rows(
    items: ItemColumns,
    neighbours: npt.NDArray[np.uint32],
    weights: npt.NDArray[np.uint32],
    references: npt.NDArray[np.uint32],
    rows: npt.NDArray[np.int64],
    out: npt.NDArray[np.uint32],
) -> None:
    """Write rows behind each other, naming neighbours by index and weights scale by scale."""
    at = 0
    for row in rows:
        start = items.row_starts[row]
        stop = start + items.row_lengths[row]
        if start == stop:
            continue
        for word in range(references.shape[1]):
            out[at] = references[row, word]
            at += 1
        for slot in range(start, stop):
            out[at] = items.indexes[neighbours[slot]]
            at += 1
        for s in range(weights.shape[1]):
            for slot in range(start, stop):
                out[at] = weights[slot, s]
                at += 1


@lean_kernel
def unpack_rows(
    packed: npt.NDArray[np.uint32],
    words: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    references: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int32],
    neighbours: npt.NDArray[np.uint32],
    weights: npt.NDArray[np.uint32],
) -> None:
    """Read rows that stand behind each other.

    Parameters
    ----------
    packed
        The values.
    words
        int64 [n], how many words each takes.
    rows
        int64 [n], which rows they are.
    references
        uint32 [N, 2 (S + C)], filled in these rows.
    starts, lengths
        int64 [N] and int32 [N], filled in these rows.
    neighbours
        uint32 [slots], filled: item indexes.
    weights
        uint32 [slots, S + C], filled.
    """
    scales = weights.shape[1]
    at = 0
    slot = 0
    for i in range(len(words)):
        length = (words[i] - 2 * scales) // (1 + scales)
        for word in range(2 * scales):
            references[rows[i], word] = packed[at + word]
        at += 2 * scales
        starts[rows[i]] = slot
        lengths[rows[i]] = length
        for j in range(length):
            neighbours[slot + j] = packed[at + j]
        at += length
        for s in range(scales):
            for j in range(length):
                weights[slot + j, s] = packed[at + j]
            at += length
        slot += length

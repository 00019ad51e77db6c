"""Reads of a state's records, for the store and for checkpoints alike."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.counters import Counters
from gsr.counters.ids.byte_column import ByteColumn
from gsr.counters.items.item_columns import NO_INDEX
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.items.partition_items import PartitionItems
from gsr.counters.users.user_buffer import UserBuffer
from stream.errors import StateCorruptError, StateError
from stream.state.feed import CHUNK_ROWS, FeedTail, decode_chunk, empty_chunk
from stream.state.item_blocks import StoredItems, block_of, unpack_item_blocks
from stream.state.meta import (
    FORMAT_KEY,
    PROGRESS_KEY,
    SHAPE_KEY,
    TOPICS_KEY,
    StateMeta,
    decode_meta,
)
from stream.state.packing import (
    clicks_in,
    row_words,
    seen_in,
    unpack_rows,
    whole_user,
)
from stream.state.rocks import Database, fetch, fetch_all, scan

INDEX_BYTES: Final = 4
SEQUENCE_BYTES: Final = 8
CHUNK_SIZE_PREFIX: Final = b"chunk:"
CHUNK_SIZE_BYTES: Final = 4
_WORD_BYTES: Final = 4


def index_key(index: int) -> bytes:
    """Return the key of an item: keys sort as indexes do."""
    return index.to_bytes(INDEX_BYTES, "big")


def sequence_key(sequence: int) -> bytes:
    """Return the key of a chunk of the feed: keys sort as sequence numbers do."""
    return sequence.to_bytes(SEQUENCE_BYTES, "big")


def read_meta(database: Database, place: str) -> StateMeta | None:
    """Return shape and progress of the state, None for an empty database.

    Raises
    ------
    StateMismatchError, StateCorruptError
        See `decode_meta`.
    """
    found = {
        key: value
        for key in (FORMAT_KEY, SHAPE_KEY, PROGRESS_KEY, TOPICS_KEY)
        if (value := fetch(database, "meta", key)) is not None
    }
    return decode_meta(found, place) if found else None


def _read_chunk_sizes(database: Database) -> list[tuple[int, int]]:
    """Return (first sequence number, bytes) of the feed's full chunks, ascending."""
    sizes = []
    for key, value in scan(database, "meta", CHUNK_SIZE_PREFIX):
        if not key.startswith(CHUNK_SIZE_PREFIX):
            break
        first = int.from_bytes(key[len(CHUNK_SIZE_PREFIX) :], "big")
        sizes.append((first, int.from_bytes(value, "little")))
    return sizes


def read_feed_tail(database: Database, meta: StateMeta, place: str) -> FeedTail:
    """Return the end of the accepted feed, to which a store adds.

    Raises
    ------
    StateError
        Its last chunk ends elsewhere than `meta` says.
    """
    first = meta.feed_stop // CHUNK_ROWS * CHUNK_ROWS
    tail = empty_chunk(first)
    if first < meta.feed_stop:
        tail = decode_chunk(first, fetch(database, "feed", sequence_key(first)) or b"")
    if tail.stop != meta.feed_stop:
        raise StateError(f"{place}: the accepted feed ends early: restore a backup.")
    return FeedTail(
        meta.config.feed_bytes,
        meta.feed_start,
        meta.counters["feed_dropped"],
        _read_chunk_sizes(database),
        tail,
    )


def load_items(database: Database, meta: StateMeta, counters: Counters) -> None:
    """Bring the items, and how far the state is, into empty counters; see `read_items`."""
    counters.absorb(read_items(database, meta), keep_indexes=True)
    counters.items.number_from(meta.next_index)
    counters.items_removed = meta.counters["items_removed"]
    counters.progress.watermark[0] = meta.watermark
    counters.mark_clean()


def read_items(database: Database, meta: StateMeta) -> PartitionItems:
    """Return every item with its counters, in the order of their indexes.

    Raises
    ------
    StateCorruptError
        A row names an item that does not exist, or a value has an impossible length.
    """
    stored = stored_items(database, meta)
    return PartitionItems(
        ids=[item_id.decode() for item_id in stored.ids if item_id is not None],
        indexes=stored.indexes,
        created_at=stored.counters["created_at"].copy(),
        graph=_read_graph(database, meta, stored),
    )


def stored_items(database: Database, meta: StateMeta, start_index: int = 0) -> StoredItems:
    """Return the items with indexes from `start_index` on, without their rows.

    Raises
    ------
    StateCorruptError
        A value is no block of items.
    """
    first = index_key(block_of(start_index))
    found = list(scan(database, "items", first))
    blocks = np.frombuffer(b"".join(key for key, _ in found), dtype=">u4").astype(np.int64)
    values = ByteColumn.of([value for _, value in found])
    items = unpack_item_blocks(blocks, values, len(meta.config.half_lives))
    skipped = int(np.searchsorted(items.indexes, start_index))
    return StoredItems(items.indexes[skipped:], items.counters[skipped:], items.ids[skipped:])


def _read_graph(database: Database, meta: StateMeta, stored: StoredItems) -> ItemGraph:
    """Return the graph of the stored items; its rows are their places."""
    config, n = meta.config, len(stored.indexes)
    scales = len(config.half_lives) + len(config.close_half_lives)
    found = list(scan(database, "graph"))
    sizes = np.fromiter((len(value) for _, value in found), dtype=np.int64, count=len(found))
    words, rest = np.divmod(sizes, _WORD_BYTES)
    lengths = (words - 2 * scales) // (1 + scales)
    if np.any(rest) or np.any(row_words(scales, 0) + (1 + scales) * lengths != words):
        raise StateCorruptError("A row of the graph has an impossible length: restore a backup.")
    owners = np.frombuffer(b"".join(key for key, _ in found), dtype=">u4").astype(np.int64)
    places = np.full(meta.next_index, -1, dtype=np.int64)
    places[stored.indexes] = np.arange(n)
    row_starts = np.zeros(n, dtype=np.int64)
    row_lengths = np.zeros(n, dtype=np.int32)
    row_references = np.zeros((n, scales), dtype=np.int64)
    neighbours = np.zeros(int(lengths.sum()), dtype=np.uint32)
    weights = np.zeros((len(neighbours), scales), dtype=np.float32)
    unpack_rows(
        np.frombuffer(b"".join(value for _, value in found), dtype=np.uint32),
        words,
        _known(places, owners),
        row_references.view(np.uint32),
        row_starts,
        row_lengths,
        neighbours,
        weights.view(np.uint32),
    )
    return ItemGraph(
        half_lives=np.array(config.half_lives, dtype=np.float64),
        row_starts=row_starts,
        row_lengths=row_lengths,
        row_references=row_references,
        neighbours=_known(places, neighbours.astype(np.int64)).astype(np.uint32),
        weights=weights,
        popularity=stored.counters["popularity"].copy(),
        popularity_references=stored.counters["references"].copy(),
        last_clicks=stored.counters["last_click"].copy(),
        alive=np.ones(n, dtype=np.bool_),
        close_half_lives=np.array(config.close_half_lives, dtype=np.float64),
    )


def _known(places: npt.NDArray[np.int64], indexes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the places of items that must be there, by their indexes."""
    if np.any(indexes >= len(places)) or np.any(places[indexes] < 0):
        raise StateCorruptError("The graph names an item that is not there: restore a backup.")
    return places[indexes]


def read_users(database: Database, user_ids: Iterable[str]) -> dict[str, tuple[bytes, bytes]]:
    """Return the values of users who are there, their buffer and their seen filter.

    Raises
    ------
    StateCorruptError
        A user's value has another length than it says.
    """
    keys = sorted(user_id.encode() for user_id in user_ids)
    values = fetch_all(database, "users", keys)
    present = [(key, value) for key, value in zip(keys, values, strict=True) if value is not None]
    with_filter = [key for key, value in present if seen_in(value) > 0]
    found = fetch_all(database, "filters", with_filter)
    filters = dict(zip(with_filter, found, strict=True))
    users = {}
    for key, value in present:
        seen = filters.get(key, b"") or b""
        if not whole_user(value) or len(seen) != _WORD_BYTES * seen_in(value):
            raise StateCorruptError(
                f"What is stored of user {key.decode()!r} is damaged: restore a backup."
            )
        users[key.decode()] = (value, seen)
    return users


def decode_user(value: bytes, seen: bytes) -> UserBuffer:
    """Return a stored user; items are indexes."""
    n = clicks_in(value)
    items = np.frombuffer(value, np.uint32, count=n, offset=24)
    return UserBuffer(
        items=np.where(items == NO_INDEX, -1, items.astype(np.int64)),
        fingerprints=np.frombuffer(value, np.uint32, count=n, offset=24 + 4 * n),
        times=np.frombuffer(value, np.float64, count=n, offset=24 + 8 * n),
        events=np.frombuffer(value, np.uint8, count=n, offset=24 + 16 * n),
        hashes=np.frombuffer(value, np.uint64, count=n, offset=24 + 17 * n),
        seen=np.frombuffer(seen, np.uint32),
        source_offset=int(np.frombuffer(value, np.int64, count=1)[0]),
        accepted_at=float(np.frombuffer(value, np.float64, count=1, offset=8)[0]),
    )

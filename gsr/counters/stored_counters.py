"""Counters as plain arrays, and back again: all that a stream has left in them.

What comes back goes on as the first would have, row by row and user by user. Arrays that come from
elsewhere are checked, since kernels would follow a wrong row out of their memory.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from gsr.counters.ids.byte_column import ByteColumn
from gsr.counters.ids.id_column import MAX_ID_BYTES, IdColumn
from gsr.counters.items.item_columns import NO_INDEX
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.items.item_rows import STORED_OF_ITEMS
from gsr.counters.items.partition_items import PartitionItems
from gsr.counters.users.user_slots import STORED_OF_CLICKS, STORED_OF_USERS
from gsr.errors import SnapshotError

Arrays = dict[str, npt.NDArray[Any]]

_ITEMS: Final = "items."
_USERS: Final = "users."
_WATERMARK: Final = "watermark"
_PER_USER: Final = ("slots", *STORED_OF_USERS)


def counters_as_arrays(counters: Counters) -> Arrays:
    """Return copies of all that goes on; every click must have entered the graph."""
    found = {_ITEMS + name: array for name, array in counters.items.arrays().items()}
    found |= {_USERS + name: array for name, array in counters.users.arrays().items()}
    found[_WATERMARK] = counters.progress.watermark.copy()
    return found


def load_counters(counters: Counters, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Let counters go on where others stood.

    Parameters
    ----------
    counters
        Empty ones, of the configuration of the others.
    arrays
        From `counters_as_arrays`.

    Raises
    ------
    SnapshotError
        The arrays contradict each other, or this configuration; the counters are of no use then.
    """
    items = {n[len(_ITEMS) :]: one for n, one in arrays.items() if n.startswith(_ITEMS)}
    users = {n[len(_USERS) :]: one for n, one in arrays.items() if n.startswith(_USERS)}
    try:
        item_ids, user_ids = _ids(items), _ids(users)
        _check_types(items, counters.items.arrays(), "items")
        _check_types(users, counters.users.arrays(), "users")
        _check_items(items, len(item_ids), counters.config)
        _check_users(users, len(user_ids), counters.config)
        watermark = float(arrays[_WATERMARK][0])
    except (KeyError, IndexError, ValueError) as error:
        raise SnapshotError(f"the stored counters contradict each other: {error}") from error
    _load_items(counters, item_ids, items)
    counters.users.load(user_ids, users)
    counters.progress.watermark[0] = watermark
    counters.mark_clean()


def _load_items(counters: Counters, item_ids: IdColumn, stored: Arrays) -> None:
    indexes = stored["indexes"]
    rows = np.flatnonzero(indexes >= 0)
    counters.items.claim_as_before(
        item_ids, indexes, stored["free_rows"], int(stored["next_index"][0])
    )
    # Neighbours are named by row.
    places = np.full(len(indexes), -1, dtype=np.int64)
    places[rows] = np.arange(len(rows))
    lengths = stored["row_lengths"]
    graph = ItemGraph(
        half_lives=np.array(counters.config.half_lives),
        row_starts=lengths.cumsum(dtype=np.int64) - lengths,
        row_lengths=lengths,
        row_references=stored["row_references"],
        neighbours=places[stored["neighbours"]].astype(np.uint32),
        weights=stored["weights"],
        popularity=stored["popularity"],
        popularity_references=stored["popularity_references"],
        last_clicks=stored["last_clicks"],
        alive=stored["alive"],
        close_half_lives=np.array(counters.config.close_half_lives, dtype=np.float64),
    )
    counters.absorb(PartitionItems(list(item_ids), indexes[rows], stored["created_at"], graph))
    counters.items.columns.alive[rows] = stored["alive"]


def _ids(stored: Arrays) -> IdColumn:
    """Return the ids, each of which is whole, and none of them twice."""
    data, lengths = stored["id_bytes"], stored["id_lengths"].astype(np.int64)
    if len(lengths) and not 1 <= int(lengths.min()) <= int(lengths.max()) <= MAX_ID_BYTES:
        raise ValueError(f"an id has not 1 to {MAX_ID_BYTES} bytes")
    if data.dtype != np.uint8 or int(lengths.sum()) != len(data):
        raise ValueError("the bytes of the ids are not as many as their lengths say")
    ids = IdColumn.of_bytes(ByteColumn(data, lengths.cumsum() - lengths, lengths))
    if len(set(ids)) < len(ids):
        raise ValueError("an id stands there twice")
    return ids


def _check_types(stored: Arrays, wanted: Arrays, what: str) -> None:
    """Refuse arrays of other types, or of another width, than counters have."""
    for name, array in wanted.items():
        found = stored[name]
        if found.dtype != array.dtype or found.shape[1:] != array.shape[1:]:
            raise ValueError(f"{what}.{name} has another type or width")


def _check(holds: Any, message: str) -> None:
    if not holds:
        raise ValueError(message)


def _check_items(stored: Arrays, items: int, config: CounterConfig) -> None:
    indexes, lengths = stored["indexes"], stored["row_lengths"]
    rows = np.flatnonzero(indexes >= 0)
    next_index = int(stored["next_index"][0])
    free = stored["free_rows"]
    _check(len(rows) == items, "there are not as many item ids as items")
    _check(0 <= next_index < NO_INDEX, "the number of the next item is out of range")
    _check(indexes.max(initial=-1) < next_index, "an item's number is out of range")
    _check(len(np.unique(indexes[rows])) == len(rows), "two items have one number")
    _check(np.array_equal(np.sort(free), np.flatnonzero(indexes < 0)), "free rows are not free")
    _check(
        all(len(stored[name]) == items for name in (*STORED_OF_ITEMS, "row_references")),
        "the items' columns differ in length",
    )
    _check(
        not len(lengths) or 0 <= int(lengths.min()) <= int(lengths.max()) <= config.row_slots,
        "an item has more neighbours than a row holds",
    )
    neighbours = stored["neighbours"]
    _check(
        int(lengths.sum(dtype=np.int64)) == len(neighbours) == len(stored["weights"]),
        "the neighbours are not as many as the rows say",
    )
    _check(int(neighbours.max(initial=0)) < max(len(indexes), 1), "a neighbour is out of range")
    _check((indexes[neighbours] >= 0).all(), "a neighbour is no item")


def _check_users(stored: Arrays, users: int, config: CounterConfig) -> None:
    slots, lengths, seen = stored["slots"], stored["lengths"], stored["seen_lengths"]
    used = int(stored["counts"][0])
    _check(all(len(stored[name]) == users for name in _PER_USER), "users' columns differ in length")
    there = np.concatenate([slots, stored["free"]])
    _check(np.array_equal(np.sort(there), np.arange(used)), "users' slots do not fit together")
    for what, most in ((lengths, config.buffer_length), (seen, config.seen_items)):
        _check(
            not len(what) or 0 <= int(what.min()) <= int(what.max()) <= most,
            "a user has more clicks than a buffer holds",
        )
    clicks = int(lengths.sum(dtype=np.int64))
    _check(
        all(len(stored[name]) == clicks for name in STORED_OF_CLICKS)
        and len(stored["marks"]) == int(seen.sum(dtype=np.int64)),
        "clicks are not as many as users' buffers say",
    )

"""Joining counters of several partitions, and taking items out."""

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel
from gsr.counters.arena import block_capacity, release
from gsr.counters.items.decay import power_of_two
from gsr.counters.items.edge_rows import (
    Edges,
    Scratch,
    move_popularity_reference,
    move_row_reference,
    slot_for,
    stored,
)
from gsr.counters.items.item_columns import FREE, ITEMS, ItemColumns
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.rules import EdgeRules


@lean_kernel
def merge_counters(
    items: ItemColumns,
    row: int,
    created_at: float,
    last_click: float,
    popularity: npt.NDArray[np.float32],
    references: npt.NDArray[np.int64],
) -> None:
    """Add another partition's counters of an item to those of row `row`.

    Parameters
    ----------
    items
        The state.
    row
        Where the item stands.
    created_at, last_click
        The other partition's.
    popularity, references
        float32 [S] and int64 [S], the other partition's.
    """
    items.dirty[row] = 1
    if not items.alive[row]:
        items.alive[row] = True
        items.created_at[row] = created_at
        items.last_clicks[row] = last_click
        for s in range(len(popularity)):
            items.popularity[row, s] = popularity[s]
            items.popularity_references[row, s] = references[s]
        return
    items.created_at[row] = min(items.created_at[row], created_at)
    items.last_clicks[row] = max(items.last_clicks[row], last_click)
    for s in range(len(popularity)):
        if references[s] > items.popularity_references[row, s]:
            move_popularity_reference(items, row, s, references[s])
        factor = power_of_two(references[s] - items.popularity_references[row, s])
        items.popularity[row, s] += stored(np.float64(popularity[s]) * factor, items.popularity)


@lean_kernel
def _weighs(weights: npt.NDArray[np.float32], columns: int) -> bool:
    """Tell whether a neighbour has any weight in the first columns."""
    weighs = False
    for s in range(columns):
        weighs |= weights[s] > 0.0
    return weighs


@lean_kernel
def merge_row(
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    scratch: Scratch,
    row: int,
    rows: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.uint32],
    weights: npt.NDArray[np.float32],
    references: npt.NDArray[np.int64],
) -> None:
    """Add another partition's neighbours of an item to row `row`, in their order.

    Into an empty row this is an exact copy. Counters without close clicks take what followed only.

    Parameters
    ----------
    items, edges, rules, scratch
        The state.
    row
        Where the item stands.
    rows
        int64 [items of the partition], where each of them stands.
    neighbours
        uint32 [n], the partition's own rows.
    weights
        float32 [n, S + C].
    references
        int64 [S + C].
    """
    if len(neighbours) == 0:
        return
    columns = edges.weights.shape[1]
    items.row_dirty[row] = 1
    if items.row_lengths[row] == 0:
        for s in range(columns):
            items.row_references[row, s] = references[s]
    for s in range(columns):
        if references[s] > items.row_references[row, s]:
            move_row_reference(items, edges, row, s, references[s])
    for i in range(len(neighbours)):
        if columns < len(references) and not _weighs(weights[i], columns):
            continue
        slot = slot_for(items, edges, rules, scratch, row, rows[neighbours[i]])
        for s in range(columns):
            factor = power_of_two(references[s] - items.row_references[row, s])
            edges.weights[slot, s] += stored(np.float64(weights[i, s]) * factor, edges.weights)


@lean_kernel
def merge_items(
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    scratch: Scratch,
    rows: npt.NDArray[np.int64],
    created_at: npt.NDArray[np.float64],
    other: ItemGraph,
    start: int,
    room: int,
) -> int:
    """Merge another partition's items from its item `start` on.

    Parameters
    ----------
    items, edges, rules, scratch
        The state.
    rows
        int64 [items of the partition], where each of them stands.
    created_at, other
        The partition's, see `PartitionItems`.
    start
        The first item to merge.
    room
        Slots that the arena must have for each item.

    Returns
    -------
    The first item for which the arena has too little room.
    """
    for i in range(start, len(rows)):
        if len(edges.neighbours.slots) - edges.neighbours.top[0] < room:
            return i
        merge_counters(
            items,
            rows[i],
            created_at[i],
            other.last_clicks[i],
            other.popularity[i],
            other.popularity_references[i],
        )
        first = other.row_starts[i]
        last = first + other.row_lengths[i]
        merge_row(
            items,
            edges,
            rules,
            scratch,
            rows[i],
            rows,
            other.neighbours[first:last],
            other.weights[first:last],
            other.row_references[i],
        )
    return len(rows)


@lean_kernel
def clear_rows(
    items: ItemColumns,
    edges: Edges,
    rows: npt.NDArray[np.int64],
    leaving: npt.NDArray[np.bool_],
) -> None:
    """Forget the counters of items, and their edges in both directions.

    Parameters
    ----------
    items, edges
        The state.
    rows
        int64 [n], rows of items.
    leaving
        bool [used], the same as a mask over every row that was ever handed out.
    """
    columns = edges.weights.shape[1]
    for row in range(len(leaving)):
        length = items.row_lengths[row]
        if length == 0 or leaving[row]:
            continue
        start = items.row_starts[row]
        target = start
        for slot in range(start, start + length):
            if leaving[edges.neighbours.slots[slot]]:
                continue
            if target < slot:
                edges.neighbours.slots[target] = edges.neighbours.slots[slot]
                for column in range(columns):
                    edges.weights[target, column] = edges.weights[slot, column]
            target += 1
        if target < start + length:
            items.row_lengths[row] = target - start
            items.row_dirty[row] = 1
    for row in rows:
        if items.row_blocks[row] > 0:
            capacity = block_capacity(items.row_blocks[row])
            release(edges.neighbours, items.row_starts[row], capacity)
        items.row_lengths[row] = 0
        items.row_blocks[row] = 0
        items.alive[row] = False
        items.last_clicks[row] = -np.inf
        for s in range(items.popularity.shape[1]):
            items.popularity[row, s] = 0.0
        items.dirty[row] = 0
        items.row_dirty[row] = 0


@lean_kernel
def remove_rows(
    items: ItemColumns,
    edges: Edges,
    rows: npt.NDArray[np.int64],
    leaving: npt.NDArray[np.bool_],
) -> None:
    """Take items out; arguments as for `clear_rows`."""
    clear_rows(items, edges, rows, leaving)
    for row in rows:
        items.rows[items.indexes[row]] = -1
        items.indexes[row] = -1
        items.free_rows[items.counts[FREE]] = row
        items.counts[FREE] += 1
        items.counts[ITEMS] -= 1

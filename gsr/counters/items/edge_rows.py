"""Rows of the item graph: slots that come and are trimmed, and references that move on."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel, shared_function
from gsr.counters.arena import SMALLEST_BLOCK, Arena, allocate, block_capacity, release
from gsr.counters.items.decay import power_of_two
from gsr.counters.items.item_columns import ROWS, ItemColumns
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.items.nth_largest import nth_largest
from gsr.counters.rules import EdgeRules
from gsr.machine_words import prefetch


class Edges(NamedTuple):
    """The neighbours of all items and the weights of the edges to them.

    Parameters
    ----------
    neighbours
        Item rows, in blocks of an arena.
    weights
        [capacity, S + C], stored weights, slot by slot beside the neighbours: those of what
        followed, then those of close clicks; float32, or float64 where counters are to lose
        nothing.
    """

    neighbours: Arena
    weights: npt.NDArray[Any]


@shared_function
def graph_of(half_lives: npt.NDArray[np.float64], items: ItemColumns, edges: Edges) -> ItemGraph:
    """Return views of counters without close clicks, valid until the next change."""
    return _graph_of(half_lives, half_lives[:0], items, edges)


@shared_function
def whole_graph_of(rules: EdgeRules, items: ItemColumns, edges: Edges) -> ItemGraph:
    """Return views of the counters, valid until the next change."""
    return _graph_of(rules.half_lives, rules.close_half_lives, items, edges)


@shared_function
def _graph_of(
    half_lives: npt.NDArray[np.float64],
    close_half_lives: npt.NDArray[np.float64],
    items: ItemColumns,
    edges: Edges,
) -> ItemGraph:
    used = items.counts[ROWS]
    return ItemGraph(
        half_lives,
        items.row_starts[:used],
        items.row_lengths[:used],
        items.row_references[:used],
        edges.neighbours.slots,
        edges.weights,
        items.popularity[:used],
        items.popularity_references[:used],
        items.last_clicks[:used],
        items.alive[:used],
        close_half_lives,
    )


class Scratch(NamedTuple):
    """Work arrays of the kernels, so that these never allocate.

    Parameters
    ----------
    whole
        int64 [S + C], a time in whole half-lives.
    scale
        float64 [S + C], two to the power of the rest.
    kept
        bool [2K], slots that survive a trim.
    weights
        [2K], of the type of the edges' weights.
    places, lengths
        int64 [2P], what `look_up` found: where in its row a neighbour stands, -1 where it does not,
        and how long the row was then.
    trims
        int64 [1], how often a row was trimmed since it was last set to 0: before looking up.
    """

    whole: npt.NDArray[np.int64]
    scale: npt.NDArray[np.float64]
    kept: npt.NDArray[np.bool_]
    weights: npt.NDArray[Any]
    places: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    trims: npt.NDArray[np.int64]


def new_scratch(
    scales: int, row_slots: int, dtype: npt.DTypeLike = np.float32, pairs: int = 0
) -> Scratch:
    """Return room for rows of `row_slots` slots with `scales` weights of `dtype` each (S + C).

    And for the `pairs` of a click (P).
    """
    return Scratch(
        whole=np.zeros(scales, dtype=np.int64),
        scale=np.zeros(scales, dtype=np.float64),
        kept=np.zeros(row_slots, dtype=np.bool_),
        weights=np.zeros(row_slots, dtype=dtype),
        places=np.zeros(2 * pairs, dtype=np.int64),
        lengths=np.zeros(2 * pairs, dtype=np.int64),
        trims=np.zeros(1, dtype=np.int64),
    )


@lean_kernel
def stored(weight: float, column: npt.NDArray[Any]) -> Any:
    """Round a weight to what is stored of it in `column`.

    Less than the smallest normal number counts as nothing, whatever the processor does with it.
    """
    if weight < np.finfo(column.dtype).tiny:
        return column.dtype.type(0.0)
    return column.dtype.type(weight)


@inner_kernel
def _find(neighbours: Arena, start: int, length: int, target: np.uint32) -> int:
    """Return where from `start` on a neighbour stands, -1 where it does not."""
    found = -1
    # Without an early exit, and on a view from 0, the loop is vectorised: a row of 128 costs a
    # few nanoseconds.
    row = neighbours.slots[start : start + length]
    for i in range(len(row)):
        if row[i] == target:
            found = i
    return found


@lean_kernel
def _mark_heaviest(
    edges: Edges, scratch: Scratch, start: int, length: int, s: int, count: int
) -> None:
    """Mark the slots with the `count` largest weights on scale `s`; of equals the newer ones."""
    for i in range(length):
        scratch.weights[i] = edges.weights[start + i, s]
    border = nth_largest(scratch.weights, length, count)
    for i in range(length):
        if edges.weights[start + i, s] > border:
            scratch.kept[i] = True
            count -= 1
    for i in range(length - 1, -1, -1):
        if count > 0 and edges.weights[start + i, s] == border:
            scratch.kept[i] = True
            count -= 1


@lean_kernel
def _trim(
    items: ItemColumns, edges: Edges, scratch: Scratch, row: int, kept_per_scale: int
) -> None:
    """Keep the union of every scale's heaviest neighbours, in their order."""
    scratch.trims[0] += 1
    start = items.row_starts[row]
    length = items.row_lengths[row]
    scales = edges.weights.shape[1]
    for i in range(length):
        scratch.kept[i] = False
    for s in range(scales):
        _mark_heaviest(edges, scratch, start, length, s, kept_per_scale)
    target = start
    for i in range(length):
        if scratch.kept[i]:
            edges.neighbours.slots[target] = edges.neighbours.slots[start + i]
            for s in range(scales):
                edges.weights[target, s] = edges.weights[start + i, s]
            target += 1
    items.row_lengths[row] = target - start


@lean_kernel
def _enlarge(items: ItemColumns, edges: Edges, row: int) -> None:
    """Move a row to a block of twice the size."""
    start = items.row_starts[row]
    capacity = block_capacity(items.row_blocks[row])
    larger = max(SMALLEST_BLOCK, 2 * capacity)
    moved = allocate(edges.neighbours, larger)
    for i in range(items.row_lengths[row]):
        edges.neighbours.slots[moved + i] = edges.neighbours.slots[start + i]
        for s in range(edges.weights.shape[1]):
            edges.weights[moved + i, s] = edges.weights[start + i, s]
    if capacity > 0:
        release(edges.neighbours, start, capacity)
    items.row_starts[row] = moved
    items.row_blocks[row] += 1


@inner_kernel
def slot_for(
    items: ItemColumns, edges: Edges, rules: EdgeRules, scratch: Scratch, row: int, target: int
) -> int:
    """Return the slot of neighbour `target`; a missing one enters the row with no weight."""
    start = items.row_starts[row]
    found = _find(edges.neighbours, start, items.row_lengths[row], np.uint32(target))
    if found >= 0:
        return int(start + found)
    return _new_slot(items, edges, rules, scratch, row, target)


@inner_kernel
def look_up(
    items: ItemColumns, edges: Edges, scratch: Scratch, row: int, target: int, entry: int
) -> None:
    """Note in an entry of `scratch` where neighbour `target` stands; ask for its weights.

    Looking up several ones before the first is used lets their memory come at the same time.
    """
    start, length = items.row_starts[row], items.row_lengths[row]
    place = _find(edges.neighbours, start, length, np.uint32(target))
    scratch.places[entry] = place
    scratch.lengths[entry] = length
    prefetch(edges.weights, start + (length if place < 0 else place))


@inner_kernel
def slot_looked_up(
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    scratch: Scratch,
    row: int,
    target: int,
    entry: int,
) -> int:
    """Return the same as `slot_for`, by what `look_up` found unless a row was trimmed since."""
    if scratch.trims[0] > 0:
        return slot_for(items, edges, rules, scratch, row, target)
    start, place = items.row_starts[row], scratch.places[entry]
    if place >= 0:
        return int(start + place)
    before = scratch.lengths[entry]
    added = items.row_lengths[row] - before
    if added > 0:
        place = _find(edges.neighbours, start + before, added, np.uint32(target))
        if place >= 0:
            return int(start + before + place)
    return _new_slot(items, edges, rules, scratch, row, target)


@inner_kernel
def _new_slot(
    items: ItemColumns, edges: Edges, rules: EdgeRules, scratch: Scratch, row: int, target: int
) -> int:
    """Return the slot of a neighbour that enters the row with no weight."""
    if items.row_lengths[row] == rules.row_slots:
        _trim(items, edges, scratch, row, rules.kept_per_scale)
    if items.row_lengths[row] == block_capacity(items.row_blocks[row]):
        _enlarge(items, edges, row)
    slot = items.row_starts[row] + items.row_lengths[row]
    edges.neighbours.slots[slot] = np.uint32(target)
    for s in range(edges.weights.shape[1]):
        edges.weights[slot, s] = 0.0
    items.row_lengths[row] += 1
    return int(slot)


@inner_kernel
def move_row_reference(
    items: ItemColumns, edges: Edges, row: int, scale: int, reference: int
) -> None:
    """Express a row's weights on one scale by a later reference: an exact power of two."""
    factor = power_of_two(items.row_references[row, scale] - reference)
    start = items.row_starts[row]
    for slot in range(start, start + items.row_lengths[row]):
        edges.weights[slot, scale] = stored(
            np.float64(edges.weights[slot, scale]) * factor, edges.weights
        )
    items.row_references[row, scale] = reference


@inner_kernel
def move_popularity_reference(items: ItemColumns, row: int, scale: int, reference: int) -> None:
    """Express an item's popularity on one scale by a later reference."""
    factor = power_of_two(items.popularity_references[row, scale] - reference)
    items.popularity[row, scale] = stored(
        np.float64(items.popularity[row, scale]) * factor, items.popularity
    )
    items.popularity_references[row, scale] = reference

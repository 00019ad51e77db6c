"""The second pass over clicks: they add edges and popularity, one click at a time."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel, shared_function
from gsr.counters.applied_clicks import ACCEPTED, AppliedColumns
from gsr.counters.arena import SMALLEST_BLOCK, Arena, allocate, block_capacity, release
from gsr.counters.cache_lines import AHEAD, LINE_BYTES
from gsr.counters.items.decay import power_of_two, split_scales
from gsr.counters.items.item_columns import BYTES_PER_ITEM, ROWS, ItemColumns
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.items.nth_largest import nth_largest
from gsr.counters.progress import StreamProgress
from gsr.counters.rules import EdgeRules
from gsr.machine_words import prefetch

_SLOTS_PER_LINE: Final = LINE_BYTES // 4
"""Neighbours in a cache line."""


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
    """

    whole: npt.NDArray[np.int64]
    scale: npt.NDArray[np.float64]
    kept: npt.NDArray[np.bool_]
    weights: npt.NDArray[Any]


def new_scratch(scales: int, row_slots: int, dtype: npt.DTypeLike = np.float32) -> Scratch:
    """Return room for rows of `row_slots` slots with `scales` weights of `dtype` each (S + C)."""
    return Scratch(
        whole=np.zeros(scales, dtype=np.int64),
        scale=np.zeros(scales, dtype=np.float64),
        kept=np.zeros(row_slots, dtype=np.bool_),
        weights=np.zeros(row_slots, dtype=dtype),
    )


class EdgeArguments(NamedTuple):
    """What `add_edges` needs beside the range of clicks."""

    items: ItemColumns
    edges: Edges
    rules: EdgeRules
    progress: StreamProgress
    scratch: Scratch
    applied: AppliedColumns
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]


@inner_kernel
def split_time(
    time: float,
    half_lives: npt.NDArray[np.float64],
    scratch: Scratch,
) -> None:
    """Split `time` on each scale into whole half-lives and two to the power of the rest."""
    split_scales(time, half_lives, 0, scratch.whole, scratch.scale)


@inner_kernel
def _split_everywhere(time: float, rules: EdgeRules, scratch: Scratch) -> None:
    """Split `time` on the scales of close clicks too, which stand behind the others."""
    split_time(time, rules.half_lives, scratch)
    scales = len(rules.half_lives)
    split_scales(time, rules.close_half_lives, scales, scratch.whole, scratch.scale)


@lean_kernel
def stored(weight: float, column: npt.NDArray[Any]) -> Any:
    """Round a weight to what is stored of it in `column`.

    Less than the smallest normal number counts as nothing, whatever the processor does with it.
    """
    if weight < np.finfo(column.dtype).tiny:
        return column.dtype.type(0.0)
    return column.dtype.type(weight)


@lean_kernel
def _rebase_after(column: npt.NDArray[Any]) -> int:
    """Return how many half-lives past a row's reference a click moves the reference first.

    32 for float32: a quarter of the powers of two that the column holds.
    """
    return int(np.finfo(column.dtype).maxexp // 4)


@inner_kernel
def _find(neighbours: Arena, start: int, length: int, target: np.uint32) -> int:
    """Return the slot of a neighbour, -1 where there is none."""
    found = -1
    # Without an early exit, and on a view from 0, the loop is vectorised: a row of 128 costs a
    # few nanoseconds.
    row = neighbours.slots[start : start + length]
    for i in range(len(row)):
        if row[i] == target:
            found = i
    return -1 if found < 0 else start + found


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
    found = _find(
        edges.neighbours, items.row_starts[row], items.row_lengths[row], np.uint32(target)
    )
    if found >= 0:
        return found
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


@inner_kernel
def _slot_at(
    items: ItemColumns, edges: Edges, rules: EdgeRules, scratch: Scratch, row: int, target: int
) -> int:
    """Return the slot of neighbour `target`; an empty row begins at the time of `scratch`."""
    if items.row_lengths[row] == 0:
        for s in range(len(scratch.whole)):
            items.row_references[row, s] = scratch.whole[s]
    return slot_for(items, edges, rules, scratch, row, target)


@inner_kernel
def _raise_weights(
    items: ItemColumns,
    edges: Edges,
    scratch: Scratch,
    row: int,
    slot: int,
    first: int,
    last: int,
    weight: float,
) -> None:
    """Add to the weights ``first : last`` of a slot of a row."""
    for s in range(first, last):
        shift = scratch.whole[s] - items.row_references[row, s]
        if shift >= _rebase_after(edges.weights):
            move_row_reference(items, edges, row, s, scratch.whole[s])
            shift = 0
        amount = weight * scratch.scale[s] * power_of_two(shift)
        edges.weights[slot, s] += stored(amount, edges.weights)


@inner_kernel
def _mark_row(items: ItemColumns, progress: StreamProgress, scratch: Scratch, row: int) -> None:
    """Note that a row must be written."""
    if items.row_dirty[row] == 0:
        items.row_dirty[row] = 1
        scales = len(scratch.whole)
        progress.dirty_bytes[0] += 8 * scales + 4 * (1 + scales) * items.row_lengths[row]


@inner_kernel
def _add_edge(
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    progress: StreamProgress,
    row: int,
    target: int,
    weight: float,
    scratch: Scratch,
) -> None:
    """Add to the weight of one edge on every time scale."""
    slot = _slot_at(items, edges, rules, scratch, row, target)
    _raise_weights(items, edges, scratch, row, slot, 0, len(rules.half_lives), weight)
    _mark_row(items, progress, scratch, row)


@inner_kernel
def _touch_item(
    items: ItemColumns,
    progress: StreamProgress,
    row: int,
    time: float,
    weight: float,
    scratch: Scratch,
) -> None:
    """Add a click to an item's own counters; the first one makes it alive."""
    if not items.alive[row]:
        items.alive[row] = True
        items.created_at[row] = time
        for s in range(items.popularity.shape[1]):
            items.popularity_references[row, s] = scratch.whole[s]
    items.last_clicks[row] = max(items.last_clicks[row], time)
    if items.dirty[row] == 0:
        items.dirty[row] = 1
        progress.dirty_bytes[0] += BYTES_PER_ITEM
    if weight <= 0.0:
        return
    for s in range(items.popularity.shape[1]):
        shift = scratch.whole[s] - items.popularity_references[row, s]
        if shift >= _rebase_after(items.popularity):
            move_popularity_reference(items, row, s, scratch.whole[s])
            shift = 0
        amount = weight * scratch.scale[s] * power_of_two(shift)
        items.popularity[row, s] += stored(amount, items.popularity)


@inner_kernel
def add_click(
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    progress: StreamProgress,
    scratch: Scratch,
    row: int,
    time: float,
    weight: float,
    edge_sources: npt.NDArray[np.int64],
    edge_targets: npt.NDArray[np.int64],
    edge_weights: npt.NDArray[np.float64],
    edge_times: npt.NDArray[np.float64],
    first: int,
    last: int,
) -> None:
    """Add one click on item `row`, and the edges ``first : last``; there must be room for them.

    To counters without close clicks.
    """
    split_time(time, rules.half_lives, scratch)
    _touch_item(items, progress, row, time, weight, scratch)
    for edge in range(first, last):
        if edge_times[edge] != time:
            time = edge_times[edge]
            split_time(time, rules.half_lives, scratch)
        _add_edge(
            items,
            edges,
            rules,
            progress,
            edge_sources[edge],
            edge_targets[edge],
            edge_weights[edge],
            scratch,
        )


@inner_kernel
def _add_pair(
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    progress: StreamProgress,
    scratch: Scratch,
    applied: AppliedColumns,
    row: int,
    pair: int,
) -> None:
    """Add what a click on item `row` and another one bring each other: an edge, closeness, both."""
    other = applied.pair_items[pair]
    weight = applied.pair_weights[pair]
    edge = applied.pair_edges[pair]
    source = applied.edge_sources[edge] if edge >= 0 else -1
    scales, columns = len(rules.half_lives), len(scratch.whole)
    for side in range(2):
        here, there = (row, other) if side else (other, row)
        if weight <= 0.0 and here != source:
            continue
        slot = _slot_at(items, edges, rules, scratch, here, there)
        if here == source:
            amount = applied.edge_weights[edge]
            _raise_weights(items, edges, scratch, here, slot, 0, scales, amount)
        if weight > 0.0:
            _raise_weights(items, edges, scratch, here, slot, scales, columns, weight)
        _mark_row(items, progress, scratch, here)


@inner_kernel
def _add_click_and_pairs(
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    progress: StreamProgress,
    scratch: Scratch,
    applied: AppliedColumns,
    time: float,
    weight: float,
    click: int,
) -> None:
    """Add one click, its edges, and its close clicks; there must be room for them."""
    row = applied.item_rows[click]
    _split_everywhere(time, rules, scratch)
    _touch_item(items, progress, row, time, weight, scratch)
    for pair in range(applied.pair_starts[click], applied.pair_starts[click + 1]):
        if applied.pair_times[pair] != time:
            time = applied.pair_times[pair]
            _split_everywhere(time, rules, scratch)
        _add_pair(items, edges, rules, progress, scratch, applied, row, pair)


@inner_kernel
def _prefetch_row(items: ItemColumns, edges: Edges, row: int) -> None:
    """Ask for the neighbours of a row."""
    begin = items.row_starts[row]
    end = begin + items.row_lengths[row]
    for slot in range(begin, end, _SLOTS_PER_LINE):
        prefetch(edges.neighbours.slots, slot)


@inner_kernel
def _prefetch_ahead(
    items: ItemColumns, edges: Edges, applied: AppliedColumns, click: int, stop: int
) -> None:
    """Ask for the memory of clicks soon to come, as the first pass does."""
    far, near = click + 2 * AHEAD, click + AHEAD
    if far < stop:
        row = applied.item_rows[far]
        if row >= 0:
            prefetch(items.popularity_references, row)
        first, last = applied.pair_starts[far], applied.pair_starts[far + 1]
        for pair in range(first, last):
            prefetch(items.row_references, applied.pair_items[pair])
        if first < last:
            prefetch(items.row_references, row)
        else:
            for edge in range(applied.edge_starts[far], applied.edge_starts[far + 1]):
                prefetch(items.row_references, applied.edge_sources[edge])
    if near < stop:
        first, last = applied.pair_starts[near], applied.pair_starts[near + 1]
        for pair in range(first, last):
            _prefetch_row(items, edges, applied.pair_items[pair])
        if first < last:
            _prefetch_row(items, edges, applied.item_rows[near])
        else:
            for edge in range(applied.edge_starts[near], applied.edge_starts[near + 1]):
                _prefetch_row(items, edges, applied.edge_sources[edge])


@lean_kernel
def add_edges(
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    progress: StreamProgress,
    scratch: Scratch,
    applied: AppliedColumns,
    times: npt.NDArray[np.float64],
    events: npt.NDArray[np.uint8],
    start: int,
    stop: int,
) -> int:
    """Add what clicks ``start : stop`` bring; return the first click that needs more space.

    Parameters
    ----------
    items, edges, rules, progress, scratch
        The state.
    applied
        Filled by the first pass for these clicks.
    times, events
        float64 [n] and uint8 [n], the clicks' own.
    start, stop
        Which clicks.
    """
    for click in range(start, stop):
        _prefetch_ahead(items, edges, applied, click, stop)
        if applied.outcomes[click] != ACCEPTED:
            continue
        if len(edges.neighbours.slots) - edges.neighbours.top[0] < rules.room_per_click:
            return click
        weight = rules.weights[events[click]]
        if len(rules.close_half_lives) > 0:
            _add_click_and_pairs(
                items, edges, rules, progress, scratch, applied, times[click], weight, click
            )
            continue
        add_click(
            items,
            edges,
            rules,
            progress,
            scratch,
            applied.item_rows[click],
            times[click],
            weight,
            applied.edge_sources,
            applied.edge_targets,
            applied.edge_weights,
            applied.edge_times,
            applied.edge_starts[click],
            applied.edge_starts[click + 1],
        )
    return stop

"""The second pass over clicks: they add edges and popularity, one click at a time."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.applied_clicks import ACCEPTED, AppliedColumns
from gsr.counters.cache_lines import AHEAD, LINE_BYTES
from gsr.counters.items.decay import power_of_two, split_scales
from gsr.counters.items.edge_rows import (
    Edges,
    Scratch,
    look_up,
    move_popularity_reference,
    move_row_reference,
    slot_for,
    slot_looked_up,
    stored,
)
from gsr.counters.items.item_columns import BYTES_PER_ITEM, ItemColumns
from gsr.counters.progress import StreamProgress
from gsr.counters.rules import EdgeRules
from gsr.machine_words import prefetch

_SLOTS_PER_LINE: Final = LINE_BYTES // 4
"""Neighbours in a cache line."""


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
def _rebase_after(column: npt.NDArray[Any]) -> int:
    """Return how many half-lives past a row's reference a click moves the reference first.

    32 for float32: a quarter of the powers of two that the column holds.
    """
    return int(np.finfo(column.dtype).maxexp // 4)


@inner_kernel
def _begin_row(items: ItemColumns, scratch: Scratch, row: int) -> None:
    """Let an empty row begin at the time of `scratch`."""
    if items.row_lengths[row] == 0:
        for s in range(len(scratch.whole)):
            items.row_references[row, s] = scratch.whole[s]


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
    _begin_row(items, scratch, row)
    slot = slot_for(items, edges, rules, scratch, row, target)
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
    entry: int,
) -> None:
    """Add what a click on item `row` and another one bring each other: an edge, closeness, both.

    Each other's slots were looked up as `entry` and the one after it.
    """
    other = applied.pair_items[pair]
    weight = applied.pair_weights[pair]
    edge = applied.pair_edges[pair]
    source = applied.edge_sources[edge] if edge >= 0 else -1
    scales, columns = len(rules.half_lives), len(scratch.whole)
    for side in range(2):
        here, there = (row, other) if side else (other, row)
        if weight <= 0.0 and here != source:
            continue
        _begin_row(items, scratch, here)
        slot = slot_looked_up(items, edges, rules, scratch, here, there, entry + side)
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
    first, last = applied.pair_starts[click], applied.pair_starts[click + 1]
    scratch.trims[0] = 0
    for pair in range(first, last):
        other, entry = applied.pair_items[pair], 2 * (pair - first)
        look_up(items, edges, scratch, other, row, entry)
        look_up(items, edges, scratch, row, other, entry + 1)
    for pair in range(first, last):
        if applied.pair_times[pair] != time:
            time = applied.pair_times[pair]
            _split_everywhere(time, rules, scratch)
        entry = 2 * (pair - first)
        _add_pair(items, edges, rules, progress, scratch, applied, row, pair, entry)


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

"""Pass 2: edges and popularity, added one click at a time."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stream.compiled import kernel
from stream.state.applied import ACCEPTED
from stream.state.arena import SMALLEST_BLOCK, Arena, allocate, release
from stream.state.buffer_kernel import Progress, Results
from stream.state.decay import (
    REBASE_HALF_LIVES,
    SMALLEST_WEIGHT,
    exp2_fraction,
    power_of_two,
)
from stream.state.item_columns import BYTES_PER_ITEM, ItemColumns


class Edges(NamedTuple):
    """The rows' slots.

    Parameters
    ----------
    neighbours
        Item rows, in blocks of an arena.
    weights
        float32 [capacity, S], stored weights, slot by slot beside the neighbours.
    """

    neighbours: Arena
    weights: npt.NDArray[np.float32]


class EdgeRules(NamedTuple):
    """Settings of pass 2.

    Parameters
    ----------
    weights
        float64 [256], by event code.
    half_lives
        float64 [S], seconds.
    row_slots
        Slots of a full row.
    kept_per_scale
        Neighbours that each scale keeps of a full row.
    room_per_click
        Slots that one click may need in the arena.
    """

    weights: npt.NDArray[np.float64]
    half_lives: npt.NDArray[np.float64]
    row_slots: int
    kept_per_scale: int
    room_per_click: int


@kernel
def _split(
    time: float,
    half_lives: npt.NDArray[np.float64],
    whole: npt.NDArray[np.int64],
    scale: npt.NDArray[np.float64],
) -> None:
    """Split `time` on each scale into whole half-lives and two to the power of the rest."""
    for s in range(len(half_lives)):
        age = time / half_lives[s]
        floor = math.floor(age)
        whole[s] = floor
        scale[s] = exp2_fraction(age - floor)


@kernel
def stored(weight: float) -> np.float32:
    """Round a weight to what is stored of it."""
    if weight < SMALLEST_WEIGHT:
        return np.float32(0.0)
    return np.float32(weight)


@kernel
def _find(neighbours: Arena, start: int, length: int, target: np.uint32) -> int:
    """Return the slot of a neighbour, -1 where there is none."""
    found = -1
    # Without an early exit the loop is vectorised: a row of 128 costs a few nanoseconds.
    for i in range(length):
        if neighbours.slots[start + i] == target:
            found = i
    return -1 if found < 0 else start + found


@kernel
def _trim(items: ItemColumns, edges: Edges, row: int, kept_per_scale: int) -> None:
    """Keep the union of every scale's heaviest neighbours, in their order.

    Between equal weights the newer slot stays.
    """
    start = items.row_starts[row]
    length = items.row_lengths[row]
    kept = np.zeros(length, dtype=np.bool_)
    for s in range(edges.weights.shape[1]):
        # A stable sort: of equal weights the newer slot comes later.
        order = np.argsort(edges.weights[start : start + length, s], kind="mergesort")
        for i in range(length - kept_per_scale, length):
            kept[order[i]] = True
    target = start
    for i in range(length):
        if kept[i]:
            edges.neighbours.slots[target] = edges.neighbours.slots[start + i]
            edges.weights[target] = edges.weights[start + i]
            target += 1
    items.row_lengths[row] = target - start


@kernel
def _enlarge(items: ItemColumns, edges: Edges, row: int) -> None:
    """Move a row to a block of twice the size."""
    start = items.row_starts[row]
    capacity = np.int64(items.row_capacities[row])
    larger = max(SMALLEST_BLOCK, 2 * capacity)
    moved = allocate(edges.neighbours, larger)
    for i in range(items.row_lengths[row]):
        edges.neighbours.slots[moved + i] = edges.neighbours.slots[start + i]
        edges.weights[moved + i] = edges.weights[start + i]
    if capacity > 0:
        release(edges.neighbours, start, capacity)
    items.row_starts[row] = moved
    items.row_capacities[row] = larger


@kernel
def slot_for(items: ItemColumns, edges: Edges, rules: EdgeRules, row: int, target: int) -> int:
    """Return the slot of neighbour `target`; a missing one enters the row with no weight."""
    found = _find(
        edges.neighbours, items.row_starts[row], items.row_lengths[row], np.uint32(target)
    )
    if found >= 0:
        return found
    if items.row_lengths[row] == rules.row_slots:
        _trim(items, edges, row, rules.kept_per_scale)
    if items.row_lengths[row] == items.row_capacities[row]:
        _enlarge(items, edges, row)
    slot = items.row_starts[row] + items.row_lengths[row]
    edges.neighbours.slots[slot] = np.uint32(target)
    edges.weights[slot] = 0.0
    items.row_lengths[row] += 1
    return slot


@kernel
def move_row_reference(
    items: ItemColumns, edges: Edges, row: int, scale: int, reference: int
) -> None:
    """Express a row's weights on one scale by a later reference: an exact power of two."""
    factor = power_of_two(items.row_references[row, scale] - reference)
    start = items.row_starts[row]
    for slot in range(start, start + items.row_lengths[row]):
        edges.weights[slot, scale] = stored(np.float64(edges.weights[slot, scale]) * factor)
    items.row_references[row, scale] = reference


@kernel
def move_popularity_reference(items: ItemColumns, row: int, scale: int, reference: int) -> None:
    """Express an item's popularity on one scale by a later reference."""
    factor = power_of_two(items.popularity_references[row, scale] - reference)
    items.popularity[row, scale] = stored(np.float64(items.popularity[row, scale]) * factor)
    items.popularity_references[row, scale] = reference


@kernel
def _add_edge(
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    progress: Progress,
    row: int,
    target: int,
    weight: float,
    whole: npt.NDArray[np.int64],
    scale: npt.NDArray[np.float64],
) -> None:
    """Add to the weight of one edge on every time scale."""
    if items.row_lengths[row] == 0:
        items.row_references[row] = whole
    slot = slot_for(items, edges, rules, row, target)
    for s in range(len(whole)):
        shift = whole[s] - items.row_references[row, s]
        if shift >= REBASE_HALF_LIVES:
            move_row_reference(items, edges, row, s, whole[s])
            shift = 0
        edges.weights[slot, s] += stored(weight * scale[s] * power_of_two(shift))
    if items.row_dirty[row] == 0:
        items.row_dirty[row] = 1
        scales = len(whole)
        progress.dirty_bytes[0] += 8 * scales + 4 * (1 + scales) * items.row_lengths[row]


@kernel
def _touch_item(
    items: ItemColumns,
    progress: Progress,
    row: int,
    time: float,
    weight: float,
    whole: npt.NDArray[np.int64],
    scale: npt.NDArray[np.float64],
) -> None:
    """Add a click to an item's own counters; the first one makes it alive."""
    if not items.alive[row]:
        items.alive[row] = True
        items.created_at[row] = time
        items.popularity_references[row] = whole
    items.last_clicks[row] = max(items.last_clicks[row], time)
    if items.dirty[row] == 0:
        items.dirty[row] = 1
        progress.dirty_bytes[0] += BYTES_PER_ITEM
    if weight <= 0.0:
        return
    for s in range(len(whole)):
        shift = whole[s] - items.popularity_references[row, s]
        if shift >= REBASE_HALF_LIVES:
            move_popularity_reference(items, row, s, whole[s])
            shift = 0
        items.popularity[row, s] += stored(weight * scale[s] * power_of_two(shift))


@kernel
def add_edges(
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    progress: Progress,
    results: Results,
    times: npt.NDArray[np.float64],
    events: npt.NDArray[np.uint8],
    start: int,
    stop: int,
) -> int:
    """Add what clicks ``start : stop`` bring; return the first click that needs more space.

    Parameters
    ----------
    items, edges, rules, progress
        The state.
    results
        Filled by pass 1 for these clicks.
    times, events
        float64 [n] and uint8 [n], the clicks' own.
    start, stop
        Which clicks.
    """
    scales = len(rules.half_lives)
    whole = np.empty(scales, dtype=np.int64)
    scale = np.empty(scales, dtype=np.float64)
    for click in range(start, stop):
        if results.outcomes[click] != ACCEPTED:
            continue
        if len(edges.neighbours.slots) - edges.neighbours.top[0] < rules.room_per_click:
            return click
        time = times[click]
        weight = rules.weights[events[click]]
        _split(time, rules.half_lives, whole, scale)
        _touch_item(items, progress, results.item_rows[click], time, weight, whole, scale)
        for edge in range(results.edge_starts[click], results.edge_starts[click + 1]):
            if results.edge_times[edge] != time:
                time = results.edge_times[edge]
                _split(time, rules.half_lives, whole, scale)
            _add_edge(
                items,
                edges,
                rules,
                progress,
                results.edge_sources[edge],
                results.edge_targets[edge],
                results.edge_weights[edge],
                whole,
                scale,
            )
    return stop

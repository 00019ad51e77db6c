"""The loops behind `gsr.votes.baselines`: one click ranked and added at a time."""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel

HISTORY: Final = 5
DECAY: Final = 0.5
ROW_CAPACITY: Final = 512
FIRST_CAPACITY: Final = 4
LARGEST_EXPONENT: Final = 500.0
"""Half-lives past the reference after which everything is scaled back (float64 holds 1023)."""


START, LENGTH, CAPACITY = 0, 1, 2  # columns of the table of graph rows
KNOWN, USED = 0, 1  # items with a click; slots of the pool of edges that rows have taken


class Clicks(NamedTuple):
    """Clicks in order, each with what was known just before it; n rows.

    Parameters
    ----------
    targets, times, weights
        int64, float64 and float64 [n]: item row, event time, weight; a weight of 0 or less adds
        no popularity.
    histories, lengths
        int64 [n, L] and [n]: the user's item rows before the click, oldest first, -1 where there
        is none.
    edge_starts
        int64 [n + 1]: click i adds the edges ``edge_starts[i] : edge_starts[i + 1]``.
    edge_sources, edge_targets, edge_weights, edge_times
        int64, int64, float64 and float64: the edges.
    """

    targets: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    histories: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    edge_starts: npt.NDArray[np.int64]
    edge_sources: npt.NDArray[np.int64]
    edge_targets: npt.NDArray[np.int64]
    edge_weights: npt.NDArray[np.float64]
    edge_times: npt.NDArray[np.float64]


@kernel
def copy_rows(
    starts: npt.NDArray[np.int64],
    row_references: npt.NDArray[np.int64],
    sources: npt.NDArray[np.uint32],
    stored: npt.NDArray[np.float32],
    references: npt.NDArray[np.float64],
    rows: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
) -> None:
    """Fill reserved rows with another graph's edges, moved to these references."""
    for row in range(len(starts)):
        for scale in range(len(references)):
            factor = 2.0 ** max(row_references[row, scale] - references[scale], -1000.0)
            for slot in range(rows[row, LENGTH]):
                place = rows[row, START] + slot
                neighbours[place] = sources[starts[row] + slot]
                weights[place, scale] = stored[starts[row] + slot, scale] * factor


@kernel
def close_gaps(
    order: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
) -> None:
    """Move rows, named in the order in which they lie, towards the start of the pool."""
    end = 0
    for row in order:
        start = rows[row, START]
        for slot in range(rows[row, LENGTH]):
            neighbours[end + slot] = neighbours[start + slot]
            weights[end + slot] = weights[start + slot]
        rows[row, START] = end
        end += rows[row, CAPACITY]


@kernel
def _at_least(ordered: npt.NDArray[np.float64], known: int, value: float) -> int:
    """Return how many of the first `known` ordered values are `value` or more."""
    low, high = 0, known
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] < value:
            low = middle + 1
        else:
            high = middle
    return int(known - low)


@kernel
def _vote(
    history: npt.NDArray[np.int64],
    length: int,
    rows: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
    dense: npt.NDArray[np.float64],
    reached: npt.NDArray[np.bool_],
    touched: npt.NDArray[np.int64],
) -> int:
    """Add the graph scores of one history to `dense` [N, H]; return how many items it reached."""
    count = 0
    share = 1.0
    for back in range(min(length, HISTORY)):
        source = history[length - 1 - back]
        if source >= 0:
            start = rows[source, START]
            for slot in range(start, start + rows[source, LENGTH]):
                item = neighbours[slot]
                if not reached[item]:
                    reached[item] = True
                    touched[count] = item
                    count += 1
                for scale in range(dense.shape[1]):
                    dense[item, scale] += share * weights[slot, scale]
        share *= DECAY
    return count


@kernel
def _rank(
    target: int,
    masked: npt.NDArray[np.int64],
    masks: int,
    touched: npt.NDArray[np.int64],
    count: int,
    hidden: npt.NDArray[np.bool_],
    reached: npt.NDArray[np.bool_],
    dense: npt.NDArray[np.float64],
    popularity: npt.NDArray[np.float64],
    ordered: npt.NDArray[np.float64],
    totals: npt.NDArray[np.float64],
    known: int,
    ranks: npt.NDArray[np.int32],
) -> None:
    scales = len(totals)
    for scale in range(scales):
        own = popularity[scale, target]
        above = _at_least(ordered[scale], known, own)
        for m in range(masks):
            above -= popularity[scale, masked[m]] >= own
        ranks[scale] = above

        votes = 0.0
        voted = dense[target, scale]
        above = 0
        for t in range(count):
            item = touched[t]
            votes += dense[item, scale]
            above += dense[item, scale] >= voted and not hidden[item]
        ranks[scales + scale] = above if voted > 0.0 else known - masks

        # Untouched items keep exactly their popularity, so bisection ranks them consistently.
        exchange = totals[scale] / votes if votes > 0.0 else 0.0
        mixed = own + exchange * voted
        above = _at_least(ordered[scale], known, mixed)
        for t in range(count):
            item = touched[t]
            above -= popularity[scale, item] >= mixed
            above += (
                popularity[scale, item] + exchange * dense[item, scale] >= mixed
                and not hidden[item]
            )
        for m in range(masks):
            above -= popularity[scale, masked[m]] >= mixed and not reached[masked[m]]
        ranks[2 * scales + scale] = above


@kernel
def _raise(
    ordered: npt.NDArray[np.float64], known: int, old: float, new: float, fresh: bool
) -> None:
    """Replace `old` by the larger `new` among the first `known` values, or insert it."""
    place = known - _at_least(ordered, known, new)
    if fresh:
        for i in range(known, place, -1):
            ordered[i] = ordered[i - 1]
        ordered[place] = new
    else:
        for i in range(known - _at_least(ordered, known, old), place - 1):
            ordered[i] = ordered[i + 1]
        ordered[place - 1] = new


@kernel
def _trim(
    row: int,
    rows: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
) -> None:
    """Drop the half of a full row that matters least over all half-lives together."""
    start, length = rows[row, START], rows[row, LENGTH]
    shares = np.zeros(length)
    for scale in range(weights.shape[1]):
        total = weights[start : start + length, scale].sum()
        if total > 0.0:
            for slot in range(length):
                shares[slot] += weights[start + slot, scale] / total
    order = np.sort(np.argsort(-shares, kind="mergesort")[: length // 2])
    for place, slot in enumerate(order):
        neighbours[start + place] = neighbours[start + slot]
        weights[start + place] = weights[start + slot]
    rows[row, LENGTH] = len(order)


@kernel
def _slot_of(
    source: int,
    target: int,
    rows: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
) -> int:
    """Return the slot of an edge, made if missing."""
    start, length = rows[source, START], rows[source, LENGTH]
    for slot in range(start, start + length):
        if neighbours[slot] == target:
            return int(slot)
    if length == ROW_CAPACITY:
        _trim(source, rows, neighbours, weights)
    elif length == rows[source, CAPACITY]:
        moved = counts[USED]
        for slot in range(length):
            neighbours[moved + slot] = neighbours[start + slot]
            weights[moved + slot] = weights[start + slot]
        rows[source, START] = moved
        rows[source, CAPACITY] = min(max(2 * length, FIRST_CAPACITY), ROW_CAPACITY)
        counts[USED] += rows[source, CAPACITY]
    slot = rows[source, START] + rows[source, LENGTH]
    neighbours[slot] = target
    weights[slot] = 0.0
    rows[source, LENGTH] += 1
    return int(slot)


@kernel
def _amount(
    time: float,
    scale: int,
    half_lives: npt.NDArray[np.float64],
    references: npt.NDArray[np.float64],
    popularity: npt.NDArray[np.float64],
    ordered: npt.NDArray[np.float64],
    totals: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
) -> float:
    """Return what one click at `time` adds, after moving the reference where it lies too far."""
    exponent = time / half_lives[scale] - references[scale]
    if exponent > LARGEST_EXPONENT:
        moved = math.floor(exponent)
        factor = 2.0 ** -min(moved, 1100.0)
        references[scale] += moved
        popularity[scale] *= factor
        ordered[scale] *= factor
        totals[scale] *= factor
        weights[:, scale] *= factor
        exponent -= moved
    return float(2.0 ** max(exponent, -1000.0))


@kernel
def rank_and_add(
    start: int,
    clicks: Clicks,
    scored: npt.NDArray[np.bool_],
    mask_history: bool,
    half_lives: npt.NDArray[np.float64],
    references: npt.NDArray[np.float64],
    popularity: npt.NDArray[np.float64],
    ordered: npt.NDArray[np.float64],
    totals: npt.NDArray[np.float64],
    clicks_of: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
    ranks: npt.NDArray[np.int32],
) -> int:
    """Work from click `start` on; return the first click for which there was no more room."""
    items, scales = len(clicks_of), len(half_lives)
    dense = np.zeros((items, scales))
    reached = np.zeros(items, np.bool_)
    hidden = np.zeros(items, np.bool_)
    touched = np.empty(items, np.int64)
    masked = np.empty(clicks.histories.shape[1], np.int64)
    for i in range(start, len(clicks.targets)):
        first, last = clicks.edge_starts[i], clicks.edge_starts[i + 1]
        if counts[USED] + (last - first) * ROW_CAPACITY > len(neighbours):
            return i
        target, length = clicks.targets[i], clicks.lengths[i]

        if scored[i] and clicks_of[target] > 0:
            masks = 0
            for k in range(length if mask_history else 0):
                item = clicks.histories[i, k]
                if item >= 0 and not hidden[item] and clicks_of[item] > 0:
                    hidden[item] = True
                    masked[masks] = item
                    masks += 1
            count = _vote(
                clicks.histories[i], length, rows, neighbours, weights, dense, reached, touched
            )
            _rank(
                target,
                masked,
                masks,
                touched,
                count,
                hidden,
                reached,
                dense,
                popularity,
                ordered,
                totals,
                counts[KNOWN],
                ranks[i],
            )
            for m in range(masks):
                hidden[masked[m]] = False
            for t in range(count):
                reached[touched[t]] = False
                dense[touched[t]] = 0.0

        fresh = clicks_of[target] == 0
        clicks_of[target] += 1
        for scale in range(scales):
            amount = max(clicks.weights[i], 0.0) * _amount(
                clicks.times[i], scale, half_lives, references, popularity, ordered, totals, weights
            )
            old = popularity[scale, target]
            _raise(ordered[scale], counts[KNOWN], old, old + amount, fresh)
            popularity[scale, target] = old + amount
            totals[scale] += amount
        counts[KNOWN] += fresh
        for edge in range(first, last):
            slot = _slot_of(
                clicks.edge_sources[edge],
                clicks.edge_targets[edge],
                rows,
                neighbours,
                weights,
                counts,
            )
            for scale in range(scales):
                weights[slot, scale] += clicks.edge_weights[edge] * _amount(
                    clicks.edge_times[edge],
                    scale,
                    half_lives,
                    references,
                    popularity,
                    ordered,
                    totals,
                    weights,
                )
    return len(clicks.targets)

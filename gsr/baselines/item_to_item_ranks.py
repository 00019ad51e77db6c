"""Ranks of clicked items by rules and by co-occurrence, taken before each click is counted."""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks
from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.items.edge_kernel import add_click
from gsr.counters.items.edge_rows import Edges, Scratch
from gsr.counters.items.item_columns import ItemColumns
from gsr.counters.progress import StreamProgress
from gsr.counters.rules import EdgeRules

HEARD: Final = 20
"""Newest clicks of a user that speak for items."""

NEARNESS: Final = 0.8
"""Of item-kNN: a click counts so much as the next newer one."""


class Workspace(NamedTuple):
    """Memory that a click needs, zero between two clicks where it is as long as the items.

    Parameters
    ----------
    scores, touched
        float64 [N, 2 H] and int64 [N]: rules and item-kNN, and the items that have any.
    seen, hidden
        bool [N].
    sources, targets, weights, times
        [2 * window], of the edges of one click.
    """

    scores: npt.NDArray[np.float64]
    touched: npt.NDArray[np.int64]
    seen: npt.NDArray[np.bool_]
    hidden: npt.NDArray[np.bool_]
    sources: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]
    times: npt.NDArray[np.float64]


@inner_kernel
def _touch(work: Workspace, item: int, count: int) -> int:
    if not work.seen[item]:
        work.seen[item] = True
        work.touched[count] = item
        return count + 1
    return count


@lean_kernel
def _score(
    history: npt.NDArray[np.int64],
    length: int,
    scales: int,
    items: ItemColumns,
    followers: Edges,
    together: Edges,
    together_items: ItemColumns,
    work: Workspace,
) -> int:
    """Fill the scores of all items that a history speaks for; return how many they are."""
    count = 0
    for back in range(min(length, HEARD)):
        source = history[length - 1 - back]
        if source < 0 or not items.alive[source]:
            continue
        first = items.row_starts[source]
        last = first + items.row_lengths[source]
        for s in range(scales):
            mass = 0.0
            for slot in range(first, last):
                mass += followers.weights[slot, s]
            if mass > 0.0:
                share = 1.0 / (mass * (back + 1))
                for slot in range(first, last):
                    item = followers.neighbours.slots[slot]
                    count = _touch(work, item, count)
                    work.scores[item, s] += followers.weights[slot, s] * share
        nearness = NEARNESS ** (back + 1)
        first = together_items.row_starts[source]
        last = first + together_items.row_lengths[source]
        for slot in range(first, last):
            item = together.neighbours.slots[slot]
            count = _touch(work, item, count)
            for s in range(scales):
                clicks = items.popularity[source, s] * items.popularity[item, s]
                if clicks > 0.0:
                    # Numbers and references fall together: the time of asking cancels.
                    age = together_items.row_references[source, s] - 0.5 * (
                        items.popularity_references[source, s]
                        + items.popularity_references[item, s]
                    )
                    cosine = together.weights[slot, s] / math.sqrt(clicks) * 2.0**age
                    work.scores[item, scales + s] += nearness * cosine
    return count


@inner_kernel
def _is_as_popular(items: ItemColumns, item: int, reference: int, own: float) -> bool:
    """Return whether an item's popularity on the first scale, at `reference`, is `own` or more."""
    age = items.popularity_references[item, 0] - reference
    return math.ldexp(items.popularity[item, 0], age) >= own


@lean_kernel
def _rank(
    items: ItemColumns, rows: int, work: Workspace, count: int, column: int, target: int
) -> int:
    """Return the rank by score, then popularity, ties against the target."""
    own, above = work.scores[target, column], 0
    reference, popular = items.popularity_references[target, 0], items.popularity[target, 0]
    for t in range(count):
        item = work.touched[t]
        score = work.scores[item, column]
        if score > own and not work.hidden[item]:
            above += 1
        elif score == own > 0.0 and not work.hidden[item]:
            above += _is_as_popular(items, item, reference, popular)
    if own == 0.0:
        for item in range(rows):
            if items.alive[item] and work.scores[item, column] == 0.0 and not work.hidden[item]:
                above += _is_as_popular(items, item, reference, popular)
    return max(above, 1)


@lean_kernel
def _rank_click(
    i: int,
    clicks: CountedClicks,
    scored: npt.NDArray[np.bool_],
    mask_history: bool,
    scales: int,
    items: ItemColumns,
    followers: Edges,
    together: Edges,
    together_items: ItemColumns,
    work: Workspace,
    ranks: npt.NDArray[np.int32],
) -> None:
    """Fill ``ranks[i]`` where click `i` is scored and its item is known."""
    target, rows = clicks.targets[i], len(work.touched)
    if not (scored[i] and 0 <= target < rows and items.alive[target]):
        return
    history, length = clicks.histories[i], clicks.lengths[i]
    masked = length if mask_history else 0
    for h in range(masked):
        if history[h] >= 0:
            work.hidden[history[h]] = True
    count = _score(history, length, scales, items, followers, together, together_items, work)
    for column in range(2 * scales):
        ranks[i, column] = _rank(items, rows, work, count, column, target)
    for t in range(count):
        item = work.touched[t]
        work.seen[item] = False
        for column in range(2 * scales):
            work.scores[item, column] = 0.0
    for h in range(masked):
        if history[h] >= 0:
            work.hidden[history[h]] = False


@lean_kernel
def rank_all(
    clicks: CountedClicks,
    scored: npt.NDArray[np.bool_],
    mask_history: bool,
    scales: int,
    items: ItemColumns,
    followers: Edges,
    together: Edges,
    together_items: ItemColumns,
    work: Workspace,
    ranks: npt.NDArray[np.int32],
) -> None:
    """Rank clicks by the counters as they are; those of unknown items are left alone."""
    for i in range(len(clicks.targets)):
        _rank_click(
            i,
            clicks,
            scored,
            mask_history,
            scales,
            items,
            followers,
            together,
            together_items,
            work,
            ranks,
        )


@lean_kernel
def rank_and_add(
    start: int,
    clicks: CountedClicks,
    scored: npt.NDArray[np.bool_],
    mask_history: bool,
    window: int,
    items: ItemColumns,
    followers: Edges,
    together_items: ItemColumns,
    together: Edges,
    rules: EdgeRules,
    progress: StreamProgress,
    together_progress: StreamProgress,
    scratch: Scratch,
    work: Workspace,
    ranks: npt.NDArray[np.int32],
) -> int:
    """Rank and count clicks from `start` on; return the first for which edges need more room."""
    for i in range(start, len(clicks.targets)):
        for edges in (followers, together):
            if len(edges.neighbours.slots) - edges.neighbours.top[0] < rules.room_per_click:
                return i
        _rank_click(
            i,
            clicks,
            scored,
            mask_history,
            len(rules.half_lives),
            items,
            followers,
            together,
            together_items,
            work,
            ranks,
        )
        target, time, weight = clicks.targets[i], clicks.times[i], max(clicks.weights[i], 0.0)
        history, length = clicks.histories[i], clicks.lengths[i]
        count = 0
        for back in range(min(length, window) if weight > 0.0 else 0):
            source = history[length - 1 - back]
            if source >= 0 and source != target:
                work.sources[count], work.targets[count] = source, target
                work.weights[count], work.times[count] = weight / (back + 1), time
                count += 1
        add_click(
            items,
            followers,
            rules,
            progress,
            scratch,
            target,
            time,
            weight,
            work.sources,
            work.targets,
            work.weights,
            work.times,
            0,
            count,
        )
        for edge in range(count):
            work.weights[edge] = weight
            work.sources[count + edge], work.targets[count + edge] = target, work.sources[edge]
            work.weights[count + edge], work.times[count + edge] = weight, time
        add_click(
            together_items,
            together,
            rules,
            together_progress,
            scratch,
            target,
            time,
            weight,
            work.sources,
            work.targets,
            work.weights,
            work.times,
            0,
            2 * count,
        )
    return len(clicks.targets)

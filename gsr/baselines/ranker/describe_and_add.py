"""One pass over clicks: each is described, with its candidates, and then counted."""

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.ranker.candidates import (
    MOST_CANDIDATES,
    Described,
    Workspace,
    describe_click,
)
from gsr.baselines.ranker.counts import CLOSE_BY, HOUR_SECONDS, HOURS, Counts
from gsr.baselines.ranker.own_clicks import note_click
from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.items.edge_kernel import add_click
from gsr.ranker.popular_items import raise_item


@inner_kernel
def _count_click(counts: Counts, clicks: CountedClicks, i: int, session_gap: float) -> None:
    """Add click i to all counts."""
    target, time, weight = clicks.targets[i], clicks.times[i], max(clicks.weights[i], 0.0)
    followers, shared = counts.followers, counts.shared
    add_click(
        followers.items,
        followers.edges,
        followers.rules,
        followers.progress,
        followers.scratch,
        target,
        time,
        weight,
        clicks.edge_sources,
        clicks.edge_targets,
        clicks.edge_weights,
        clicks.edge_times,
        clicks.edge_starts[i],
        clicks.edge_starts[i + 1],
    )
    edges = 0
    if weight > 0.0:
        later = time
        for back in range(min(clicks.lengths[i], CLOSE_BY)):
            k = clicks.lengths[i] - 1 - back
            if later - clicks.history_times[i, k] > session_gap:
                break
            later = clicks.history_times[i, k]
            source = clicks.histories[i, k]
            if source >= 0 and source != target and shared.items.alive[source]:
                counts.new_sources[edges], counts.new_targets[edges] = source, target
                counts.new_sources[edges + 1], counts.new_targets[edges + 1] = target, source
                edges += 2
    for edge in range(edges):
        counts.new_times[edge] = time
    add_click(
        shared.items,
        shared.edges,
        shared.rules,
        shared.progress,
        shared.scratch,
        target,
        time,
        weight,
        counts.new_sources,
        counts.new_targets,
        counts.new_weights,
        counts.new_times,
        0,
        edges,
    )
    if weight > 0.0:
        counts.clicks[target] += 1
        counts.hours[target, int(time // HOUR_SECONDS) % HOURS] += 1.0
        note_click(counts.own, clicks.users[i], target, time)
        raise_item(counts.popular, followers.items, target)


@inner_kernel
def _has_room(counts: Counts) -> bool:
    """Whether the edges of any click fit in."""
    slots, shared = counts.followers.edges.neighbours, counts.shared.edges.neighbours
    return bool(
        len(slots.slots) - slots.top[0] >= counts.followers.rules.room_per_click
        and len(shared.slots) - shared.top[0] >= counts.shared.rules.room_per_click
    )


@lean_kernel
def describe_and_add(
    start: int,
    clicks: CountedClicks,
    scored: npt.NDArray[np.bool_],
    mask_history: bool,
    adding: bool,
    session_gap: float,
    wanted: int,
    examples: int,
    counts: Counts,
    work: Workspace,
    described: Described,
) -> int:
    """Describe and count clicks from `start` on; return the first for which room is short.

    Parameters
    ----------
    start, clicks, scored, mask_history
        As for `gsr.baselines.interface.Baseline.rank_and_add`.
    adding
        Whether clicks are counted, and become examples.
    session_gap
        Seconds between two clicks that are not close by.
    wanted
        Candidates of every channel.
    examples
        How many there may be.
    counts, work
        With room for all items.
    described
        Filled from its beginning.
    """
    described.counts[:] = 0
    for i in range(start, len(clicks.targets)):
        full = (
            described.counts[0] == len(described.clicks)
            or described.counts[1] == examples
            or described.starts[described.counts[0]] + MOST_CANDIDATES > len(described.values)
        )
        if full or (adding and not _has_room(counts)):
            return i
        target, length = clicks.targets[i], clicks.lengths[i]
        known = 0 <= target < len(counts.clicks) and counts.followers.items.alive[target]
        if known and (length > 0 or scored[i]):
            learnable = adding and clicks.weights[i] > 0.0 and length > 0
            if mask_history:
                for k in range(length):
                    learnable = learnable and clicks.histories[i, k] != target
            if learnable or scored[i]:
                n = described.counts[0]
                described.clicks[n] = i
                describe_click(
                    counts,
                    work,
                    clicks.users[i],
                    target,
                    clicks.times[i],
                    clicks.histories[i],
                    clicks.history_times[i],
                    length,
                    mask_history,
                    wanted,
                    described,
                )
                described.learnable[n] = learnable and described.targets[n] >= 0
                described.counts[1] += described.learnable[n]
        if adding:
            _count_click(counts, clicks, i, session_gap)
    return len(clicks.targets)

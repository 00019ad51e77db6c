"""Ranks of clicked items by counters at several half-lives, taken before each click is counted.

A click is ranked by `rank_click` and counted by `gsr.counters.items.edge_kernel.add_click`: other
ways to rank can be measured on the same counters.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks
from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.items.decay import power_of_two
from gsr.counters.items.edge_kernel import Edges, Scratch, add_click, graph_of, split_time
from gsr.counters.items.item_columns import ItemColumns
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.progress import StreamProgress
from gsr.counters.rules import EdgeRules
from gsr.votes.constants import RECENT_CLICKS
from gsr.votes.graph_votes import add_votes, recent_share

LATEST: Final = 500
"""Half-lives past its reference up to which popularity is ranked (float64 holds 1023)."""


class Standings(NamedTuple):
    """Popularity at H half-lives, kept in order so that a rank is found by bisection.

    Parameters
    ----------
    references
        int64 [H], the time to which popularity is related, in whole half-lives.
    popularity
        float64 [N, H], at the references.
    ordered
        float64 [H, N], the same of the `known` items, ascending; no more of them count.
    totals
        float64 [H], their sums.
    known
        int64 [1], how many items have had a click.
    """

    references: npt.NDArray[np.int64]
    popularity: npt.NDArray[np.float64]
    ordered: npt.NDArray[np.float64]
    totals: npt.NDArray[np.float64]
    known: npt.NDArray[np.int64]


class Workspace(NamedTuple):
    """Memory that ranking a click needs, zero between two clicks.

    Parameters
    ----------
    votes, touched
        float64 [N, H + 1] and int64 [N], see `gsr.votes.graph_votes.add_votes`.
    factors
        float64 [H].
    hidden, masked
        bool [N] and int64 [N]: items left out of a ranking, as a mask and as a list.
    """

    votes: npt.NDArray[np.float64]
    touched: npt.NDArray[np.int64]
    factors: npt.NDArray[np.float64]
    hidden: npt.NDArray[np.bool_]
    masked: npt.NDArray[np.int64]


@lean_kernel
def enter_item(items: ItemColumns, standings: Standings, item: int) -> None:
    """Take over an item's popularity from the counters, related to the standings' references."""
    for s in range(len(standings.references)):
        exponent = items.popularity_references[item, s] - standings.references[s]
        standings.popularity[item, s] = math.ldexp(items.popularity[item, s], exponent)


@inner_kernel
def _move_reference(standings: Standings, scale: int, reference: int) -> None:
    """Relate popularity to a later time."""
    exponent = standings.references[scale] - reference
    for i in range(standings.known[0]):
        standings.ordered[scale, i] = math.ldexp(standings.ordered[scale, i], exponent)
    for item in range(len(standings.popularity)):
        standings.popularity[item, scale] = math.ldexp(standings.popularity[item, scale], exponent)
    standings.totals[scale] = math.ldexp(standings.totals[scale], exponent)
    standings.references[scale] = reference


@lean_kernel
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


@lean_kernel
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


@inner_kernel
def _hide(
    items: ItemColumns, history: npt.NDArray[np.int64], length: int, workspace: Workspace
) -> int:
    """Leave the known items of a history out of the ranking; return how many."""
    count = 0
    for k in range(length):
        item = history[k]
        if item >= 0 and not workspace.hidden[item] and items.alive[item]:
            workspace.hidden[item] = True
            workspace.masked[count] = item
            count += 1
    return count


@inner_kernel
def _let_vote(
    graph: ItemGraph,
    standings: Standings,
    history: npt.NDArray[np.int64],
    length: int,
    workspace: Workspace,
) -> int:
    """Let the newest clicks of a history vote; return how many items have votes."""
    count = 0
    for back in range(min(length, RECENT_CLICKS)):
        source = history[length - 1 - back]
        if source >= 0:
            for s in range(len(workspace.factors)):
                exponent = graph.row_references[source, s] - standings.references[s]
                workspace.factors[s] = math.ldexp(1.0, exponent)
            count = add_votes(
                graph,
                source,
                workspace.factors,
                (recent_share(back),),
                workspace.votes,
                workspace.touched,
                count,
            )
    return count


@lean_kernel
def rank_click(
    items: ItemColumns,
    graph: ItemGraph,
    standings: Standings,
    target: int,
    history: npt.NDArray[np.int64],
    length: int,
    mask_history: bool,
    workspace: Workspace,
    ranks: npt.NDArray[np.int32],
) -> None:
    """Fill `ranks` [3 H] of the known item `target`: popularity, graph, mix (see `KINDS`)."""
    masks = _hide(items, history, length if mask_history else 0, workspace)
    count = _let_vote(graph, standings, history, length, workspace)
    votes, touched, hidden, masked = (
        workspace.votes,
        workspace.touched,
        workspace.hidden,
        workspace.masked,
    )
    scales, known, popularity = len(standings.totals), standings.known[0], standings.popularity
    for s in range(scales):
        ordered, own = standings.ordered[s], popularity[target, s]
        above = _at_least(ordered, known, own)
        for m in range(masks):
            above -= popularity[masked[m], s] >= own
        ranks[s] = above

        total = 0.0
        voted = votes[target, s]
        above = 0
        for t in range(count):
            item = touched[t]
            total += votes[item, s]
            above += votes[item, s] >= voted and not hidden[item]
        ranks[scales + s] = above if voted > 0.0 else known - masks

        # Items without votes keep exactly their popularity, so bisection ranks them consistently.
        exchange = standings.totals[s] / total if total > 0.0 else 0.0
        mixed = own + exchange * voted
        above = _at_least(ordered, known, mixed)
        for t in range(count):
            item = touched[t]
            above -= popularity[item, s] >= mixed
            above += popularity[item, s] + exchange * votes[item, s] >= mixed and not hidden[item]
        for m in range(masks):
            above -= popularity[masked[m], s] >= mixed and votes[masked[m], scales] == 0.0
        ranks[2 * scales + s] = above
    for m in range(masks):
        hidden[masked[m]] = False
    for t in range(count):
        for s in range(scales + 1):
            votes[touched[t], s] = 0.0


@lean_kernel
def rank_all(
    clicks: CountedClicks,
    scored: npt.NDArray[np.bool_],
    mask_history: bool,
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    standings: Standings,
    workspace: Workspace,
    ranks: npt.NDArray[np.int32],
) -> None:
    """Rank clicks by the counters as they are; those of unknown items are left alone."""
    graph = graph_of(rules.half_lives, items, edges)
    for i in range(len(clicks.targets)):
        target = clicks.targets[i]
        if scored[i] and 0 <= target < len(graph.alive) and items.alive[target]:
            rank_click(
                items,
                graph,
                standings,
                target,
                clicks.histories[i],
                clicks.lengths[i],
                mask_history,
                workspace,
                ranks[i],
            )


@lean_kernel
def rank_and_add(
    start: int,
    clicks: CountedClicks,
    scored: npt.NDArray[np.bool_],
    mask_history: bool,
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    progress: StreamProgress,
    scratch: Scratch,
    standings: Standings,
    workspace: Workspace,
    ranks: npt.NDArray[np.int32],
) -> int:
    """Rank and count clicks from `start` on; return the first for which edges need more room."""
    graph = graph_of(rules.half_lives, items, edges)
    scales = len(rules.half_lives)
    for i in range(start, len(clicks.targets)):
        if len(edges.neighbours.slots) - edges.neighbours.top[0] < rules.room_per_click:
            return i
        target, time, weight = clicks.targets[i], clicks.times[i], max(clicks.weights[i], 0.0)
        known = items.alive[target]
        if scored[i] and known:
            rank_click(
                items,
                graph,
                standings,
                target,
                clicks.histories[i],
                clicks.lengths[i],
                mask_history,
                workspace,
                ranks[i],
            )
        split_time(time, rules.half_lives, scratch)
        for s in range(scales):
            if scratch.whole[s] - standings.references[s] > LATEST:
                _move_reference(standings, s, scratch.whole[s])
            shift = scratch.whole[s] - standings.references[s]
            standings.totals[s] += weight * scratch.scale[s] * power_of_two(shift)
            workspace.factors[s] = standings.popularity[target, s]
        add_click(
            items,
            edges,
            rules,
            progress,
            scratch,
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
        enter_item(items, standings, target)
        for s in range(scales):
            old, new = workspace.factors[s], standings.popularity[target, s]
            _raise(standings.ordered[s], standings.known[0], old, new, not known)
        standings.known[0] += not known
    return len(clicks.targets)

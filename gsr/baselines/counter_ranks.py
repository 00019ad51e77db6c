"""Ranks of clicked items by counters at several half-lives, taken before each click is counted.

A click is ranked by `rank_click` and counted by `gsr.counters.items.edge_kernel.add_click`: other
ways to rank can be measured on the same counters.

A user's newest clicks give votes to a few hundred items. These are gathered once, half-life by
half-life, so that each column of ranks is a count over arrays without gaps; all other items score
what their popularity says, and are counted by bisection.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.standings import (
    LATEST,
    Standings,
    at_least,
    enter_item,
    move_reference,
    raise_value,
)
from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.items.decay import power_of_two
from gsr.counters.items.edge_kernel import add_click, split_time
from gsr.counters.items.edge_rows import Edges, Scratch, graph_of
from gsr.counters.items.item_columns import ItemColumns
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.progress import StreamProgress
from gsr.counters.rules import EdgeRules
from gsr.quality.ranking_metrics import MISS
from gsr.votes.constants import RECENT_CLICKS
from gsr.votes.graph_votes import recent_share

DEEPEST: Final = 100
"""Ranks are exact up to this one, five times the longest list that is judged; deeper ones are
`MISS`."""

_LINE: Final = 8
"""Values of float64 in a cache line."""


class Columns(NamedTuple):
    """What is ranked by: popularity and graph at H half-lives each, and X mixes of two.

    Parameters
    ----------
    ties
        int64 [1], at which half-life popularity orders items of equal graph scores.
    mix_graphs, mix_popularities
        int64 [X], the half-lives of the two parts.
    mix_ratios
        float64 [X], the graph's share over that of popularity.
    """

    ties: npt.NDArray[np.int64]
    mix_graphs: npt.NDArray[np.int64]
    mix_popularities: npt.NDArray[np.int64]
    mix_ratios: npt.NDArray[np.float64]


class Workspace(NamedTuple):
    """Memory that ranking a click needs.

    Parameters
    ----------
    places
        int32 [N], one more than the row of an item in `votes`; zero between two clicks.
    hidden
        bool [N], items left out of a ranking; False between two clicks.
    touched
        int64 [T], items with votes.
    votes
        float64 [T, H], theirs.
    references, factors, sums, own
        int64 [H] and float64 [H].
    votes_by_scale, popularity_by_scale
        float64 [H, more than T], of the items with votes that are not hidden: shares of all
        votes, and popularity.
    masked
        int64 [L], the hidden items.
    masked_by_scale
        float64 [H, L], their popularity.
    """

    places: npt.NDArray[np.int32]
    hidden: npt.NDArray[np.bool_]
    touched: npt.NDArray[np.int64]
    votes: npt.NDArray[np.float64]
    references: npt.NDArray[np.int64]
    factors: npt.NDArray[np.float64]
    sums: npt.NDArray[np.float64]
    own: npt.NDArray[np.float64]
    votes_by_scale: npt.NDArray[np.float64]
    popularity_by_scale: npt.NDArray[np.float64]
    masked: npt.NDArray[np.int64]
    masked_by_scale: npt.NDArray[np.float64]


def new_workspace(items: int, scales: int, row_slots: int, longest: int) -> Workspace:
    """Return room for `items` items, rows of `row_slots` slots and histories up to `longest`."""
    voted = RECENT_CLICKS * row_slots
    # An odd number of cache lines: a power of two would put all scales into one set of the cache.
    width = (voted // _LINE // 2 * 2 + 3) * _LINE
    return Workspace(
        places=np.zeros(items, dtype=np.int32),
        hidden=np.zeros(items, dtype=np.bool_),
        touched=np.zeros(voted, dtype=np.int64),
        votes=np.zeros((voted, scales)),
        references=np.zeros(scales, dtype=np.int64),
        factors=np.zeros(scales),
        sums=np.zeros(scales),
        own=np.zeros(scales),
        votes_by_scale=np.zeros((scales, width)),
        popularity_by_scale=np.zeros((scales, width)),
        masked=np.zeros(longest, dtype=np.int64),
        masked_by_scale=np.zeros((scales, longest)),
    )


@inner_kernel
def _hide(
    items: ItemColumns,
    standings: Standings,
    history: npt.NDArray[np.int64],
    length: int,
    workspace: Workspace,
) -> int:
    """Leave the known items of a history out of the ranking; return how many."""
    count = 0
    for k in range(length):
        item = history[k]
        if item >= 0 and not workspace.hidden[item] and items.alive[item]:
            workspace.hidden[item] = True
            workspace.masked[count] = item
            for s in range(len(standings.totals)):
                workspace.masked_by_scale[s, count] = standings.popularity[item, s]
            count += 1
    return count


@inner_kernel
def _let_vote(
    graph: ItemGraph, history: npt.NDArray[np.int64], length: int, workspace: Workspace
) -> int:
    """Let the newest clicks of a history vote; return how many items have votes.

    Votes are related to the newest reference of the rows that vote: only their shares matter.
    """
    references, factors = workspace.references, workspace.factors
    scales, recent, count = len(factors), min(length, RECENT_CLICKS), 0
    for s in range(scales):
        references[s] = np.iinfo(np.int64).min
        workspace.sums[s] = 0.0
    for back in range(recent):
        source = history[length - 1 - back]
        if source >= 0 and graph.row_lengths[source] > 0:
            for s in range(scales):
                references[s] = max(references[s], graph.row_references[source, s])
    for back in range(recent):
        source = history[length - 1 - back]
        if source < 0 or graph.row_lengths[source] == 0:
            continue
        for s in range(scales):
            exponent = graph.row_references[source, s] - references[s]
            factors[s] = recent_share(back) * power_of_two(exponent)
        start = graph.row_starts[source]
        for slot in range(start, start + graph.row_lengths[source]):
            item = graph.neighbours[slot]
            place = workspace.places[item] - 1
            if place < 0:
                place = count
                count += 1
                workspace.places[item] = count
                workspace.touched[place] = item
                for s in range(scales):
                    workspace.votes[place, s] = factors[s] * graph.weights[slot, s]
            else:
                for s in range(scales):
                    workspace.votes[place, s] += factors[s] * graph.weights[slot, s]
    return count


@inner_kernel
def _gather(standings: Standings, target: int, count: int, workspace: Workspace) -> int:
    """Gather what is known of the items with votes that are not hidden; return how many.

    The target's own shares of the votes go to ``workspace.own``.
    """
    votes, sums = workspace.votes, workspace.sums
    scales = len(sums)
    for t in range(count):
        for s in range(scales):
            sums[s] += votes[t, s]
    for s in range(scales):
        sums[s] = 1.0 / sums[s] if sums[s] > 0.0 else 0.0
    mine = workspace.places[target] - 1
    for s in range(scales):
        workspace.own[s] = votes[mine, s] * sums[s] if mine >= 0 else 0.0
    kept = 0
    for t in range(count):
        item = workspace.touched[t]
        workspace.places[item] = 0
        if not workspace.hidden[item]:
            for s in range(scales):
                workspace.votes_by_scale[s, kept] = votes[t, s] * sums[s]
                workspace.popularity_by_scale[s, kept] = standings.popularity[item, s]
            kept += 1
    return kept


@lean_kernel
def _reaching(values: npt.NDArray[np.float64], count: int, value: float) -> int:
    """Return how many of the first `count` values are `value` or more."""
    found = 0
    for i in range(count):
        found += values[i] >= value
    return found


@lean_kernel
def _ahead(
    votes: npt.NDArray[np.float64],
    popularity: npt.NDArray[np.float64],
    count: int,
    voted: float,
    popular: float,
) -> int:
    """Return how many have more votes than `voted`, or as many and no less popularity."""
    found = 0
    for i in range(count):
        found += (votes[i] > voted) | ((votes[i] == voted) & (popularity[i] >= popular))
    return found


@lean_kernel
def _voted_for(
    votes: npt.NDArray[np.float64],
    popularity: npt.NDArray[np.float64],
    count: int,
    popular: float,
) -> int:
    """Return how many have votes, but less popularity than `popular`."""
    found = 0
    for i in range(count):
        found += (votes[i] > 0.0) & (popularity[i] < popular)
    return found


@lean_kernel
def _lifted(
    votes: npt.NDArray[np.float64],
    popularity: npt.NDArray[np.float64],
    count: int,
    exchange: float,
    value: float,
) -> int:
    """Return how many reach `value` with their votes, but not by popularity alone."""
    found = 0
    for i in range(count):
        lifted = popularity[i] + exchange * votes[i]
        found += (popularity[i] < value) & (lifted >= value)
    return found


@lean_kernel
def rank_click(
    items: ItemColumns,
    graph: ItemGraph,
    standings: Standings,
    columns: Columns,
    i: int,
    clicks: CountedClicks,
    scored: npt.NDArray[np.bool_],
    mask_history: bool,
    workspace: Workspace,
    all_ranks: npt.NDArray[np.int32],
) -> None:
    """Fill ``all_ranks[i]`` [2 H + X]: popularity, graph, mixes.

    Nothing is done where click `i` is not scored, or its item is not known.
    """
    target, history, length = clicks.targets[i], clicks.histories[i], clicks.lengths[i]
    if not (scored[i] and 0 <= target < len(graph.alive) and items.alive[target]):
        return
    ranks = all_ranks[i]
    masks = _hide(items, standings, history, length if mask_history else 0, workspace)
    count = _gather(standings, target, _let_vote(graph, history, length, workspace), workspace)
    own, highest, scales = standings.popularity[target], standings.highest, len(standings.totals)
    votes, popularity = workspace.votes_by_scale, workspace.popularity_by_scale
    masked = workspace.masked_by_scale
    for s in range(scales):
        ranks[s] = at_least(highest[s], own[s]) - _reaching(masked[s], masks, own[s])

    tie = columns.ties[0]
    unvoted = ranks[tie]
    for s in range(scales):
        voted = workspace.own[s]
        if voted > 0.0:
            above = _ahead(votes[s], popularity[tie], count, voted, own[tie])
        else:
            above = unvoted + _voted_for(votes[s], popularity[tie], count, own[tie])
        ranks[scales + s] = above

    for m in range(len(columns.mix_ratios)):
        g, p = columns.mix_graphs[m], columns.mix_popularities[m]
        exchange = columns.mix_ratios[m] * standings.totals[p]
        mixed = own[p] + exchange * workspace.own[g]
        above = at_least(highest[p], mixed) - _reaching(masked[p], masks, mixed)
        above += _lifted(votes[g], popularity[p], count, exchange, mixed)
        ranks[2 * scales + m] = above
    for column in range(len(ranks)):
        if ranks[column] > DEEPEST:
            ranks[column] = MISS
    for m in range(masks):
        workspace.hidden[workspace.masked[m]] = False


@lean_kernel
def rank_all(
    clicks: CountedClicks,
    scored: npt.NDArray[np.bool_],
    mask_history: bool,
    items: ItemColumns,
    edges: Edges,
    rules: EdgeRules,
    standings: Standings,
    columns: Columns,
    workspace: Workspace,
    ranks: npt.NDArray[np.int32],
) -> None:
    """Rank clicks by the counters as they are; those of unknown items are left alone."""
    graph = graph_of(rules.half_lives, items, edges)
    for i in range(len(clicks.targets)):
        rank_click(
            items, graph, standings, columns, i, clicks, scored, mask_history, workspace, ranks
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
    columns: Columns,
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
        rank_click(
            items, graph, standings, columns, i, clicks, scored, mask_history, workspace, ranks
        )
        split_time(time, rules.half_lives, scratch)
        for s in range(scales):
            if scratch.whole[s] - standings.references[s] > LATEST:
                move_reference(standings, s, scratch.whole[s])
            shift = scratch.whole[s] - standings.references[s]
            standings.totals[s] += weight * scratch.scale[s] * power_of_two(shift)
            workspace.factors[s] = standings.popularity[target, s] if known else -np.inf
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
            raise_value(standings.highest[s], workspace.factors[s], standings.popularity[target, s])
    return len(clicks.targets)

"""Votes of a user's clicks for candidates, on every time scale, raw and as shares.

Sums are kept in as many rows as items have votes, not in one for every item: they fit in a cache.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.baselines.ranker.counts import ROW_SLOTS, Graph
from gsr.baselines.ranker.features import (
    DAY,
    HISTORY,
    HISTORY_SHARES,
    HOUR,
    LAST_SHARES,
    OWN_CLICKS,
    OWN_RECENCY,
    RECENT,
    RECENT_SHARES,
    SCALES,
    SHARED_SCALES,
    TOGETHER,
    VOTE_COLUMNS,
    YEAR,
)
from gsr.baselines.ranker.own_clicks import OwnClicks, newest_of, still_kept
from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.items.decay import power_of_two
from gsr.counters.items.edge_kernel import split_time
from gsr.ranker.votes import (
    HISTORY_DECAY,
    LARGEST_EXPONENT,
    MASS_PRIOR,
    MINUTE,
    RECENCY_SCALE,
    TOGETHER_CLICKS,
)
from gsr.votes.constants import RECENT_CLICKS
from gsr.votes.graph_votes import recent_share

HISTORY_CLICKS: Final = 32
"""So many of the newest clicks vote."""

PRODUCT_PRIOR: Final = 0.5
"""Added to the product of two popularities: two clicks that met once are not alike."""

OWN_LOOKED_UP: Final = 512
"""The user's own clicks on candidates are looked for among so many, in the history and before."""

MOST_VOTED: Final = (HISTORY_CLICKS + TOGETHER_CLICKS) * ROW_SLOTS + 2 * OWN_LOOKED_UP
"""Items that can have votes at once."""


class Votes(NamedTuple):
    """Sums of votes; all is zero between two clicks.

    Parameters
    ----------
    places
        int32 [N], one more than the row of an item in `sums`, 0 for none.
    voted
        int64 [MOST_VOTED], items with a row.
    sums
        float32 [MOST_VOTED, VOTE_COLUMNS].
    factors
        float64 [SCALES], what turns the stored weights of a row into present ones.
    masses
        float64 [SCALES], of a row.
    """

    places: npt.NDArray[np.int32]
    voted: npt.NDArray[np.int64]
    sums: npt.NDArray[np.float32]
    factors: npt.NDArray[np.float64]
    masses: npt.NDArray[np.float64]


def no_votes(items: int) -> Votes:
    """Return room for votes among `items` items."""
    return Votes(
        places=np.zeros(items, dtype=np.int32),
        voted=np.zeros(MOST_VOTED, dtype=np.int64),
        sums=np.zeros((MOST_VOTED, VOTE_COLUMNS), dtype=np.float32),
        factors=np.zeros(SCALES),
        masses=np.zeros(SCALES),
    )


@inner_kernel
def _present_factor(graph: Graph, reference: int, scale: int) -> float:
    """Return what turns weights stored at a reference into those of the time taken apart."""
    exponent = min(reference - graph.scratch.whole[scale], LARGEST_EXPONENT)
    factor: float = power_of_two(exponent) / graph.scratch.scale[scale]
    return factor


@inner_kernel
def present_popularity(graph: Graph, item: int, scale: int) -> float:
    """Return an item's popularity at the time that `split_time` took apart."""
    factor = _present_factor(graph, graph.items.popularity_references[item, scale], scale)
    return graph.items.popularity[item, scale] * factor  # type: ignore[no-any-return] # an element


@lean_kernel
def weigh_row(graph: Graph, source: int, votes: Votes) -> None:
    """Fill `factors` and `masses` for the row of `source`."""
    start = graph.items.row_starts[source]
    for s in range(graph.edges.weights.shape[1]):
        votes.factors[s] = _present_factor(graph, graph.items.row_references[source, s], s)
        votes.masses[s] = 0.0
    for slot in range(start, start + graph.items.row_lengths[source]):
        for s in range(graph.edges.weights.shape[1]):
            votes.masses[s] += graph.edges.weights[slot, s]
    for s in range(graph.edges.weights.shape[1]):
        votes.masses[s] *= votes.factors[s]


@inner_kernel
def _row_for(votes: Votes, item: int, count: int) -> int:
    """Return the row of an item's sums; a new one is the row `count`."""
    place = votes.places[item]
    if place == 0:
        place = count + 1
        votes.places[item] = place
        votes.voted[count] = item
    return int(place - 1)


@lean_kernel
def _add_followers(graph: Graph, source: int, back: int, votes: Votes, count: int) -> int:
    """Let a click of the history vote for what followed it; return how many items have votes."""
    weigh_row(graph, source, votes)
    factors, sums = votes.factors, votes.sums
    by_hour = factors[HOUR] / (votes.masses[HOUR] + MASS_PRIOR)
    by_day = factors[DAY] / (votes.masses[DAY] + MASS_PRIOR)
    by_year = factors[YEAR] / (votes.masses[YEAR] + MASS_PRIOR)
    recent, old = recent_share(back), HISTORY_DECAY**back
    start = graph.items.row_starts[source]
    for slot in range(start, start + graph.items.row_lengths[source]):
        row = _row_for(votes, graph.edges.neighbours.slots[slot], count)
        count += row == count
        hour, day = graph.edges.weights[slot, HOUR], graph.edges.weights[slot, DAY]
        year = graph.edges.weights[slot, YEAR]
        sums[row, HISTORY] += old * day * factors[DAY]
        sums[row, HISTORY + 1] += old * year * factors[YEAR]
        sums[row, HISTORY_SHARES] += old * day * by_day
        sums[row, HISTORY_SHARES + 1] += old * year * by_year
        if back < RECENT_CLICKS:
            for s in range(SCALES):
                sums[row, RECENT + s] += recent * graph.edges.weights[slot, s] * factors[s]
            sums[row, RECENT_SHARES] += recent * hour * by_hour
            sums[row, RECENT_SHARES + 1] += recent * day * by_day
            sums[row, RECENT_SHARES + 2] += recent * year * by_year
        if back == 0:
            sums[row, LAST_SHARES] += hour * by_hour
            sums[row, LAST_SHARES + 1] += year * by_year
    return count


@lean_kernel
def _add_shared(graph: Graph, source: int, back: int, votes: Votes, count: int) -> int:
    """Add the cosines of a click's item to those clicked close to it."""
    share = HISTORY_DECAY**back
    start = graph.items.row_starts[source]
    for s in range(SHARED_SCALES):
        factor = _present_factor(graph, graph.items.row_references[source, s], s)
        own = present_popularity(graph, source, s)
        for slot in range(start, start + graph.items.row_lengths[source]):
            item = graph.edges.neighbours.slots[slot]
            row = _row_for(votes, item, count)
            count += row == count
            product = own * present_popularity(graph, item, s)
            votes.sums[row, TOGETHER + s] += (
                share * factor * graph.edges.weights[slot, s] / math.sqrt(product + PRODUCT_PRIOR)
            )
    return count


@inner_kernel
def _add_own(time: float, then: float, item: int, votes: Votes, count: int) -> int:
    """Note that the user has clicked an item; return how many items have votes."""
    row = _row_for(votes, item, count)
    recency = RECENCY_SCALE / math.sqrt(1.0 + max(time - then, 0.0) / MINUTE)
    votes.sums[row, OWN_CLICKS] += 1.0
    votes.sums[row, OWN_RECENCY] = max(votes.sums[row, OWN_RECENCY], recency)
    return count + int(row == count)


@lean_kernel
def add_own_clicks(
    followers: Graph,
    own: OwnClicks,
    user: np.uint64,
    time: float,
    history: npt.NDArray[np.int64],
    history_times: npt.NDArray[np.float64],
    length: int,
    in_history: bool,
    votes: Votes,
    count: int,
) -> int:
    """Note a user's own clicks before the history, and in it; return how many items have votes.

    Parameters
    ----------
    followers
        Tells which items are known.
    own, user
        Everybody's clicks, and whose are wanted.
    time, history, history_times, length, votes
        As for `let_vote`.
    in_history
        Whether the items of the history may be clicked again, and so are candidates.
    count
        Items that have votes by now.
    """
    if in_history:
        for k in range(max(0, length - OWN_LOOKED_UP), length):
            if history[k] >= 0 and followers.items.alive[history[k]]:
                count = _add_own(time, history_times[k], history[k], votes, count)
    number = newest_of(own, user)
    for _ in range(OWN_LOOKED_UP):
        if not still_kept(own, number):
            break
        at = number % len(own.items)
        item, then = own.items[at], own.times[at]
        if item >= 0 and (length == 0 or then < history_times[0]):
            count = _add_own(time, then, item, votes, count)
        number = own.before[at]
    return count


@lean_kernel
def let_vote(
    followers: Graph,
    shared: Graph,
    time: float,
    history: npt.NDArray[np.int64],
    length: int,
    votes: Votes,
) -> int:
    """Let a history vote; return how many items have votes.

    Parameters
    ----------
    followers, shared
        The graphs.
    time
        Now.
    history, length
        Item rows, oldest first, of which the first `length` count.
    votes
        Filled; `forget_votes` empties them.
    """
    split_time(time, followers.rules.half_lives, followers.scratch)
    split_time(time, shared.rules.half_lives, shared.scratch)
    count = 0
    for back in range(min(length, HISTORY_CLICKS)):
        source = history[length - 1 - back]
        if source >= 0 and followers.items.alive[source]:
            count = _add_followers(followers, source, back, votes, count)
            if back < TOGETHER_CLICKS:
                count = _add_shared(shared, source, back, votes, count)
    return count


@lean_kernel
def forget_votes(votes: Votes, count: int) -> None:
    """Empty the rows of the `count` items that have votes."""
    for row in range(count):
        votes.places[votes.voted[row]] = 0
        for column in range(VOTE_COLUMNS):
            votes.sums[row, column] = 0.0

"""Votes of a user's clicks for candidates, on every time scale, raw and as shares.

Sums are kept in as many rows as items have votes, not in one for every item: they fit in a cache.
The kernels are generic in the counters' type: the state's are float32, the baseline's float64.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.items.decay import power_of_two, split_scales
from gsr.counters.items.item_graph import ItemGraph
from gsr.ranker.features import Places
from gsr.votes.constants import RECENT_CLICKS
from gsr.votes.graph_votes import recent_share

HISTORY_DECAY: Final = 0.9
"""A click of the long history counts a tenth less than the next newer one."""

TOGETHER_CLICKS: Final = 20
"""The newest clicks whose neighbours are looked up among items clicked close by."""

MASS_PRIOR: Final = 0.3
"""Added to a row's mass before shares are taken: a single follower is no certainty."""

COSINE_PRIOR: Final = 0.5
"""Added to the product of two popularities: two clicks that met once are not alike."""

LARGEST_EXPONENT: Final = 60
"""Clicks may come late; what they see of later ones stays within float32."""

RECENCY_SCALE: Final = math.exp(10.0)
"""The recency of an own click of this moment; it falls with the root of the time since."""

MINUTE: Final = 60.0


class Votes(NamedTuple):
    """Sums of votes; all is zero between two clicks.

    Parameters
    ----------
    places
        int32 [N], one more than the row of an item in `sums`, 0 for none.
    voted
        int64 [M], items with a row.
    sums
        float32 [M, V].
    factors, masses
        float64 [S + C], what turns the stored weights of a row into present ones; and their sums,
        on the scales that shares are taken on.
    own, alike
        float64 [S + C] and [M, S + C], popularity of the item that votes, and of those with a row,
        on the scales of what is clicked close by.
    whole, fraction
        int64 and float64 [S + C], the time in whole half-lives, and two to the power of the rest.
    """

    places: npt.NDArray[np.int32]
    voted: npt.NDArray[np.int64]
    sums: npt.NDArray[np.float32]
    factors: npt.NDArray[np.float64]
    masses: npt.NDArray[np.float64]
    own: npt.NDArray[np.float64]
    alike: npt.NDArray[np.float64]
    whole: npt.NDArray[np.int64]
    fraction: npt.NDArray[np.float64]


def no_votes(items: int, voted: int, columns: int, scales: int) -> Votes:
    """Return room for votes among `items` items, of which `voted` can have any.

    Parameters
    ----------
    columns
        Columns of votes (V).
    scales
        Time scales altogether (S + C).
    """
    return Votes(
        places=np.zeros(items, dtype=np.int32),
        voted=np.zeros(voted, dtype=np.int64),
        sums=np.zeros((voted, columns), dtype=np.float32),
        factors=np.zeros(scales),
        masses=np.zeros(scales),
        own=np.zeros(scales),
        alike=np.zeros((voted, scales)),
        whole=np.zeros(scales, dtype=np.int64),
        fraction=np.ones(scales),
    )


@inner_kernel
def take_time_apart(graph: ItemGraph, time: float, votes: Votes) -> None:
    """Split the time on each scale into whole half-lives and two to the power of the rest."""
    scales = len(graph.half_lives)
    split_scales(time, graph.half_lives, 0, votes.whole, votes.fraction)
    split_scales(time, graph.close_half_lives, scales, votes.whole, votes.fraction)


@inner_kernel
def present_popularity(graph: ItemGraph, votes: Votes, item: int, scale: int) -> float:
    """Return an item's popularity at the time that was taken apart."""
    exponent = min(graph.popularity_references[item, scale] - votes.whole[scale], LARGEST_EXPONENT)
    return (  # type: ignore[no-any-return] # an element
        graph.popularity[item, scale] * power_of_two(exponent) / votes.fraction[scale]
    )


@lean_kernel
def weigh_row(graph: ItemGraph, places: Places, source: int, votes: Votes) -> None:
    """Fill `factors` and `masses` for the row of `source`."""
    start, weights = graph.row_starts[source], graph.weights
    for s in range(len(votes.factors)):
        exponent = min(graph.row_references[source, s] - votes.whole[s], LARGEST_EXPONENT)
        votes.factors[s] = power_of_two(exponent) / votes.fraction[s]
    short = day = long = 0.0
    for slot in range(start, start + graph.row_lengths[source]):
        short += weights[slot, places.short]
        day += weights[slot, places.day]
        long += weights[slot, places.long]
    votes.masses[places.short] = short * votes.factors[places.short]
    votes.masses[places.day] = day * votes.factors[places.day]
    votes.masses[places.long] = long * votes.factors[places.long]


@inner_kernel
def _row_for(votes: Votes, item: int, count: int) -> int:
    """Return the row of an item's sums; a new one is the row `count`."""
    place = votes.places[item]
    if place == 0:
        place = count + 1
        votes.places[item] = place
        votes.voted[count] = item
    return int(place - 1)


class _Click(NamedTuple):
    """What is the same for all neighbours of a click that votes.

    Parameters
    ----------
    recent, old
        How much it counts among the newest ones, and in the long history.
    short_mass, day_mass, long_mass
        What weights are divided by to be shares.
    """

    recent: float
    old: float
    short_mass: float
    day_mass: float
    long_mass: float


@inner_kernel
def _follow(
    graph: ItemGraph,
    places: Places,
    slot: int,
    back: int,
    click: _Click,
    votes: Votes,
    row: int,
) -> None:
    """Add a click's votes for an item that followed it."""
    factors, sums, weights = votes.factors, votes.sums, graph.weights
    day_weight = weights[slot, places.day] * factors[places.day]
    long_weight = weights[slot, places.long] * factors[places.long]
    day_share, long_share = day_weight / click.day_mass, long_weight / click.long_mass
    sums[row, places.history] += click.old * day_weight
    sums[row, places.history + 1] += click.old * long_weight
    sums[row, places.history_shares] += click.old * day_share
    sums[row, places.history_shares + 1] += click.old * long_share
    if back < RECENT_CLICKS:
        short_share = weights[slot, places.short] * factors[places.short] / click.short_mass
        for s in range(len(graph.half_lives)):
            sums[row, places.recent + s] += click.recent * weights[slot, s] * factors[s]
        sums[row, places.recent_shares] += click.recent * short_share
        sums[row, places.recent_shares + 1] += click.recent * day_share
        sums[row, places.recent_shares + 2] += click.recent * long_share
        if back == 0:
            sums[row, places.last_shares] += short_share
            sums[row, places.last_shares + 1] += long_share


@lean_kernel
def _add_row(
    graph: ItemGraph,
    places: Places,
    close_scales: npt.NDArray[np.int64],
    source: int,
    back: int,
    votes: Votes,
    count: int,
) -> int:
    """Let a click of the history vote for its neighbours; return how many items have votes.

    This is most of the work of every list and of every learned click: whatever is the same for all
    neighbours is found before.
    """
    weigh_row(graph, places, source, votes)
    weights, scales, long = graph.weights, len(graph.half_lives), places.long
    click = _Click(
        recent_share(back),
        HISTORY_DECAY**back,
        votes.masses[places.short] + MASS_PRIOR,
        votes.masses[places.day] + MASS_PRIOR,
        votes.masses[long] + MASS_PRIOR,
    )
    close = len(close_scales) if back < TOGETHER_CLICKS else 0
    for c in range(close):
        votes.own[c] = present_popularity(graph, votes, source, close_scales[c])
    start = graph.row_starts[source]
    for slot in range(start, start + graph.row_lengths[source]):
        item: int = np.int64(graph.neighbours[slot])  # type: ignore[assignment] # kernels' int
        followed = weights[slot, long] > 0.0
        together = False
        for c in range(close):
            together = together or weights[slot, scales + c] > 0.0
        if not followed and not together:
            continue
        row = _row_for(votes, item, count)
        if row == count:
            count += 1
            for c in range(close):
                votes.alike[row, c] = present_popularity(graph, votes, item, close_scales[c])
        if followed:
            _follow(graph, places, slot, back, click, votes, row)
        if together:
            for c in range(close):
                product = votes.own[c] * votes.alike[row, c]
                weight = weights[slot, scales + c] * votes.factors[scales + c]
                votes.sums[row, places.together + c] += (
                    click.old * weight / math.sqrt(product + COSINE_PRIOR)
                )
    return count


@lean_kernel
def let_vote(
    graph: ItemGraph,
    places: Places,
    close_scales: npt.NDArray[np.int64],
    time: float,
    history: npt.NDArray[np.int64],
    length: int,
    votes: Votes,
) -> int:
    """Let a history vote; return how many items have votes.

    Parameters
    ----------
    graph
        What followed, popularity, and what was clicked close by.
    places, close_scales
        See `FeatureLayout`.
    time
        Now.
    history, length
        Item rows, oldest first, of which the first `length` count; -1 is left out.
    votes
        Filled; `forget_votes` empties them.
    """
    take_time_apart(graph, time, votes)
    count = 0
    for back in range(length):
        source = history[length - 1 - back]
        if source >= 0 and graph.alive[source]:
            count = _add_row(graph, places, close_scales, source, back, votes, count)
    return count


@lean_kernel
def add_own_clicks(
    graph: ItemGraph,
    places: Places,
    time: float,
    history: npt.NDArray[np.int64],
    history_times: npt.NDArray[np.float64],
    length: int,
    votes: Votes,
    count: int,
) -> int:
    """Note the items of the history, which may be clicked again; return how many have votes."""
    for k in range(length):
        item = history[k]
        if item < 0 or not graph.alive[item]:
            continue
        row = _row_for(votes, item, count)
        count += row == count
        pause = max(time - history_times[k], 0.0)
        recency = RECENCY_SCALE / math.sqrt(1.0 + pause / MINUTE)
        place = places.own_clicks
        votes.sums[row, place] += 1.0
        votes.sums[row, place + 1] = max(votes.sums[row, place + 1], recency)
    return count


@lean_kernel
def forget_votes(votes: Votes, count: int) -> None:
    """Empty the rows of the `count` items that have votes."""
    for row in range(count):
        votes.places[votes.voted[row]] = 0
        for column in range(votes.sums.shape[1]):
            votes.sums[row, column] = 0.0

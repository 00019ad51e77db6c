"""Votes of a user's clicks for candidates, in numbers and as shares.

Sums are kept in as many rows as items have votes, not in one for every item: they fit in a cache.
Counters must be float32: their references keep up with time, so factors fit into float32 too.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.items.decay import power_of_two, split_scales
from gsr.counters.items.item_graph import ItemGraph
from gsr.ranker.features import HISTORY, HISTORY_SHARES, LAST_SHARES, TOGETHER, Places

HISTORY_DECAY: Final = 0.9
"""A click of the history counts a tenth less than the next newer one."""

TOGETHER_CLICKS: Final = 20
"""The newest clicks whose neighbours are looked up among items clicked close by."""

MASS_PRIOR: Final = 0.3
"""Added to a row's mass before shares are taken: a single follower is no certainty."""

COSINE_PRIOR: Final = 0.5
"""Added to either popularity: two clicks that met once are not alike."""

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
    voted, newest
        int64 [M], items with a row, and int64 [1], how many of them, the first ones, the newest
        click voted for.
    sums
        float32 [M, V].
    close
        float32 [C], how much a click that votes counts for what was clicked close by.
    norms
        float32 [M], one over the root of each voted item's popularity, on one time scale.
    whole, fraction
        int64 and float64 [S + C], the time in whole half-lives, and two to the power of the rest.
    """

    places: npt.NDArray[np.int32]
    voted: npt.NDArray[np.int64]
    newest: npt.NDArray[np.int64]
    sums: npt.NDArray[np.float32]
    close: npt.NDArray[np.float32]
    norms: npt.NDArray[np.float32]
    whole: npt.NDArray[np.int64]
    fraction: npt.NDArray[np.float64]


def no_votes(items: int, voted: int, columns: int, *, scales: int, close: int) -> Votes:
    """Return room for votes among `items` items, of which `voted` can have any.

    Parameters
    ----------
    columns
        Columns of votes (V).
    scales, close
        Time scales altogether (S + C), and of what is clicked close by (C).
    """
    return Votes(
        places=np.zeros(items, dtype=np.int32),
        voted=np.zeros(voted, dtype=np.int64),
        newest=np.zeros(1, dtype=np.int64),
        sums=np.zeros((voted, columns), dtype=np.float32),
        close=np.zeros(close, dtype=np.float32),
        norms=np.zeros(voted, dtype=np.float32),
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


@inner_kernel
def row_factor(graph: ItemGraph, votes: Votes, source: int, scale: int) -> float:
    """Return what turns the stored weights of a row into those of the time taken apart."""
    exponent = min(graph.row_references[source, scale] - votes.whole[scale], LARGEST_EXPONENT)
    return power_of_two(exponent) / votes.fraction[scale]  # type: ignore[no-any-return] # an element


@lean_kernel
def row_mass(graph: ItemGraph, source: int, scale: int) -> float:
    """Return the sum of the stored weights of a row.

    Four sums side by side: each alone would wait for its last addition.
    """
    first, length, weights = graph.row_starts[source], graph.row_lengths[source], graph.weights
    a = b = c = d = 0.0
    for slot in range(first, first + length - 3, 4):
        a += weights[slot, scale]
        b += weights[slot + 1, scale]
        c += weights[slot + 2, scale]
        d += weights[slot + 3, scale]
    for slot in range(first + length // 4 * 4, first + length):
        a += weights[slot, scale]
    return (a + b) + (c + d)


@inner_kernel
def _per_mass(graph: ItemGraph, source: int, scale: int, factor: float, share: float) -> np.float32:
    """Return what turns the stored weights of a row into shares of all of them, times `share`."""
    return np.float32(share * factor / (row_mass(graph, source, scale) * factor + MASS_PRIOR))


@inner_kernel
def _row_for(votes: Votes, item: int, count: int) -> int:
    """Return the row of an item's sums; a new one is the row `count`.

    Without branches: which items are new is hard to guess for a processor.
    """
    place = votes.places[item]
    row = count if place == 0 else np.int64(place) - 1
    votes.places[item] = row + 1
    votes.voted[row] = item
    return row  # type: ignore[return-value] # kernels' int


@lean_kernel
def _add_row(
    graph: ItemGraph,
    places: Places,
    close: int,
    source: int,
    share: float,
    votes: Votes,
    count: int,
) -> int:
    """Let a click of the history vote for its neighbours; return how many items have votes.

    This is most of the work of every list and of every learned click: whatever is the same for all
    neighbours is found before.
    """
    weights, sums, together = graph.weights, votes.sums, votes.close
    middle, long, scales = places.middle, places.long, len(graph.half_lives)
    middle_factor = row_factor(graph, votes, source, middle)
    long_factor = row_factor(graph, votes, source, long)
    by_middle, by_long = np.float32(share * middle_factor), np.float32(share * long_factor)
    middle_share = _per_mass(graph, source, middle, middle_factor, share)
    long_share = _per_mass(graph, source, long, long_factor, share)
    start = graph.row_starts[source]
    for slot in range(start, start + graph.row_lengths[source]):
        item: int = np.int64(graph.neighbours[slot])  # type: ignore[assignment] # kernels' int
        row = _row_for(votes, item, count)
        count += row == count
        middle_weight, long_weight = weights[slot, middle], weights[slot, long]
        sums[row, HISTORY] += by_middle * middle_weight
        sums[row, HISTORY + 1] += by_long * long_weight
        sums[row, HISTORY_SHARES] += middle_share * middle_weight
        sums[row, HISTORY_SHARES + 1] += long_share * long_weight
        for c in range(close):
            sums[row, TOGETHER + c] += together[c] * weights[slot, scales + c]
    return count


@lean_kernel
def _add_last_shares(graph: ItemGraph, places: Places, source: int, votes: Votes) -> None:
    """Note the shares of the newest click, which voted first: so its neighbours are in order."""
    start = graph.row_starts[source]
    stop = start + graph.row_lengths[source]
    for n, scale in enumerate((places.short, places.middle, places.long)):
        share = _per_mass(graph, source, scale, row_factor(graph, votes, source, scale), 1.0)
        for slot in range(start, stop):
            votes.sums[slot - start, LAST_SHARES + n] = share * graph.weights[slot, scale]


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
    scales, count, votes.newest[0] = len(graph.half_lives), 0, 0
    for back in range(length):
        source = history[length - 1 - back]
        if source < 0 or not graph.alive[source]:
            continue
        share = HISTORY_DECAY**back
        close = len(close_scales) if back < TOGETHER_CLICKS else 0
        for c in range(close):
            popularity = present_popularity(graph, votes, source, close_scales[c])
            factor = row_factor(graph, votes, source, scales + c)
            votes.close[c] = share * factor / math.sqrt(popularity + COSINE_PRIOR)
        count = _add_row(graph, places, close, source, share, votes, count)
        if back == 0:
            votes.newest[0] = count
            _add_last_shares(graph, places, source, votes)
    for c in range(len(close_scales)):
        _divide_by_popularity(graph, votes, close_scales[c], TOGETHER + c, count)
    return count


@lean_kernel
def _divide_by_popularity(
    graph: ItemGraph, votes: Votes, scale: int, column: int, count: int
) -> None:
    """Divide sums by the root of the voted items' popularity; the clicks' own is in them already.

    One step after the other, so that roots are taken of many at once.
    """
    norms, sums = votes.norms, votes.sums
    for row in range(count):
        norms[row] = present_popularity(graph, votes, votes.voted[row], scale)
    for row in range(count):
        norms[row] = np.float32(1.0) / np.sqrt(norms[row] + np.float32(COSINE_PRIOR))
    for row in range(count):
        sums[row, column] *= norms[row]


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

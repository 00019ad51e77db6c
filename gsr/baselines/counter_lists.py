"""Top-k lists by the baselines' counters: popularity, the item graph, or a mix of the two.

They rank as `gsr.baselines.counters` says, and as `BaselineCounters.rank` does, but by sorting the
few items that can be listed instead of finding the place of one: those that have votes, and so many
of the most popular ones that a list is full whatever is masked. Only the popularity of all items is
sorted, once for all users. The time at which a list is asked for changes no order.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.baselines.counters import KINDS, BaselineCounters, tie_scale
from gsr.counters.items.item_graph import ItemGraph
from gsr.votes.constants import RECENT_CLICKS, RECENT_DECAY

_POPULARITY, _GRAPH, _MIX = KINDS

_FAR: Final = -4096
"""Whatever is older by so many half-lives is 0 in float64."""


class CounterLists:
    """Lists by one column of a `BaselineCounters`, as it is when they are asked for.

    Items of equal scores, for the graph above all those without any, are ordered by popularity: for
    the graph at the half-life that is nearest to a day.

    Parameters
    ----------
    counters
        Are read only.
    column
        One of ``counters.names``: ``KIND@SECONDS``, or ``mix@GRAPH:POPULARITY:SHARE`` with the
        half-life of each and the graph's share.

    Raises
    ------
    ValueError
        The counters have no such column.
    """

    def __init__(self, counters: BaselineCounters, column: str) -> None:
        if column not in counters.names:
            raise ValueError(f"no lists by {column!r}: give one of {', '.join(counters.names)}")
        place, scales = counters.names.index(column), len(counters.half_lives)
        kind, scale = KINDS[min(place // scales, len(KINDS) - 1)], place % scales
        graph, popularity, share = scale, scale, 0.5
        if kind == _GRAPH:
            popularity = tie_scale(counters.half_lives)
        elif kind == _MIX:
            mix, places = counters.mixes[place - 2 * scales], counters.half_lives.tolist()
            graph, popularity = places.index(mix.graph), places.index(mix.popularity)
            share = mix.share
        self._counters = counters
        self._kind: Final = kind
        self._graph: Final = graph
        self._popularity: Final = popularity
        self._share: Final = share

    def top(
        self,
        histories: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
        count: int,
        mask_history: bool,
    ) -> npt.NDArray[np.int64]:
        """Return each user's best items by the counters as they are (see `ListMaker`)."""
        graph = self._counters.graph()
        users, items = len(histories), max(graph.items, 1)
        inside = np.arange(histories.shape[1]) < lengths[:, None]
        histories = np.where(inside & (histories < graph.items), histories, -1)
        popularity = _popularity(graph, self._popularity)
        # Each user's items are numbers of their own: a user's come one after another.
        keys, votes = np.zeros(0, dtype=np.int64), np.zeros(0)
        if self._kind != _POPULARITY:
            keys, votes = _votes(graph, self._graph, histories, lengths)
        most = count + (histories.shape[1] if mask_history else 0)
        popular = _most_popular(graph, popularity, most)
        others = _keys(np.arange(users)[:, None], popular, items)
        others = others[~_among(others, keys)]
        keys, votes = np.append(keys, others), np.append(votes, np.zeros(len(others)))
        ties = popularity[keys % items]
        scores = votes
        if self._kind == _MIX:
            scores = _mixed(keys // items, votes, ties, popularity.sum(), users, self._share)
        kept = graph.alive[keys % items] if graph.items else np.zeros(0, dtype=np.bool_)
        if mask_history:
            owners, _ = np.nonzero(histories >= 0)
            masked = np.sort(_keys(owners, histories[histories >= 0], items))
            kept &= ~_among(keys, masked)
        order = np.lexsort((keys, -ties, -scores, keys // items))
        return _first(keys[order[kept[order]]], users, items, count)


def _keys(
    users: npt.NDArray[np.int64], items: npt.NDArray[np.int64], item_count: int
) -> npt.NDArray[np.int64]:
    """Return one number for each pair of user and item, flat."""
    return (users * item_count + items).ravel()


def _among(keys: npt.NDArray[np.int64], ascending: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return which of `keys` are among others, which are in order: no sorting, as `isin` would."""
    if len(ascending) == 0:
        return np.zeros(len(keys), dtype=np.bool_)
    places = np.minimum(np.searchsorted(ascending, keys), len(ascending) - 1)
    found: npt.NDArray[np.bool_] = ascending[places] == keys
    return found


def _popularity(graph: ItemGraph, scale: int) -> npt.NDArray[np.float64]:
    """Return float64 [N], popularity at the newest reference; 0 for items that are not alive."""
    references = graph.popularity_references[:, scale]
    newest = references[graph.alive].max(initial=np.iinfo(np.int64).min)
    exponents = np.clip(references - newest, _FAR, 0).astype(np.int32)
    stored = np.where(graph.alive, graph.popularity[:, scale], 0.0).astype(np.float64)
    found: npt.NDArray[np.float64] = np.ldexp(stored, exponents)
    return found


def _most_popular(
    graph: ItemGraph, popularity: npt.NDArray[np.float64], count: int
) -> npt.NDArray[np.int64]:
    """Return the `count` most popular live items, or all where there are no more."""
    live = np.flatnonzero(graph.alive)
    order = np.argsort(-popularity[live], kind="stable")
    return live[order[:count]]


def _votes(
    graph: ItemGraph,
    scale: int,
    histories: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Let the newest clicks vote for what followed them; see `gsr.votes.graph_votes.add_votes`.

    Weights are compared within a user's votes only, so each user's are taken at the newest
    reference of the rows that vote, which neither overflows nor loses what counts.

    Returns
    -------
    int64 [E], keys of a user and an item, ascending; float64 [E], votes above 0.
    """
    back = lengths[:, None] - 1 - np.arange(histories.shape[1])
    users, places = np.nonzero((histories >= 0) & (back < RECENT_CLICKS))
    has_row = graph.row_lengths[histories[users, places]] > 0
    users, places = users[has_row], places[has_row]
    sources = histories[users, places]
    references = graph.row_references[sources, scale]
    newest = np.full(len(histories), np.iinfo(np.int64).min)
    np.maximum.at(newest, users, references)
    exponents = np.clip(references - newest[users], _FAR, 0).astype(np.int32)
    factors = np.ldexp(RECENT_DECAY ** back[users, places].astype(np.float64), exponents)
    row_lengths = graph.row_lengths[sources].astype(np.int64)
    voter = np.repeat(np.arange(len(sources)), row_lengths)
    first = np.cumsum(row_lengths) - row_lengths
    slots = (graph.row_starts[sources] - first)[voter] + np.arange(len(voter))
    keys = _keys(users[voter], graph.neighbours[slots].astype(np.int64), graph.items)
    weights = graph.weights[slots, scale] * factors[voter]
    found, place = np.unique(keys, return_inverse=True)
    votes: npt.NDArray[np.float64] = np.zeros(len(found))
    np.add.at(votes, place, weights)
    return found[votes > 0.0], votes[votes > 0.0]


def _mixed(
    owners: npt.NDArray[np.int64],
    votes: npt.NDArray[np.float64],
    popularity: npt.NDArray[np.float64],
    total: float,
    users: int,
    share: float,
) -> npt.NDArray[np.float64]:
    """Return votes and popularity, each divided by its own total and multiplied by its share."""
    totals = np.bincount(owners, weights=votes, minlength=users)
    exchange = np.divide(share, totals, out=np.zeros(users), where=totals > 0.0)
    found: npt.NDArray[np.float64] = exchange[owners] * votes
    if total > 0.0:
        found += (1.0 - share) / total * popularity
    return found


def _first(
    keys: npt.NDArray[np.int64], users: int, items: int, count: int
) -> npt.NDArray[np.int64]:
    """Return the first `count` items of each user, int64 [users, count], of keys in order."""
    lists = np.full((users, count), -1, dtype=np.int64)
    owners = keys // items
    places = np.arange(len(keys)) - np.searchsorted(owners, owners)
    listed = places < count
    lists[owners[listed], places[listed]] = keys[listed] % items
    return lists

"""Top-k lists by the baselines' counters: popularity, the item graph, or their equal mix.

They rank as `gsr.baselines.counters` says, and as `BaselineCounters.rank` does, but by sorting the
few items that can be listed instead of finding the place of one: those that have votes, and so many
of the most popular ones that a list is full whatever is masked. Only the popularity of all items is
sorted, once for all users. The time at which a list is asked for changes no order.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.baselines.counters import KINDS, BaselineCounters
from gsr.counters.items.item_graph import ItemGraph
from gsr.votes.constants import RECENT_CLICKS, RECENT_DECAY

_POPULARITY, _GRAPH, _MIX = KINDS

_FAR: Final = -4096
"""Whatever is older by so many half-lives is 0 in float64."""


class CounterLists:
    """Lists by one column of a `BaselineCounters`, as it is when they are asked for.

    Parameters
    ----------
    counters
        Are read only.
    column
        One of ``counters.names``: a kind of `KINDS` at a half-life.

    Raises
    ------
    ValueError
        The counters have no such column.
    """

    def __init__(self, counters: BaselineCounters, column: str) -> None:
        kind, _, half_life = column.partition("@")
        names = [f"{seconds:g}" for seconds in counters.half_lives.tolist()]
        if kind not in KINDS or half_life not in names:
            raise ValueError(f"no lists by {column!r}: give one of {', '.join(counters.names)}")
        self._counters = counters
        self._kind: Final = kind
        self._scale: Final = names.index(half_life)

    def top(
        self,
        histories: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
        count: int,
        mask_history: bool,
    ) -> npt.NDArray[np.int64]:
        """Return each user's best items by the counters as they are (see `ListMaker`)."""
        graph = self._counters.graph()
        inside = np.arange(histories.shape[1]) < lengths[:, None]
        histories = np.where(inside & (histories < graph.items), histories, -1)
        popularity = _popularity(graph, self._scale)
        # Each user's items are numbers of their own: a user's come one after another.
        keys, scores = np.zeros(0, dtype=np.int64), np.zeros(0)
        if self._kind != _POPULARITY:
            keys, scores = _votes(graph, self._scale, histories, lengths)
        if self._kind == _MIX:
            scores = _mixed(keys, scores, popularity, len(histories))
        if self._kind != _GRAPH:
            most = count + (histories.shape[1] if mask_history else 0)
            popular = _most_popular(graph, popularity, most)
            others = _keys(np.arange(len(histories))[:, None], popular, graph.items)
            others = others[~_among(others, keys)]
            keys = np.append(keys, others)
            scores = np.append(scores, popularity[others % max(graph.items, 1)])
        kept = graph.alive[keys % max(graph.items, 1)]
        if mask_history:
            users, _ = np.nonzero(histories >= 0)
            masked = np.sort(_keys(users, histories[histories >= 0], graph.items))
            kept &= ~_among(keys, masked)
        return _best(keys[kept], scores[kept], len(histories), graph.items, count)


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
    keys: npt.NDArray[np.int64],
    votes: npt.NDArray[np.float64],
    popularity: npt.NDArray[np.float64],
    users: int,
) -> npt.NDArray[np.float64]:
    """Return votes and popularity, each divided by its own total, in units of popularity."""
    items = max(len(popularity), 1)
    totals = np.bincount(keys // items, weights=votes, minlength=users)
    exchange = popularity.sum() / np.where(totals > 0.0, totals, 1.0)
    found: npt.NDArray[np.float64] = popularity[keys % items] + exchange[keys // items] * votes
    return found


def _best(
    keys: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float64],
    users: int,
    items: int,
    count: int,
) -> npt.NDArray[np.int64]:
    """Return each user's items of highest score, int64 [users, count]."""
    lists = np.full((users, count), -1, dtype=np.int64)
    owners = keys // max(items, 1)
    order = np.lexsort((keys, -scores, owners))
    owners, keys = owners[order], keys[order]
    places = np.arange(len(keys)) - np.searchsorted(owners, owners)
    listed = places < count
    lists[owners[listed], places[listed]] = keys[listed] % max(items, 1)
    return lists

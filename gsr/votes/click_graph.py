"""The item graph of a set of clicks, counted at once and without decay. Imports no torch.

Where clicks are learned as a whole there is no "now" for weights to decay to. The places of the
time scales are then taken by *relations*: what followed a click, and what went before it.
Everything that reads an `ItemGraph` works on them alike: half-lives are infinite. What was popular
lately is kept apart, as it was at a number of moments.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.interactions import Interactions
from gsr.counters.items.item_graph import ItemGraph
from gsr.quality.protocols import clicks_before

FORWARD: Final = 0
BACKWARD: Final = 1
RELATIONS: Final = ("forward", "backward")
"""An item's neighbours are those clicked after it, and those clicked before it."""

MOST_MOMENTS: Final = 96
MOMENT_CELLS: Final = 1 << 22
"""Moments times items are kept at most, within reason: four moments there are always."""

UNDYING: Final = (float("inf"),) * len(RELATIONS)
"""The half-lives of a model that reads a `ClickGraph`."""


@dataclass(frozen=True, slots=True)
class RecentPopularity:
    """Popularity that fades, as it was at T moments.

    Parameters
    ----------
    moments
        float64 [T], ascending.
    counts
        float32 [T, N]: clicks before each moment, each worth half as much after a half-life.
    """

    moments: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float32]

    def rows(self, times: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return int64 [m], the last moment at or before each time; the first, if none is."""
        found: npt.NDArray[np.int64] = np.searchsorted(self.moments, times, side="right") - 1
        return found.clip(min=0)


@dataclass(frozen=True, slots=True)
class ClickGraph:
    """Counters of the clicks before each user's end.

    Parameters
    ----------
    graph
        Edges by relation; popularity in clicks, the same in every relation.
    ends
        int64 [U]: of user u, the clicks ``starts[u] : ends[u]`` are counted.
    window_weights
        Weight of the edge between a click and the next, the one after, and so on.
    own_counts
        int64 [n], how many of its user's counted clicks are on the same item as each click.
    recent
        Popularity of the counted clicks over time.
    """

    graph: ItemGraph
    ends: npt.NDArray[np.int64]
    window_weights: tuple[float, ...]
    own_counts: npt.NDArray[np.int64]
    recent: RecentPopularity


def count_clicks(
    interactions: Interactions,
    ends: npt.NDArray[np.int64],
    window_weights: tuple[float, ...],
    recent_half_life: float,
) -> ClickGraph:
    """Count edges and popularity of the clicks ``starts[u] : ends[u]`` of every user u.

    An item is no neighbour of itself. `recent_half_life` is in seconds.
    """
    n, items = interactions.item_count, interactions.items
    counted = clicks_before(interactions, ends)
    rows, neighbours, weights = _edges(interactions, counted, window_weights)
    starts = np.searchsorted(rows, np.arange(n + 1))
    popularity = np.bincount(items[counted], minlength=n).astype(np.float32)
    newest = np.full(n, -np.inf)
    np.maximum.at(newest, items[counted], interactions.times[counted])
    scales = len(RELATIONS)
    graph = ItemGraph(
        half_lives=np.array(UNDYING),
        row_starts=starts[:-1].astype(np.int64),
        row_lengths=np.diff(starts).astype(np.int32),
        row_references=np.zeros((n, scales), np.int64),
        neighbours=neighbours.astype(np.uint32),
        weights=weights,
        popularity=np.repeat(popularity[:, None], scales, axis=1),
        popularity_references=np.zeros((n, scales), np.int64),
        last_clicks=newest,
        alive=np.ones(n, np.bool_),
        close_half_lives=np.zeros(0),
    )
    own_counts = _own_counts(interactions, counted)
    recent = _recent(interactions, counted, recent_half_life)
    return ClickGraph(graph, ends, window_weights, own_counts, recent)


def _recent(
    interactions: Interactions, counted: npt.NDArray[np.bool_], half_life: float
) -> RecentPopularity:
    """Count what was popular at moments with about as many clicks between each and the next."""
    n = interactions.item_count
    times, items = interactions.times[counted], interactions.items[counted]
    order = np.argsort(times, kind="stable")
    times, items = times[order], items[order]
    wanted = int(np.clip(MOMENT_CELLS // max(n, 1), 4, MOST_MOMENTS))
    places = np.linspace(0, len(times) - 1, wanted + 1)[1:].astype(np.int64)
    moments = np.unique(times[places]) if len(times) else np.zeros(1)
    counts = np.zeros((len(moments), n), np.float32)
    current, taken, last = np.zeros(n), 0, moments[0]
    for row, moment in enumerate(moments):
        current *= 0.5 ** ((moment - last) / half_life)
        # Strictly before: of what happens at one time, nothing is known yet.
        stop = int(np.searchsorted(times, moment, side="left"))
        ages = moment - times[taken:stop]
        np.add.at(current, items[taken:stop], 0.5 ** (ages / half_life))
        counts[row], taken, last = current, stop, moment
    return RecentPopularity(moments, counts)


def _edges(
    interactions: Interactions,
    counted: npt.NDArray[np.bool_],
    window_weights: tuple[float, ...],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return rows and neighbours, int64 [E], ordered, and weights float32 [E, relations]."""
    n, items, users = interactions.item_count, interactions.items, interactions.users
    keys, amounts, sides = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0, np.int64)]
    for distance, weight in enumerate(window_weights, start=1):
        first, later = slice(None, -distance or None), slice(distance, None)
        pairs = (users[first] == users[later]) & counted[later] & (items[first] != items[later])
        before, after = items[first][pairs], items[later][pairs]
        keys += [before * n + after, after * n + before]
        amounts += [np.full(len(before), weight)] * 2
        sides += [np.full(len(before), FORWARD), np.full(len(before), BACKWARD)]
    edges, edge_of = np.unique(np.concatenate(keys), return_inverse=True)
    weights = np.zeros((len(edges), len(RELATIONS)))
    np.add.at(weights, (edge_of, np.concatenate(sides)), np.concatenate(amounts))
    return edges // n, edges % n, weights.astype(np.float32)


def _own_counts(
    interactions: Interactions, counted: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    keys = interactions.users * interactions.item_count + interactions.items
    found, place = np.unique(keys, return_inverse=True)
    own: npt.NDArray[np.int64] = np.bincount(place[counted], minlength=len(found))[place]
    return own

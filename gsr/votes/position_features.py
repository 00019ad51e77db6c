"""Channels and context at positions of many histories, from a click graph. Imports no torch.

A position stands for the question what its user clicks there, given the clicks before it. The graph
may hold the very click that is asked for: whatever the user has added to it, edges and popularity,
is left out of all that is said about that user's positions (cross-fitting).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.counters.interactions import Interactions
from gsr.counters.items.item_graph import ItemGraph
from gsr.votes.channels import context_count, graph_channel_count
from gsr.votes.click_graph import BACKWARD, FORWARD, ClickGraph
from gsr.votes.constants import ROUNDING
from gsr.votes.graph_votes import (
    add_votes,
    describe_history,
    describe_row,
    fill_channels,
    recent_share,
)
from gsr.votes.popularity import channel_of, channels_of_counts, log2_of

FIRST_ENTRIES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class PositionFeatures:
    """Channels and context of m positions.

    Parameters
    ----------
    rows
        int64 [K], position of each entry, ascending.
    items
        int64 [K], item of each entry; an item has at most one entry per position.
    values
        float32 [K, 3S + 1], its graph channels (see `gsr.votes.channels`).
    context
        float32 [m, F], context features.
    moments
        int64 [m], the row of `RecentPopularity` that tells of each position's time.
    """

    rows: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    context: npt.NDArray[np.float32]
    moments: npt.NDArray[np.int64]


class _Counted(NamedTuple):
    """Columns of the clicks and of the graph that counts them (`Interactions`, `ClickGraph`).

    `recent` is float32 [T, N], the popularity channel of what was popular lately.
    """

    starts: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    ends: npt.NDArray[np.int64]
    own_counts: npt.NDArray[np.int64]
    window: npt.NDArray[np.float64]
    recent: npt.NDArray[np.float32]


class _Positions(NamedTuple):
    """The m positions: see `PositionReader.read` and `PositionFeatures`."""

    users: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    moments: npt.NDArray[np.int64]


class _Settings(NamedTuple):
    """How many clicks vote, and how much each: see `PositionReader`."""

    history: int
    decay: float
    source_power: float


class PositionReader:
    """Reads features of positions from one click graph; keeps its working memory.

    Parameters
    ----------
    interactions
        The clicks.
    counted
        The graph.
    history, decay
        How many of the newest clicks vote in the history channels, and by how much less each.
    source_power
        A click's votes are divided by its item's clicks, of others, to this power.
    """

    def __init__(
        self,
        interactions: Interactions,
        counted: ClickGraph,
        history: int,
        decay: float,
        source_power: float = 0.0,
    ) -> None:
        self._graph = counted.graph
        self._clicks = _Counted(
            interactions.starts,
            interactions.items,
            interactions.times,
            counted.ends,
            counted.own_counts,
            np.array(counted.window_weights),
            channels_of_counts(counted.recent.counts),
        )
        self._recent = counted.recent
        self._settings = _Settings(history, decay, source_power)
        self._scales = counted.graph.scales
        channels = graph_channel_count(self._scales)
        self._votes = np.zeros((counted.graph.items, channels), np.float32)
        self._touched = np.zeros(counted.graph.items, np.int64)
        self._items = np.zeros(FIRST_ENTRIES, np.int64)
        self._values = np.zeros((FIRST_ENTRIES, channels), np.float32)

    def read(
        self,
        users: npt.NDArray[np.int64],
        positions: npt.NDArray[np.int64],
        targets: npt.NDArray[np.int64],
    ) -> PositionFeatures:
        """Return the features of m positions.

        Parameters
        ----------
        users, positions
            int64 [m], whose, and where in `Interactions.items`.
        targets
            int64 [m], the item that was clicked there, whose popularity leaves out the user's own
            clicks; -1 where it must not be known.
        """
        stops = np.zeros(len(positions) + 1, np.int64)
        context = np.zeros((len(positions), context_count(self._scales)), np.float32)
        moments = self._recent.rows(self._clicks.times[positions - 1])
        wanted = _Positions(users, positions, targets, moments)
        while True:
            count = _read(
                self._graph,
                self._clicks,
                wanted,
                self._settings,
                self._votes,
                self._touched,
                self._items,
                self._values,
                stops,
                context,
            )
            if count <= len(self._items):
                break
            self._items = np.zeros(count * 5 // 4, np.int64)
            self._values = np.zeros((count * 5 // 4, self._votes.shape[1]), np.float32)
        rows = np.repeat(np.arange(len(positions)), np.diff(stops))
        return PositionFeatures(rows, self._items[:count], self._values[:count], context, moments)


@kernel
def _leave_out_click(
    clicks: _Counted,
    user: int,
    click: int,
    shares: tuple[float, float],
    votes: npt.NDArray[np.float32],
    scales: int,
) -> None:
    """Take the edges that the user's own counted `click` is an end of back out of the votes."""
    items = clicks.items
    for distance in range(1, len(clicks.window) + 1):
        weight = clicks.window[distance - 1]
        later, earlier = click + distance, click - distance
        for kind, share in enumerate(shares):
            if later < clicks.ends[user] and items[later] != items[click]:
                votes[items[later], kind * scales + FORWARD] -= share * weight
            if earlier >= clicks.starts[user] and items[earlier] != items[click]:
                votes[items[earlier], kind * scales + BACKWARD] -= share * weight


@kernel
def _leave_out(
    clicks: _Counted,
    user: int,
    click: int,
    shares: tuple[float, float],
    votes: npt.NDArray[np.float32],
    scales: int,
) -> None:
    """Take the edges that the user has added to the item of `click` back out of its votes."""
    if clicks.own_counts[click] == 1 and click < clicks.ends[user]:
        _leave_out_click(clicks, user, click, shares, votes, scales)
    elif clicks.own_counts[click] > 0:
        for other in range(clicks.starts[user], clicks.ends[user]):
            if clicks.items[other] == clicks.items[click]:
                _leave_out_click(clicks, user, other, shares, votes, scales)


@kernel
def _describe(
    graph: ItemGraph,
    clicks: _Counted,
    click: int,
    length: int,
    share: float,
    votes: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
) -> None:
    """Fill the context (`gsr.votes.channels.context_features`) once only the newest click voted.

    Its votes of the history count as `share` says. Nothing is known of the pause that goes on.
    """
    scales = len(graph.half_lives)
    source = clicks.items[click]
    pause_before = clicks.times[click] - clicks.times[click - 1] if length > 1 else 0.0
    describe_history(out, length, 0.0, pause_before)
    known = graph.popularity[source, 0] - clicks.own_counts[click]
    start = graph.row_starts[source]
    for s in range(scales):
        mass = heaviest = 0.0
        for slot in range(start, start + graph.row_lengths[source]):
            weight = max(votes[graph.neighbours[slot], scales + s], np.float32(0.0)) / share
            mass += weight
            heaviest = max(heaviest, weight)
        describe_row(out, s, channel_of(log2_of(known)), mass, heaviest)


@kernel
def _read(
    graph: ItemGraph,
    clicks: _Counted,
    wanted: _Positions,
    settings: _Settings,
    votes: npt.NDArray[np.float32],
    touched: npt.NDArray[np.int64],
    items: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
    stops: npt.NDArray[np.int64],
    context: npt.NDArray[np.float32],
) -> int:
    """Fill the features of all positions; return how many entries they need."""
    scales = len(graph.half_lives)
    undecayed, popularity = np.ones(scales), np.empty(scales)
    used = 0
    for m in range(len(wanted.positions)):
        user, position = wanted.users[m], wanted.positions[m]
        length = position - clicks.starts[user]
        count = 0
        for back in range(min(length, settings.history)):
            click = position - 1 - back
            source = clicks.items[click]
            known = graph.popularity[source, 0] - clicks.own_counts[click]
            share = max(known, np.float32(1.0)) ** -settings.source_power
            shares = (share * recent_share(back), share * settings.decay**back)
            count = add_votes(graph, source, undecayed, shares, votes, touched, count)
            _leave_out(clicks, user, click, shares, votes, scales)
            if back == 0:
                _describe(graph, clicks, click, length, share, votes, context[m])
        for i in range(count):
            item = touched[i]
            if votes[item, : 2 * scales].max() > ROUNDING:
                if used < len(items):
                    own = clicks.own_counts[position] if item == wanted.targets[m] else 0
                    clicks_log2 = log2_of(graph.popularity[item, 0] - own)
                    popularity[:] = clicks.recent[wanted.moments[m], item]
                    popularity[0] = channel_of(clicks_log2)
                    items[used] = item
                    fill_channels(votes, item, popularity, clicks_log2, values, used)
                used += 1
            votes[item] = 0.0
        stops[m + 1] = used
    return used

"""Candidates of a user and their features, as the counters are at the time."""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.items.nth_largest import border_of_largest
from gsr.ranker.barred import Barred, has_fingerprint, nothing_barred
from gsr.ranker.features import (
    CLICK_OFFSET,
    CONTEXT,
    HISTORY,
    LENGTH,
    MARKED,
    FeatureLayout,
    Places,
)
from gsr.ranker.own_clicks import count_own_clicks, is_uncounted
from gsr.ranker.popular_items import PopularItems
from gsr.ranker.votes import (
    Votes,
    add_own_clicks,
    forget_votes,
    let_vote,
    no_votes,
    present_popularity,
    row_factor,
    row_mass,
)
from gsr.votes.constants import NEW_ITEM_CLICKS, PAUSE_SECONDS

MOST_CANDIDATES: Final = 768
"""Of one user, unless more are asked for."""

NO_ITEMS: Final = np.zeros(0, dtype=np.int64)
"""In place of the candidates that are given, where none are."""

NO_FINGERPRINTS: Final = np.zeros(0, dtype=np.uint32)
"""In place of the items' fingerprints where no seen filter is asked."""

_DAY_SECONDS: Final = 86_400.0
_TURN: Final = 2.0 * math.pi / _DAY_SECONDS


class Described(NamedTuple):
    """Users with their candidates, in order.

    Parameters
    ----------
    values
        float32 [rows, F], what features are the logarithms of; user after user.
    items
        int32 [rows], the candidates.
    starts
        int64 [B + 1], user i has the rows ``starts[i] : starts[i + 1]``.
    targets
        int64 [B], the row of the clicked item, -1 where it is no candidate.
    given
        int64 [B], how many of a user's rows, the first ones, are candidates that were given.
    context
        float32 [B, C].
    clicks
        int64 [B], which click of its batch, or which user.
    counts
        int64 [1], how many are described.
    """

    values: npt.NDArray[np.float32]
    items: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    given: npt.NDArray[np.int64]
    context: npt.NDArray[np.float32]
    clicks: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]


def room_for_described(users: int, rows: int, features: int) -> Described:
    """Return room for `users` users with `rows` candidates together."""
    return Described(
        values=np.ones((rows, features), dtype=np.float32),
        items=np.zeros(rows, dtype=np.int32),
        starts=np.zeros(users + 1, dtype=np.int64),
        targets=np.zeros(users, dtype=np.int64),
        given=np.zeros(users, dtype=np.int64),
        context=np.zeros((users, len(CONTEXT)), dtype=np.float32),
        clicks=np.zeros(users, dtype=np.int64),
        counts=np.zeros(1, dtype=np.int64),
    )


class Workspace(NamedTuple):
    """Memory that describing a user needs.

    Parameters
    ----------
    votes
        See `Votes`.
    channel
        float32 [M], one channel of all items with votes.
    bits
        int32 [M], the memory of `channel`.
    pool
        int64 [P], candidates: no more than these.
    barred
        What may not become a candidate, or is one already.
    """

    votes: Votes
    channel: npt.NDArray[np.float32]
    bits: npt.NDArray[np.int32]
    pool: npt.NDArray[np.int64]
    barred: Barred


def new_workspace(
    items: int,
    layout: FeatureLayout,
    scales: int,
    *,
    row_slots: int,
    history: int,
    fingerprints: int,
    candidates: int = MOST_CANDIDATES,
) -> Workspace:
    """Return work space.

    Parameters
    ----------
    items
        Item rows (N).
    layout
        Of the features.
    scales
        Time scales altogether (S + C).
    row_slots
        Neighbours of a full row.
    history
        Clicks of a user that vote or may be listed again, at most.
    fingerprints
        Of a seen filter, at most.
    candidates
        Of one user, at most.
    """
    voted = min((row_slots + 1) * history, items) + 1
    channel = np.zeros(voted, dtype=np.float32)
    return Workspace(
        votes=no_votes(
            items, voted, layout.places.votes, scales=scales, close=len(layout.close_scales)
        ),
        channel=channel,
        bits=channel.view(np.int32),
        pool=np.zeros(candidates, dtype=np.int64),
        barred=nothing_barred(items, fingerprints),
    )


class Selection(NamedTuple):
    """How candidates are found, as kernels take it.

    Parameters
    ----------
    places, offsets, channels, close_scales
        See `FeatureLayout`.
    popular
        The most popular items.
    listed
        Candidates of every channel, and of popularity on every time scale.
    fingerprints
        uint32 [N], of the items; `NO_FINGERPRINTS` where none are barred.
    fill
        int64 [K], items that fill the pool up to `least`, in order.
    least
        Candidates that there should be.
    """

    places: Places
    offsets: npt.NDArray[np.float32]
    channels: npt.NDArray[np.int64]
    close_scales: npt.NDArray[np.int64]
    popular: PopularItems
    listed: int
    fingerprints: npt.NDArray[np.uint32]
    fill: npt.NDArray[np.int64]
    least: int


@inner_kernel
def _add(graph: ItemGraph, selection: Selection, work: Workspace, item: int, size: int) -> int:
    """Let an item into the pool if it may be in it; return the pool's size."""
    if size == len(work.pool) or work.barred.rows[item] or not graph.alive[item]:
        return size
    if len(selection.fingerprints) > 0 and has_fingerprint(
        work.barred, selection.fingerprints[item]
    ):
        return size
    work.barred.rows[item] = True
    work.pool[size] = item
    return size + 1


@lean_kernel
def _gather(graph: ItemGraph, selection: Selection, work: Workspace, voted: int, size: int) -> int:
    """Add the most popular and the most voted for to a pool of `size`; return its size then."""
    votes, wanted, popular = work.votes, selection.listed, selection.popular
    for s in range(len(popular.counts)):
        for i in range(min(popular.counts[s], wanted)):
            size = _add(graph, selection, work, popular.rows[s, i], size)
    for column in selection.channels:
        rows = votes.newest[0] if column < HISTORY else voted
        for row in range(rows):
            work.channel[row] = votes.sums[row, column]
        border = border_of_largest(work.bits, rows, wanted)
        for row in range(rows):
            if work.bits[row] >= border:
                size = _add(graph, selection, work, votes.voted[row], size)
    for item in selection.fill:
        if size >= selection.least:
            break
        size = _add(graph, selection, work, item, size)
    return size


@lean_kernel
def _write_candidates(
    graph: ItemGraph,
    selection: Selection,
    work: Workspace,
    size: int,
    time: float,
    values: npt.NDArray[np.float32],
) -> None:
    """Write what the features of the pool are the logarithms of, but for `new`.

    `let_vote` has run for this user and time.
    """
    votes, places, offsets = work.votes, selection.places, selection.offsets
    for q in range(size):
        item = work.pool[q]
        for s in range(len(graph.half_lives)):
            values[q, s] = present_popularity(graph, votes, item, s) + offsets[s]
        row = votes.places[item] - 1
        for column in range(places.votes):
            vote = votes.sums[row, column] if row >= 0 else np.float32(0.0)
            values[q, places.first_vote + column] = vote + offsets[places.first_vote + column]
        pause = max(time - graph.last_clicks[item], 0.0)
        values[q, places.since_last_click] = offsets[places.since_last_click] + (
            pause / PAUSE_SECONDS
        )


@lean_kernel
def _mark_new(places: Places, offset: float, size: int, values: npt.NDArray[np.float32]) -> None:
    """Write which candidates have had few clicks, by their popularity plus `offset`."""
    for q in range(size):
        clicks = values[q, places.long] - offset
        values[q, places.new] = MARKED if clicks < NEW_ITEM_CLICKS else 1.0


@lean_kernel
def _write_context(
    graph: ItemGraph,
    places: Places,
    votes: Votes,
    time: float,
    last: int,
    clicked: float,
    clicks: int,
    voted: int,
    out: npt.NDArray[np.float32],
) -> None:
    """Fill the context of a user whose newest click is on item `last`, -1 where there is none."""
    pause = max(time - clicked, 0.0)
    out[0] = math.log1p(pause / PAUSE_SECONDS)
    out[LENGTH] = math.log1p(float(clicks))
    out[2] = math.sin(_TURN * time)
    out[3] = math.cos(_TURN * time)
    out[4] = 0.0
    out[5] = 0.0
    if last >= 0 and graph.alive[last]:
        mass = row_mass(graph, last, places.middle) * row_factor(graph, votes, last, places.middle)
        popularity = present_popularity(graph, votes, last, places.short) + CLICK_OFFSET
        if is_uncounted(graph.alive, graph.last_clicks, last, clicked):
            popularity += 2.0 ** (-pause / graph.half_lives[places.short])
        out[4] = math.log(popularity)
        out[5] = math.log(mass + 0.1)
    out[6] = math.log1p(float(voted))


@lean_kernel
def describe_user(
    graph: ItemGraph,
    selection: Selection,
    work: Workspace,
    target: int,
    time: float,
    history: npt.NDArray[np.int64],
    history_times: npt.NDArray[np.float64],
    length: int,
    clicks: int,
    repeats: bool,
    given: npt.NDArray[np.int64],
    described: Described,
) -> None:
    """Append a user's candidates, given ones and the best of every channel, and their features.

    Parameters
    ----------
    graph, selection
        The counters, and how candidates are found in them.
    work
        Where what is barred is barred already.
    target
        The clicked item's row, -1 where there is none.
    time
        Now.
    history, history_times, length
        What votes: item rows and times, oldest first, of which the first `length` count.
    clicks
        In the user's buffer.
    repeats
        Whether items of the history may be listed again.
    given
        int64 [M], item rows that are candidates too; -1 is none.
    described
        With room for one more.
    """
    n = described.counts[0]
    first = described.starts[n]
    votes = work.votes
    voted = let_vote(graph, selection.places, selection.close_scales, time, history, length, votes)
    reach = voted
    if repeats:
        voted = add_own_clicks(
            graph, selection.places, time, history, history_times, length, votes, voted
        )
    size = 0
    for item in given:
        if item >= 0:
            size = _add(graph, selection, work, item, size)
    described.given[n] = size
    size = _gather(graph, selection, work, voted, size)
    values = described.values[first : first + size]
    _write_candidates(graph, selection, work, size, time, values)
    places, offsets = selection.places, selection.offsets
    if repeats:
        count_own_clicks(
            graph.alive,
            graph.last_clicks,
            graph.half_lives,
            work.pool,
            size,
            time,
            history,
            history_times,
            length,
            values,
            places.since_last_click,
            offsets[places.since_last_click],
        )
    _mark_new(places, offsets[places.long], size, values)
    last, clicked = -1, time
    if length > 0:
        last, clicked = history[length - 1], history_times[length - 1]
    else:
        clicks = 0  # none that says anything
    _write_context(
        graph, selection.places, votes, time, last, clicked, clicks, reach, described.context[n]
    )
    described.targets[n] = -1
    for q in range(size):
        work.barred.rows[work.pool[q]] = False
        described.items[first + q] = work.pool[q]
        if work.pool[q] == target:
            described.targets[n] = first + q
    forget_votes(votes, voted)
    described.starts[n + 1] = first + size
    described.counts[0] += 1

"""Candidates of a click and their features, as the counts are at the time."""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.baselines.ranker.counts import HOUR_SECONDS, HOURS, Counts
from gsr.baselines.ranker.features import (
    DAY,
    FEATURES,
    HALF_LIVES,
    HISTORY_SHARES,
    HOUR,
    HOUR_OF_DAY,
    NEW,
    OFFSETS,
    OWN_CLICKS,
    POPULARITY,
    RECENT,
    RECENT_SHARES,
    SCALES,
    SINCE_LAST_CLICK,
    TOGETHER,
    VOTE_COLUMNS,
    VOTES,
    YEAR,
)
from gsr.baselines.ranker.votes import (
    MOST_VOTED,
    Votes,
    add_own_clicks,
    forget_votes,
    let_vote,
    no_votes,
    present_popularity,
    weigh_row,
)
from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.items.nth_largest import nth_largest
from gsr.ranker.features import CONTEXT, MARKED
from gsr.ranker.own_clicks import count_own_clicks, is_uncounted
from gsr.votes.constants import NEW_ITEM_CLICKS, PAUSE_SECONDS

CHANNELS: Final = (
    RECENT + HOUR,
    RECENT + DAY,
    RECENT + YEAR,
    RECENT_SHARES + 2,
    HISTORY_SHARES + 1,
    TOGETHER,
    TOGETHER + 1,
    OWN_CLICKS,
)
"""Columns of votes whose best are candidates, beside the most popular items."""

MOST_CANDIDATES: Final = 768
"""Of one click."""

_TURN: Final = 2.0 * math.pi / (HOURS * HOUR_SECONDS)
_HOUR_PRIOR: Final = 10.0
"""Clicks at every hour alike that are added before shares of hours are taken."""


class Described(NamedTuple):
    """Clicks with their candidates, in order.

    Parameters
    ----------
    values
        float32 [rows, F], what features are the logarithms of; click after click.
    items
        int32 [rows], the candidates.
    starts
        int64 [B + 1], click i has the rows ``starts[i] : starts[i + 1]``.
    targets
        int64 [B], the row of the clicked item, -1 where it is no candidate.
    context
        float32 [B, C].
    clicks
        int64 [B], the click's place in its batch.
    learnable
        bool [B], whether the click is an example to learn from.
    counts
        int64 [2], described clicks, and examples among them.
    """

    values: npt.NDArray[np.float32]
    items: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    context: npt.NDArray[np.float32]
    clicks: npt.NDArray[np.int64]
    learnable: npt.NDArray[np.bool_]
    counts: npt.NDArray[np.int64]


def room_for_described(clicks: int, rows: int) -> Described:
    """Return room for `clicks` clicks with `rows` candidates together."""
    return Described(
        values=np.ones((rows, len(FEATURES)), dtype=np.float32),
        items=np.zeros(rows, dtype=np.int32),
        starts=np.zeros(clicks + 1, dtype=np.int64),
        targets=np.zeros(clicks, dtype=np.int64),
        context=np.zeros((clicks, len(CONTEXT)), dtype=np.float32),
        clicks=np.zeros(clicks, dtype=np.int64),
        learnable=np.zeros(clicks, dtype=np.bool_),
        counts=np.zeros(2, dtype=np.int64),
    )


class Workspace(NamedTuple):
    """Memory that describing a click needs; `barred` is zero between two clicks.

    Parameters
    ----------
    votes
        See `Votes`.
    channel
        float32 [MOST_VOTED], one channel of all items with votes.
    pool
        int64 [MOST_CANDIDATES], candidates.
    barred
        bool [N], items that may not become candidates, or are some already.
    """

    votes: Votes
    channel: npt.NDArray[np.float32]
    pool: npt.NDArray[np.int64]
    barred: npt.NDArray[np.bool_]


def new_workspace(items: int) -> Workspace:
    """Return work space for `items` items."""
    return Workspace(
        votes=no_votes(items),
        channel=np.zeros(MOST_VOTED, dtype=np.float32),
        pool=np.zeros(MOST_CANDIDATES, dtype=np.int64),
        barred=np.zeros(items, dtype=np.bool_),
    )


@inner_kernel
def _gather(counts: Counts, work: Workspace, voted: int, wanted: int) -> int:
    """Fill the pool: the most popular and the most voted for; return how many there are."""
    size = 0
    votes, pool, barred = work.votes, work.pool, work.barred
    for s in range(SCALES):
        for i in range(min(counts.popular.counts[s], wanted)):
            item = counts.popular.rows[s, i]
            if not barred[item] and size < MOST_CANDIDATES:
                barred[item] = True
                pool[size] = item
                size += 1
    for column in CHANNELS:
        count = 0
        for row in range(voted):
            if votes.sums[row, column] > 0.0:
                work.channel[count] = votes.sums[row, column]
                count += 1
        border = np.float32(0.0)
        if count > wanted:
            border = nth_largest(work.channel, count, wanted)
        for row in range(voted):
            item = votes.voted[row]
            vote = votes.sums[row, column]
            wins = vote > 0.0 and vote >= border and counts.followers.items.alive[item]
            if wins and not barred[item] and size < MOST_CANDIDATES:
                barred[item] = True
                pool[size] = item
                size += 1
    return size


@inner_kernel
def _hour_share(counts: Counts, item: int, hour: int) -> float:
    """Return the share of an item's clicks at about an hour of the day, in 2/24 on average."""
    before, after = (hour + HOURS - 1) % HOURS, (hour + 1) % HOURS
    near = counts.hours[item, hour] + 0.5 * (counts.hours[item, before] + counts.hours[item, after])
    share: float = (near + 2.0 * _HOUR_PRIOR / HOURS) / (counts.clicks[item] + _HOUR_PRIOR)
    return share


@inner_kernel
def _write_candidates(
    counts: Counts, work: Workspace, size: int, time: float, values: npt.NDArray[np.float32]
) -> None:
    """Write what the features of the pool are the logarithms of; votes stand, times are split."""
    graph, votes = counts.followers, work.votes
    hour = int(time // HOUR_SECONDS) % HOURS
    for q in range(size):
        item = work.pool[q]
        for s in range(SCALES):
            place = POPULARITY + s
            values[q, place] = present_popularity(graph, item, s) + OFFSETS[place]
        row = votes.places[item] - 1
        for column in range(VOTE_COLUMNS):
            vote = votes.sums[row, column] if row >= 0 else np.float32(0.0)
            values[q, VOTES + column] = vote + OFFSETS[VOTES + column]
        pause = max(time - graph.items.last_clicks[item], 0.0)
        values[q, SINCE_LAST_CLICK] = OFFSETS[SINCE_LAST_CLICK] + pause / PAUSE_SECONDS
        values[q, HOUR_OF_DAY] = _hour_share(counts, item, hour)
        values[q, NEW] = MARKED if counts.clicks[item] < NEW_ITEM_CLICKS else 1.0


@inner_kernel
def _write_context(
    counts: Counts,
    work: Workspace,
    time: float,
    last: int,
    clicked: float,
    length: int,
    voted: int,
    out: npt.NDArray[np.float32],
) -> None:
    """Fill the context of a user whose newest click is on item `last`, -1 where there is none."""
    pause = max(time - clicked, 0.0)
    out[0] = math.log1p(pause / PAUSE_SECONDS)
    out[1] = math.log(max(float(length), 1.0))
    out[2] = math.sin(_TURN * time)
    out[3] = math.cos(_TURN * time)
    out[4] = 0.0
    out[5] = 0.0
    items = counts.followers.items
    if last >= 0 and items.alive[last]:
        weigh_row(counts.followers, last, work.votes)
        popularity = present_popularity(counts.followers, last, HOUR) + OFFSETS[POPULARITY]
        if is_uncounted(items.alive, items.last_clicks, last, clicked):
            popularity += 2.0 ** (-pause / HALF_LIVES[HOUR])
        out[4] = math.log(popularity)
        out[5] = math.log(work.votes.masses[DAY] + 0.1)
    out[6] = math.log1p(float(voted))


@lean_kernel
def describe_click(
    counts: Counts,
    work: Workspace,
    user: np.uint64,
    target: int,
    time: float,
    history: npt.NDArray[np.int64],
    history_times: npt.NDArray[np.float64],
    length: int,
    mask_history: bool,
    wanted: int,
    described: Described,
) -> None:
    """Append a click's candidates, the best `wanted` of every channel, and their features."""
    n = described.counts[0]
    first = described.starts[n]
    items = counts.followers.items
    voted = let_vote(
        counts.followers,
        counts.shared,
        time,
        history,
        length,
        work.votes,
    )
    listed = add_own_clicks(
        counts.followers,
        counts.own,
        user,
        time,
        history,
        history_times,
        length,
        not mask_history,
        work.votes,
        voted,
    )
    if mask_history:
        for k in range(length):
            if history[k] >= 0 and items.alive[history[k]]:
                work.barred[history[k]] = True
    size = _gather(counts, work, listed, wanted)
    values = described.values[first : first + size]
    _write_candidates(counts, work, size, time, values)
    if not mask_history:
        count_own_clicks(
            items.alive,
            items.last_clicks,
            HALF_LIVES,
            work.pool,
            size,
            time,
            history,
            history_times,
            length,
            values,
            SINCE_LAST_CLICK,
            OFFSETS[SINCE_LAST_CLICK],
        )
    last = history[length - 1] if length > 0 else -1
    clicked = history_times[length - 1] if length > 0 else time
    _write_context(counts, work, time, last, clicked, length, voted, described.context[n])
    described.targets[n] = -1
    for q in range(size):
        work.barred[work.pool[q]] = False
        described.items[first + q] = work.pool[q]
        if work.pool[q] == target:
            described.targets[n] = first + q
    for k in range(length):
        if history[k] >= 0 and items.alive[history[k]]:
            work.barred[history[k]] = False
    forget_votes(work.votes, listed)
    described.starts[n + 1] = first + size
    described.counts[0] += 1

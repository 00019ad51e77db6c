"""Scores of session kNN: what the sessions most like a user's newest clicks contain."""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks
from gsr.baselines.counter_ranks import DEEPEST
from gsr.baselines.session_store import NONE, SessionItems, SessionStore, store_click
from gsr.compiled import kernel
from gsr.quality.ranking_metrics import MISS

KINDS: Final = ("vsknn", "vstan", "vstan-after")
"""V-SKNN; VSTAN; and VSTAN where only what came after the shared click votes."""

REACH: Final = 25
"""Clicks before and after the match that a neighbour votes with."""

LATEST: Final = 400.0
"""Half-lives past its reference up to which popularity is ranked."""


class Neighbourhood(NamedTuple):
    """Settings of session kNN as kernels take them (see `SessionKnnConfig`)."""

    clicks: int
    click_decay: float
    candidates: int
    neighbours: int
    session_decay: float
    distance_decay: float
    half_life: float


class Workspace(NamedTuple):
    """Memory that ranking a click needs, zero between two clicks.

    Parameters
    ----------
    looked, found
        int64 [candidates + 1, clicks], numbers of clicks, and [candidates * clicks], of sessions.
    scores, touched
        float64 [N, K] and int64 [N]: votes by kind, and the items that have any.
    seen, hidden
        bool [N].
    """

    looked: npt.NDArray[np.int64]
    found: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    touched: npt.NDArray[np.int64]
    seen: npt.NDArray[np.bool_]
    hidden: npt.NDArray[np.bool_]


@kernel
def _keep_largest(found: npt.NDArray[np.int64], values: npt.NDArray[np.float64], size: int) -> int:
    """Move the `size` sessions of the largest values to the front; return how many stay."""
    count = len(values)
    if count <= size:
        return count
    limit = np.partition(values, count - size)[count - size]
    kept = 0
    for wanted_above in (True, False):  # ties at the limit only fill what is left
        for a in range(kept, count):
            value = values[a]
            if kept < size and (value > limit if wanted_above else value == limit):
                found[a], found[kept] = found[kept], found[a]
                values[a], values[kept] = values[kept], value
                kept += 1
    return kept


@kernel
def _look_back(
    store: SessionStore,
    items: SessionItems,
    rule: Neighbourhood,
    history: npt.NDArray[np.int64],
    length: int,
    work: Workspace,
) -> None:
    """Fill `work.looked` with the newest clicks on each of a history's newest items.

    The items' chains are followed side by side, so that their waits for memory overlap.
    """
    room = len(store.items)
    oldest = max(0, store.totals[0] - room)
    for back in range(rule.clicks):
        work.looked[0, back] = NONE
        if back < length:
            item = history[length - 1 - back]
            known = 0 <= item < len(items.counts)
            for later in range(back):
                known &= history[length - 1 - later] != item
            if known:
                work.looked[0, back] = items.newest[item]
    for step in range(rule.candidates):
        going = False
        for back in range(rule.clicks):
            click = work.looked[step, back]
            if click < oldest:
                click = work.looked[step, back] = NONE
            work.looked[step + 1, back] = NONE if click < 0 else store.same_item[click & (room - 1)]
            going |= click >= 0
        if not going:
            break


@kernel
def _find_sessions(
    store: SessionStore,
    items: SessionItems,
    rule: Neighbourhood,
    history: npt.NDArray[np.int64],
    length: int,
    user: np.uint64,
    work: Workspace,
) -> int:
    """Find others' sessions that share items with a history; return how many."""
    room, slots = len(store.items), len(store.users)
    first = max(0, store.totals[1] - slots)
    found = 0
    _look_back(store, items, rule, history, length, work)
    for back in range(min(length, rule.clicks)):
        if work.looked[0, back] < 0:
            continue
        rarity = math.log(1.0 + (store.totals[0] + 1.0) / items.counts[history[length - 1 - back]])
        weight = math.exp(-back / rule.click_decay) * rarity
        for step in range(rule.candidates):
            click = work.looked[step, back]
            if click < 0:
                break
            session = store.sessions[click & (room - 1)]
            slot = session & (slots - 1)
            if session >= first and store.users[slot] != user:
                if store.similarities[slot] == 0.0:
                    work.found[found] = session
                    store.matches[slot] = click
                    found += 1
                store.similarities[slot] += weight
    return found


@kernel
def _vote(
    store: SessionStore,
    items: SessionItems,
    rule: Neighbourhood,
    values: npt.NDArray[np.float64],
    kept: int,
    work: Workspace,
) -> int:
    """Let the first `kept` sessions vote, VSTAN by `values`; return how many items have votes.

    The sessions are followed side by side, so that their waits for memory overlap.
    """
    room, slots = len(store.items), len(store.users)
    oldest = max(0, store.totals[0] - room)
    clicks = np.empty(kept, dtype=np.int64)
    votes = np.empty((kept, 2))
    count = 0
    for a in range(kept):
        slot = work.found[a] & (slots - 1)
        share = 1.0 / math.sqrt(store.lengths[slot] + 1.0)
        votes[a, 0], votes[a, 1] = store.similarities[slot] * share, values[a] * share
    for forward in (False, True):
        for a in range(kept):
            clicks[a] = store.matches[work.found[a] & (slots - 1)]
        for distance in range(REACH):
            near = math.exp(-distance / rule.distance_decay)
            for a in range(kept):
                if clicks[a] < oldest:
                    continue
                place = clicks[a] & (room - 1)
                clicks[a] = store.after[place] if forward else store.before[place]
                if clicks[a] < oldest:
                    continue
                place = clicks[a] & (room - 1)
                item = store.items[place]
                if store.generations[place] != items.generations[item]:
                    continue
                if not work.seen[item]:
                    work.seen[item] = True
                    work.touched[count] = item
                    count += 1
                work.scores[item, 0] += votes[a, 0]
                work.scores[item, 1] += near * votes[a, 1]
                if forward:
                    work.scores[item, 2] += near * votes[a, 1]
    return count


@kernel
def _score(
    store: SessionStore,
    items: SessionItems,
    rule: Neighbourhood,
    history: npt.NDArray[np.int64],
    length: int,
    user: np.uint64,
    now: float,
    work: Workspace,
) -> int:
    """Fill the scores, a column for each of `KINDS`; return how many items have any."""
    slots = len(store.users)
    found = _find_sessions(store, items, rule, history, length, user, work)
    values = np.empty(found)
    for a in range(found):
        values[a] = store.ends[work.found[a] & (slots - 1)]
    kept = _keep_largest(work.found, values, rule.candidates)
    for a in range(kept):
        slot = work.found[a] & (slots - 1)
        age = now - store.ends[slot]
        values[a] = store.similarities[slot] * math.exp(-age / rule.session_decay)
    kept = _keep_largest(work.found, values[:kept], rule.neighbours)
    count = _vote(store, items, rule, values, kept, work)
    for a in range(found):
        store.similarities[work.found[a] & (slots - 1)] = 0.0
    return count


@kernel
def _rank(
    items: SessionItems, scores: npt.NDArray[np.float64], work: Workspace, count: int, target: int
) -> int:
    """Return the rank by score, then popularity, ties against the target.

    `MISS` for a target without votes behind more than `DEEPEST` others: who asks for the first
    twenty need not wait until all items were looked at.
    """
    own, popular, above = scores[target], items.popularity[target], 0
    for t in range(count):
        item = work.touched[t]
        if not work.hidden[item]:
            above += scores[item] > own or (
                own > 0.0 and scores[item] == own and items.popularity[item] >= popular
            )
    if own == 0.0:
        for item in range(len(items.alive)):
            above += (
                items.alive[item]
                and not work.hidden[item]
                and scores[item] == 0.0
                and items.popularity[item] >= popular
            )
            if above > DEEPEST:
                return MISS
    return max(above, 1)


@kernel
def rank_clicks(
    store: SessionStore,
    items: SessionItems,
    rule: Neighbourhood,
    clicks: CountedClicks,
    scored: npt.NDArray[np.bool_],
    mask_history: bool,
    numbers: npt.NDArray[np.int64],
    work: Workspace,
    ranks: npt.NDArray[np.int32],
) -> None:
    """Rank clicks, and count each that has a session number in `numbers` (others: -1).

    An empty `numbers` counts nothing at all.
    """
    for i in range(len(clicks.targets)):
        target, time = clicks.targets[i], clicks.times[i]
        history, length = clicks.histories[i], clicks.lengths[i]
        if scored[i] and 0 <= target < len(items.alive) and items.alive[target]:
            for h in range(length if mask_history else 0):
                if 0 <= history[h] < len(work.hidden):
                    work.hidden[history[h]] = True
            count = _score(store, items, rule, history, length, clicks.users[i], time, work)
            for kind in range(len(KINDS)):
                ranks[i, kind] = _rank(items, work.scores[:, kind], work, count, target)
            for t in range(count):
                work.seen[work.touched[t]] = False
                work.scores[work.touched[t]] = 0.0
            for h in range(length if mask_history else 0):
                if 0 <= history[h] < len(work.hidden):
                    work.hidden[history[h]] = False
        if len(numbers) == 0:
            continue
        items.alive[target] = True
        if numbers[i] >= 0:
            store_click(store, items, target, time, clicks.users[i], numbers[i])
            past = (time - items.reference[0]) / rule.half_life
            if past > LATEST:
                items.popularity[:] *= 2.0**-past
                items.reference[0] = time
                past = 0.0
            items.popularity[target] += clicks.weights[i] * 2.0**past

"""Sessions of all users in a bounded log of clicks, and how a click enters it.

Clicks and sessions are numbered as they come; number ``c`` stands at place ``c % room``, so that
the newest displace the oldest. Clicks are chained by session and by item, hence an item needs no
list of its own.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel

NONE = -1
"""No such click."""


class SessionStore(NamedTuple):
    """The newest C clicks and S sessions.

    Parameters
    ----------
    items, generations, sessions
        int64 [C], item row, the row's generation at the click, and number of the session.
    before, after, same_item
        int64 [C], number of the click before and after it in its session, and of the last earlier
        one on its item; `NONE` where there is none.
    users, newest, lengths
        uint64, int64 and int64 [S], of a session: user hash, number of its last click, clicks.
    ends
        float64 [S], time of the session's last click.
    totals
        int64 [2], clicks and sessions ever numbered.
    """

    items: npt.NDArray[np.int64]
    generations: npt.NDArray[np.int64]
    sessions: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]
    after: npt.NDArray[np.int64]
    same_item: npt.NDArray[np.int64]
    users: npt.NDArray[np.uint64]
    newest: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    ends: npt.NDArray[np.float64]
    totals: npt.NDArray[np.int64]


class SessionItems(NamedTuple):
    """What is known of N item rows.

    Parameters
    ----------
    alive
        bool [N], whether the item has had a click.
    generations
        int64 [N], how many items had the row before.
    newest, counts
        int64 [N], number of the last click, and how many there were.
    popularity
        float64 [N], decayed clicks, at the time `reference`.
    reference
        float64 [1], seconds.
    """

    alive: npt.NDArray[np.bool_]
    generations: npt.NDArray[np.int64]
    newest: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    popularity: npt.NDArray[np.float64]
    reference: npt.NDArray[np.float64]


def new_store(clicks: int, sessions: int) -> SessionStore:
    """Return an empty store for so many clicks and sessions."""
    return SessionStore(
        items=np.zeros(clicks, dtype=np.int64),
        generations=np.zeros(clicks, dtype=np.int64),
        sessions=np.zeros(clicks, dtype=np.int64),
        before=np.zeros(clicks, dtype=np.int64),
        after=np.zeros(clicks, dtype=np.int64),
        same_item=np.zeros(clicks, dtype=np.int64),
        users=np.zeros(sessions, dtype=np.uint64),
        newest=np.zeros(sessions, dtype=np.int64),
        lengths=np.zeros(sessions, dtype=np.int64),
        ends=np.zeros(sessions),
        totals=np.zeros(2, dtype=np.int64),
    )


@kernel
def store_click(
    store: SessionStore, items: SessionItems, item: int, time: float, user: np.uint64, session: int
) -> None:  # pragma: no cover
    """Append a click to a session, which is a new one if it has the next number."""
    number, room = store.totals[0], len(store.items)
    place, slot = number % room, session % len(store.users)
    if session == store.totals[1]:
        store.totals[1] += 1
        store.users[slot] = user
        store.newest[slot] = NONE
        store.lengths[slot] = 0
    last = store.newest[slot]
    if last <= number - room:
        last = NONE
    if last >= 0:
        store.after[last % room] = number
    store.items[place] = item
    store.generations[place] = items.generations[item]
    store.sessions[place] = session
    store.before[place] = last
    store.after[place] = NONE
    store.same_item[place] = items.newest[item]
    items.newest[item] = number
    items.counts[item] += 1
    store.newest[slot] = number
    store.lengths[slot] += 1
    store.ends[slot] = time
    store.totals[0] += 1

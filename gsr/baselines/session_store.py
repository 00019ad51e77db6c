"""Sessions of all users in a bounded log of clicks, and how a click enters it.

Clicks and sessions are numbered as they come; number ``c`` stands at place ``c % room``, so that
the newest displace the oldest. The room is a power of two: ``c & (room - 1)`` is the same place,
without a division. Clicks are chained by session and by item, hence an item needs no
list of its own.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.counters.cache_lines import new_records

NONE = -1
"""No such click."""


class SessionStore(NamedTuple):
    """The newest C clicks and S sessions; a record holds what is known of one.

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
    similarities, matches
        float64 and int64 [S], while a click is ranked: likeness to the user's history, and number
        of the session's last click that matches. Similarities are zero between two clicks.
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
    similarities: npt.NDArray[np.float64]
    matches: npt.NDArray[np.int64]
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
    """Return an empty store for so many clicks and sessions, powers of two."""
    numbers = ("items", "generations", "sessions", "before", "after", "same_item")
    of_click = new_records(clicks, *((name, np.int64) for name in numbers))
    of_session = new_records(
        sessions,
        ("users", np.uint64),
        ("newest", np.int64),
        ("lengths", np.int64),
        ("ends", np.float64),
        ("similarities", np.float64),
        ("matches", np.int64),
    )
    return SessionStore(
        **{name: of_click[name] for name in numbers},
        users=of_session["users"],
        newest=of_session["newest"],
        lengths=of_session["lengths"],
        ends=of_session["ends"],
        similarities=of_session["similarities"],
        matches=of_session["matches"],
        totals=np.zeros(2, dtype=np.int64),
    )


@kernel
def store_click(
    store: SessionStore, items: SessionItems, item: int, time: float, user: np.uint64, session: int
) -> None:
    """Append a click to a session, which is a new one if it has the next number."""
    number, room = store.totals[0], len(store.items)
    place, slot = number & (room - 1), session & (len(store.users) - 1)
    if session == store.totals[1]:
        store.totals[1] += 1
        store.users[slot] = user
        store.newest[slot] = NONE
        store.lengths[slot] = 0
    last = store.newest[slot]
    if last <= number - room:
        last = NONE
    if last >= 0:
        store.after[last & (room - 1)] = number
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

"""The newest clicks of everybody, from which a user's own are found beyond their history.

Clicks stand in a ring, each with the number of the same user's click before it. A table of fixed
size knows each user's newest click; where it is full, whoever clicked longest ago is forgotten.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel

KEPT_CLICKS: Final = 2**20
"""Clicks in the ring: 24 MiB."""

BUCKETS: Final = 2**16
WAYS: Final = 4
"""Users are looked for in a bucket of so many: 262,144 altogether, 4 MiB."""

NONE: Final = -1
"""The number of no click."""


class OwnClicks(NamedTuple):
    """A ring of clicks, numbered from 0 in order.

    Parameters
    ----------
    items
        int64 [ring], item rows; -1 for an item that has left.
    times
        float64 [ring], event times.
    before
        int64 [ring], the number of the user's click before, `NONE` for the first.
    users
        uint64 [buckets, ways], hashes of users.
    newest
        int64 [buckets, ways], the number of each one's newest click, `NONE` in a free place.
    noted
        int64 [1], clicks so far.
    """

    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    before: npt.NDArray[np.int64]
    users: npt.NDArray[np.uint64]
    newest: npt.NDArray[np.int64]
    noted: npt.NDArray[np.int64]


def no_own_clicks(clicks: int = KEPT_CLICKS, buckets: int = BUCKETS) -> OwnClicks:
    """Return an empty ring of `clicks` clicks; `buckets` is a power of two."""
    return OwnClicks(
        items=np.full(clicks, -1, dtype=np.int64),
        times=np.zeros(clicks),
        before=np.full(clicks, NONE, dtype=np.int64),
        users=np.zeros((buckets, WAYS), dtype=np.uint64),
        newest=np.full((buckets, WAYS), NONE, dtype=np.int64),
        noted=np.zeros(1, dtype=np.int64),
    )


@lean_kernel
def still_kept(own: OwnClicks, number: int) -> bool:
    """Whether a click is in the ring."""
    return bool(number >= 0 and number >= own.noted[0] - len(own.items))


@lean_kernel
def newest_of(own: OwnClicks, user: np.uint64) -> int:
    """Return the number of a user's newest click, `NONE` where it is not known."""
    bucket = user & np.uint64(len(own.users) - 1)
    for way in range(WAYS):
        if own.newest[bucket, way] != NONE and own.users[bucket, way] == user:
            return int(own.newest[bucket, way])
    return NONE


@lean_kernel
def note_click(own: OwnClicks, user: np.uint64, item: int, time: float) -> None:
    """Append a click to the ring."""
    bucket = user & np.uint64(len(own.users) - 1)
    place, known = 0, False
    for way in range(WAYS):
        if own.newest[bucket, way] != NONE and own.users[bucket, way] == user:
            place, known = way, True
        elif not known and own.newest[bucket, way] < own.newest[bucket, place]:
            place = way
    number = own.noted[0]
    at = number % len(own.items)
    own.items[at] = item
    own.times[at] = time
    own.before[at] = own.newest[bucket, place] if known else NONE
    own.users[bucket, place] = user
    own.newest[bucket, place] = number
    own.noted[0] += 1


def forget_items(own: OwnClicks, rows: npt.NDArray[np.int64]) -> None:
    """Forget the items of `rows`, which are to be given to others."""
    own.items[np.isin(own.items, rows)] = -1

"""Packing of many users' clicks into one array without padding. Imports no torch."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.counters.users.histories import Histories

VIEW_DECAY: Final = 0.7
"""How much less each step back counts in the graph view of a history."""


@dataclass(frozen=True, slots=True)
class PackedClicks:
    """Clicks of B users, T in all: arrays for `joint_network.ClickTensors`.

    Instead of its `places` there are `items`, int64 [T], and each click's column in the histories
    that were packed, `place` int64 [T].
    """

    items: npt.NDArray[np.int64]
    gaps: npt.NDArray[np.float32]
    events: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    column: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    present: npt.NDArray[np.float32]
    pauses: npt.NDArray[np.float32]
    votes: npt.NDArray[np.float32]
    length: int


def pack(readable: Histories, rows: int) -> PackedClicks:
    """Pack readable histories (see `Histories.recent`); items past `rows` are left out."""
    real = np.arange(readable.items.shape[1]) < readable.lengths[:, None]
    real &= (readable.items >= 0) & (readable.items < rows)
    row, place = np.nonzero(real)
    return pack_flat(
        readable.items[row, place],
        readable.times[row, place],
        readable.events[row, place],
        place,
        real.sum(axis=1),
        readable.now,
    )


def pack_flat(
    items: npt.NDArray[np.int64],
    times: npt.NDArray[np.float64],
    events: npt.NDArray[np.uint8],
    place: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    now: npt.NDArray[np.float64],
) -> PackedClicks:
    """Pack T clicks that stand one after another, the first ``lengths[0]`` being the first user's.

    Parameters
    ----------
    items, times, events, place
        [T], of each click.
    lengths, now
        [B], clicks of each user, and the time at which each is asked for.
    """
    row = np.repeat(np.arange(len(lengths)), lengths)
    ends = lengths.cumsum()
    column = np.arange(len(row)) - np.repeat(ends - lengths, lengths)
    gaps = np.diff(times, prepend=0.0)
    gaps[column == 0] = 0.0
    present = lengths > 0
    last = np.where(present, ends - 1, 0)
    pauses = np.where(present, now - times[last] if len(times) else 0.0, 0.0)
    back = np.repeat(lengths, lengths) - 1 - column
    votes = VIEW_DECAY ** back.astype(float)
    totals = np.bincount(row, votes, minlength=len(lengths))
    return PackedClicks(
        items,
        gaps.astype(np.float32),
        events.astype(np.int64),
        row,
        column,
        place,
        last,
        present[:, None].astype(np.float32),
        pauses.astype(np.float32),
        (votes / totals[row]).astype(np.float32),
        int(lengths.max(initial=0)),
    )


@kernel
def _number(
    rows: npt.NDArray[np.int64],
    limit: int,
    scratch: npt.NDArray[np.int64],
    found: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
) -> int:
    used = 0
    for i in range(len(rows)):
        row = rows[i]
        if row < 0 or row >= limit:
            places[i] = -1
            continue
        if scratch[row] < 0:
            scratch[row] = used
            found[used] = row
            used += 1
        places[i] = scratch[row]
    for u in range(used):
        scratch[found[u]] = -1
    return used


def distinct(
    rows: npt.NDArray[np.int64], limit: int, scratch: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return distinct rows below `limit` in order of first sight, and each row's place there.

    Rows out of range get place -1. `scratch` [at least limit] is all -1 before and after.

    >>> distinct(np.array([7, 3, -1, 7]), 10, np.full(10, -1))
    (array([7, 3]), array([ 0,  1, -1,  0]))
    """
    found = np.empty(len(rows), np.int64)
    places = np.empty(len(rows), np.int64)
    used = _number(rows, limit, scratch, found, places)
    return found[:used].copy(), places

"""The seen filter: fingerprints of the items that left a user's buffer, newest last."""

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel
from gsr.counters.arena import SMALLEST_BLOCK, Arena, allocate, release
from gsr.counters.users.user_columns import UserColumns


@inner_kernel
def _find(block: npt.NDArray[np.uint32], fingerprint: np.uint32) -> int:
    """Return where a fingerprint stands in a filter, -1 where it does not."""
    found = -1
    # Without an early exit, and on a view from 0, the loop is vectorised.
    for i in range(len(block)):
        if block[i] == fingerprint:
            found = i
    return found


@inner_kernel
def remember(
    users: UserColumns, seen: Arena, slot: int, fingerprint: np.uint32, seen_items: int
) -> None:
    """Make `fingerprint` the newest of the user's filter; past `seen_items` the oldest leaves."""
    if seen_items == 0:
        return
    users.seen_dirty[slot] = 1
    start = users.seen_starts[slot]
    length = users.seen_lengths[slot]
    hole = _find(seen.slots[start : start + length], fingerprint)
    if hole < 0 and length == seen_items:
        hole = 0
    if hole >= 0:
        younger = seen.slots[start + hole : start + length]
        for i in range(len(younger) - 1):
            younger[i] = younger[i + 1]
        seen.slots[start + length - 1] = fingerprint
        return
    capacity = users.seen_capacities[slot]
    if length == capacity:
        larger = max(SMALLEST_BLOCK, 2 * capacity)
        moved = allocate(seen, larger)
        for i in range(length):
            seen.slots[moved + i] = seen.slots[start + i]
        if capacity > 0:
            release(seen, start, capacity)
        start = moved
        users.seen_starts[slot] = moved
        users.seen_capacities[slot] = larger
    seen.slots[start + length] = fingerprint
    users.seen_lengths[slot] = length + 1

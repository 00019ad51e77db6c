"""Users as columns: one slot per user that is in memory."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from stream.compiled import lean_kernel
from stream.state.arena import Arena, release

BYTES_PER_USER = 24
"""Packed size of a user without clicks."""
BYTES_PER_CLICK = 25
"""Packed size of one click of a buffer."""


class UserColumns(NamedTuple):
    """Clicks of a slot stand left-aligned in time order, so the newest is at ``lengths - 1``.

    Parameters
    ----------
    lengths
        int32 [slots], clicks in the buffer; 0: nothing is known of the user.
    items
        uint32 [slots, L], item indexes.
    fingerprints
        uint32 [slots, L], of the item ids: an item may leave before the click does.
    times
        float64 [slots, L].
    events
        uint8 [slots, L].
    hashes
        uint64 [slots, L].
    seen_starts, seen_lengths, seen_capacities
        int64, int32, int32 [slots], the block of the user's seen filter in the arena.
    source_offsets
        int64 [slots], offset of the newest accepted click in log order.
    accepted_at
        float64 [slots], its append time.
    touched
        int64 [slots], a tick that tells which users were asked for longest ago.
    dirty, seen_dirty
        uint8 [slots], buffer or seen filter changed since the last flush.
    """

    lengths: npt.NDArray[np.int32]
    items: npt.NDArray[np.uint32]
    fingerprints: npt.NDArray[np.uint32]
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]
    hashes: npt.NDArray[np.uint64]
    seen_starts: npt.NDArray[np.int64]
    seen_lengths: npt.NDArray[np.int32]
    seen_capacities: npt.NDArray[np.int32]
    source_offsets: npt.NDArray[np.int64]
    accepted_at: npt.NDArray[np.float64]
    touched: npt.NDArray[np.int64]
    dirty: npt.NDArray[np.uint8]
    seen_dirty: npt.NDArray[np.uint8]


_HEADER: Final = np.dtype(
    [
        ("source_offset", np.int64),
        ("accepted_at", np.float64),
        ("touched", np.int64),
        ("seen_start", np.int64),
        ("seen_length", np.int32),
        ("seen_capacity", np.int32),
        ("length", np.int32),
        ("dirty", np.uint8),
        ("seen_dirty", np.uint8),
        ("padding", np.uint8, (18,)),
    ]
)
"""What there is once per user: together, so that a click waits for one cache line, not for ten."""


def new_user_columns(slots: int, buffer_length: int) -> UserColumns:
    """Return empty slots."""
    clicks = (slots, buffer_length)
    headers = np.zeros(slots, dtype=_HEADER)
    headers["source_offset"] = -1
    return UserColumns(
        lengths=headers["length"],
        items=np.zeros(clicks, dtype=np.uint32),
        fingerprints=np.zeros(clicks, dtype=np.uint32),
        times=np.zeros(clicks, dtype=np.float64),
        events=np.zeros(clicks, dtype=np.uint8),
        hashes=np.zeros(clicks, dtype=np.uint64),
        seen_starts=headers["seen_start"],
        seen_lengths=headers["seen_length"],
        seen_capacities=headers["seen_capacity"],
        source_offsets=headers["source_offset"],
        accepted_at=headers["accepted_at"],
        touched=headers["touched"],
        dirty=headers["dirty"],
        seen_dirty=headers["seen_dirty"],
    )


@lean_kernel
def clear_users(users: UserColumns, seen: Arena, slots: npt.NDArray[np.int64]) -> None:
    """Forget what slots hold, changes included."""
    for slot in slots:
        clear_user(users, seen, slot)
        users.dirty[slot] = 0
        users.seen_dirty[slot] = 0


@lean_kernel
def clear_user(users: UserColumns, seen: Arena, slot: int) -> None:
    """Forget what a slot holds; whether that must be written is the caller's to say."""
    users.lengths[slot] = 0
    users.source_offsets[slot] = -1
    users.accepted_at[slot] = 0.0
    users.seen_lengths[slot] = 0
    if users.seen_capacities[slot] > 0:
        release(seen, users.seen_starts[slot], users.seen_capacities[slot])
        users.seen_capacities[slot] = 0

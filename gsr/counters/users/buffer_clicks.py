"""The clicks of one user's buffer: where they stand, how they enter and leave."""

import numpy as np

from gsr.compiled import inner_kernel
from gsr.counters.applied_clicks import AppliedColumns
from gsr.counters.arena import Arena
from gsr.counters.click_batch import ClickColumns
from gsr.counters.items.item_columns import ItemColumns, row_of
from gsr.counters.progress import StreamProgress
from gsr.counters.rules import BufferRules
from gsr.counters.users.buffer_arena import capacity_after, give_block, move_clicks, take_block
from gsr.counters.users.seen_filter import remember
from gsr.counters.users.user_columns import BYTES_PER_CLICK, BYTES_PER_USER, UserColumns, clear_user


@inner_kernel
def mark_user(users: UserColumns, progress: StreamProgress, slot: int) -> None:
    """Note that a slot must be written."""
    if users.dirty[slot] == 0:
        users.dirty[slot] = 1
        progress.dirty_bytes[0] += BYTES_PER_USER + BYTES_PER_CLICK * (users.lengths[slot] + 1)


@inner_kernel
def forget_user(users: UserColumns, seen: Arena, progress: StreamProgress, slot: int) -> None:
    """Empty a slot and note that it must be written."""
    mark_user(users, progress, slot)
    users.seen_dirty[slot] = 1
    clear_user(users, seen, slot)


@inner_kernel
def oldest_place(users: UserColumns, slot: int) -> int:
    """Return where a user's oldest click stands."""
    return int(users.blocks[slot] + users.firsts[slot])


@inner_kernel
def place_of(users: UserColumns, slot: int, time: float) -> int:
    """Return where a click at `time` belongs: behind every click that is not newer."""
    start = oldest_place(users, slot)
    position = int(users.lengths[slot])
    while position > 0 and users.buffers.times[start + position - 1] > time:
        position -= 1
    return position


@inner_kernel
def holds_event(users: UserColumns, slot: int, event_hash: np.uint64) -> bool:
    """Tell whether the buffer holds an event."""
    found = False
    start = oldest_place(users, slot)
    hashes = users.buffers.hashes[start : start + users.lengths[slot]]
    for i in range(len(hashes)):
        found |= hashes[i] == event_hash
    return found


@inner_kernel
def _make_room(users: UserColumns, slot: int, buffer_length: int) -> None:
    """Make sure that a slot is free behind a user's newest click."""
    buffers = users.buffers
    length = users.lengths[slot]
    capacity = users.capacities[slot]
    if users.firsts[slot] + length < capacity:
        return
    if capacity > buffer_length:
        target = users.blocks[slot]
    else:
        users.capacities[slot] = capacity_after(capacity, buffer_length)
        target = take_block(buffers, users.capacities[slot])
    move_clicks(buffers, oldest_place(users, slot), target, length)
    if target != users.blocks[slot] and capacity > 0:
        give_block(buffers, users.blocks[slot], capacity)
    users.blocks[slot] = target
    users.firsts[slot] = 0


@inner_kernel
def insert_click(
    users: UserColumns,
    seen: Arena,
    items: ItemColumns,
    clicks: ClickColumns,
    slot: int,
    position: int,
    item: int,
    click: int,
    rules: BufferRules,
) -> None:
    """Put a click at `position`; a full buffer's oldest click goes to the seen filter."""
    buffers = users.buffers
    if users.lengths[slot] == rules.buffer_length:
        remember(
            users, seen, slot, buffers.fingerprints[oldest_place(users, slot)], rules.seen_items
        )
        users.firsts[slot] += 1
        users.lengths[slot] -= 1
        position -= 1
    _make_room(users, slot, rules.buffer_length)
    start = oldest_place(users, slot)
    for i in range(start + users.lengths[slot], start + position, -1):
        buffers.items[i] = buffers.items[i - 1]
        buffers.fingerprints[i] = buffers.fingerprints[i - 1]
        buffers.times[i] = buffers.times[i - 1]
        buffers.events[i] = buffers.events[i - 1]
        buffers.hashes[i] = buffers.hashes[i - 1]
    place = start + position
    buffers.items[place] = items.indexes[item]
    buffers.fingerprints[place] = items.fingerprints[item]
    buffers.times[place] = clicks.times[click]
    buffers.events[place] = clicks.events[click]
    buffers.hashes[place] = clicks.hashes[click]
    users.lengths[slot] += 1
    users.source_offsets[slot] = clicks.offsets[click]
    users.accepted_at[slot] = clicks.append_times[click]


@inner_kernel
def record_history(
    users: UserColumns, items: ItemColumns, applied: AppliedColumns, slot: int, click: int
) -> None:
    """Copy a user's buffer as it is before a click."""
    length = users.lengths[slot]
    start = oldest_place(users, slot)
    buffers = users.buffers
    applied.history_lengths[click] = length
    for i in range(length):
        applied.history_items[click, i] = row_of(items, np.int64(buffers.items[start + i]))
        applied.history_times[click, i] = buffers.times[start + i]
        applied.history_events[click, i] = buffers.events[start + i]


@inner_kernel
def expire_user(
    users: UserColumns, seen: Arena, rules: BufferRules, progress: StreamProgress, slot: int
) -> None:
    """Forget a user whose newest click is too long ago."""
    length = users.lengths[slot]
    if length == 0:
        return
    newest = users.buffers.times[oldest_place(users, slot) + length - 1]
    if newest < progress.watermark[0] - rules.user_ttl:
        forget_user(users, seen, progress, slot)

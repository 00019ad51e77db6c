"""Pass 1: clicks enter their users' buffers and say which edges they add."""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.applied import ACCEPTED, DUPLICATE, FORGOTTEN, TOO_OLD
from gsr.counters.arena import Arena
from gsr.counters.buffer_arena import capacity_after, give_block, move_clicks, take_block
from gsr.counters.columns import LINE_BYTES
from gsr.counters.item_columns import ITEMS, ItemColumns, claim_row, row_of
from gsr.counters.seen_filter import remember
from gsr.counters.user_columns import BYTES_PER_CLICK, BYTES_PER_USER, UserColumns, clear_user
from gsr.machine_words import prefetch

DONE: Final = 0
"""Every click was processed."""
SPACE: Final = 1
"""The arena of buffers or of seen filters must grow before the named click."""
ITEMS_OVERFLOW: Final = 2
"""Items must leave before the named click, because it brings one too many."""
ITEMS_AGE: Final = 3
"""Items may have to leave before the named click, because it moves the watermark on."""


AHEAD: Final = 8
"""Clicks between asking for memory and using it."""


class Clicks(NamedTuple):
    """A batch of n clicks as the kernel reads it.

    Parameters
    ----------
    slots
        int64 [n], the users' slots.
    items
        int64 [n], item rows, or ``-1 - k`` for entry k of the unknown items.
    times, events, hashes, forget, offsets, append_times
        As in `ClickBatch`.
    unknown_rows
        int64 [unknown], -1 until an accepted click makes the item known, then its row.
    unknown_fingerprints
        uint32 [unknown].
    """

    slots: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]
    hashes: npt.NDArray[np.uint64]
    forget: npt.NDArray[np.bool_]
    offsets: npt.NDArray[np.int64]
    append_times: npt.NDArray[np.float64]
    unknown_rows: npt.NDArray[np.int64]
    unknown_fingerprints: npt.NDArray[np.uint32]


class BufferRules(NamedTuple):
    """Settings of pass 1; what is None in the configuration is infinite or zero here.

    Parameters
    ----------
    weights
        float64 [256], by event code.
    window
        float64 [W].
    session_gap, user_ttl
        Seconds; infinite: none.
    item_step
        Seconds of the watermark between two looks for expired items; 0: none.
    max_items, seen_items
        Caps.
    largest_block
        Slots that one click may need in the arena of seen filters.
    buffer_length
        Clicks of a full buffer (L).
    """

    weights: npt.NDArray[np.float64]
    window: npt.NDArray[np.float64]
    session_gap: float
    user_ttl: float
    item_step: float
    max_items: int
    seen_items: int
    largest_block: int
    buffer_length: int


class Results(NamedTuple):
    """The columns of `Applied` that kernels write and read."""

    outcomes: npt.NDArray[np.uint8]
    item_rows: npt.NDArray[np.int64]
    item_indexes: npt.NDArray[np.int64]
    edge_starts: npt.NDArray[np.int64]
    edge_sources: npt.NDArray[np.int64]
    edge_targets: npt.NDArray[np.int64]
    edge_weights: npt.NDArray[np.float64]
    edge_times: npt.NDArray[np.float64]
    history_items: npt.NDArray[np.int64]
    history_times: npt.NDArray[np.float64]
    history_events: npt.NDArray[np.uint8]
    history_lengths: npt.NDArray[np.int64]


class Progress(NamedTuple):
    """What outlives a call of a kernel.

    Parameters
    ----------
    watermark
        float64 [1], newest event time.
    dirty_bytes
        int64 [1], roughly what a flush would write of users and items.
    loads
        int64 [1], meaningless: keeps the compiler from dropping loads that warm the caches.
    """

    watermark: npt.NDArray[np.float64]
    dirty_bytes: npt.NDArray[np.int64]
    loads: npt.NDArray[np.int64]


@inner_kernel
def _mark_user(users: UserColumns, progress: Progress, slot: int) -> None:
    """Note that a slot must be written."""
    if users.dirty[slot] == 0:
        users.dirty[slot] = 1
        progress.dirty_bytes[0] += BYTES_PER_USER + BYTES_PER_CLICK * (users.lengths[slot] + 1)


@inner_kernel
def _forget(users: UserColumns, seen: Arena, progress: Progress, slot: int) -> None:
    """Empty a slot and note that it must be written."""
    _mark_user(users, progress, slot)
    users.seen_dirty[slot] = 1
    clear_user(users, seen, slot)


@inner_kernel
def _start(users: UserColumns, slot: int) -> int:
    """Return where a user's oldest click stands."""
    return int(users.blocks[slot] + users.firsts[slot])


@inner_kernel
def _position(users: UserColumns, slot: int, time: float) -> int:
    """Return where a click at `time` belongs: behind every click that is not newer."""
    start = _start(users, slot)
    position = int(users.lengths[slot])
    while position > 0 and users.buffers.times[start + position - 1] > time:
        position -= 1
    return position


@inner_kernel
def _holds(users: UserColumns, slot: int, event_hash: np.uint64) -> bool:
    """Tell whether the buffer holds an event."""
    found = False
    start = _start(users, slot)
    hashes = users.buffers.hashes[start : start + users.lengths[slot]]
    for i in range(len(hashes)):
        found |= hashes[i] == event_hash
    return found


@inner_kernel
def _add_edges_in(
    users: UserColumns,
    items: ItemColumns,
    rules: BufferRules,
    results: Results,
    slot: int,
    position: int,
    item: int,
    time: float,
    weight: float,
    edges: int,
) -> int:
    """List the edges from the clicks before `position` to the new one; return their new count."""
    distance = 0
    later = time
    buffers = users.buffers
    start = _start(users, slot)
    for i in range(start + position - 1, start - 1, -1):
        earlier = buffers.times[i]
        if later - earlier > rules.session_gap:
            break
        later = earlier
        if rules.weights[buffers.events[i]] <= 0.0:
            continue
        source = row_of(items, np.int64(buffers.items[i]))
        if source >= 0 and source != item:
            results.edge_sources[edges] = source
            results.edge_targets[edges] = item
            results.edge_weights[edges] = rules.window[distance] * weight
            results.edge_times[edges] = time
            edges += 1
        distance += 1
        if distance == len(rules.window):
            break
    return edges


@inner_kernel
def _add_edges_out(
    users: UserColumns,
    items: ItemColumns,
    rules: BufferRules,
    results: Results,
    slot: int,
    position: int,
    item: int,
    time: float,
    edges: int,
) -> int:
    """List the edges from a late click to those behind it; return their new count."""
    distance = 0
    earlier = time
    buffers = users.buffers
    start = _start(users, slot)
    for i in range(start + position, start + users.lengths[slot]):
        later = buffers.times[i]
        if later - earlier > rules.session_gap:
            break
        earlier = later
        weight = rules.weights[buffers.events[i]]
        if weight <= 0.0:
            continue
        target = row_of(items, np.int64(buffers.items[i]))
        if target >= 0 and target != item:
            results.edge_sources[edges] = item
            results.edge_targets[edges] = target
            results.edge_weights[edges] = rules.window[distance] * weight
            results.edge_times[edges] = later
            edges += 1
        distance += 1
        if distance == len(rules.window):
            break
    return edges


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
    move_clicks(buffers, _start(users, slot), target, length)
    if target != users.blocks[slot] and capacity > 0:
        give_block(buffers, users.blocks[slot], capacity)
    users.blocks[slot] = target
    users.firsts[slot] = 0


@inner_kernel
def _insert(
    users: UserColumns,
    seen: Arena,
    items: ItemColumns,
    clicks: Clicks,
    slot: int,
    position: int,
    item: int,
    click: int,
    rules: BufferRules,
) -> None:
    """Put a click at `position`; a full buffer's oldest click goes to the seen filter."""
    buffers = users.buffers
    if users.lengths[slot] == rules.buffer_length:
        remember(users, seen, slot, buffers.fingerprints[_start(users, slot)], rules.seen_items)
        users.firsts[slot] += 1
        users.lengths[slot] -= 1
        position -= 1
    _make_room(users, slot, rules.buffer_length)
    start = _start(users, slot)
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
def _record_history(
    users: UserColumns, items: ItemColumns, results: Results, slot: int, click: int
) -> None:
    """Copy a user's buffer as it is before a click."""
    length = users.lengths[slot]
    start = _start(users, slot)
    buffers = users.buffers
    results.history_lengths[click] = length
    for i in range(length):
        results.history_items[click, i] = row_of(items, np.int64(buffers.items[start + i]))
        results.history_times[click, i] = buffers.times[start + i]
        results.history_events[click, i] = buffers.events[start + i]


@inner_kernel
def _items_may_expire(rules: BufferRules, watermark: float, time: float) -> bool:
    """Tell whether the watermark's move to `time` is a moment to look for expired items."""
    return (
        rules.item_step > 0.0
        and watermark > -np.inf
        and math.floor(time / rules.item_step) > math.floor(watermark / rules.item_step)
    )


@inner_kernel
def _ask_for(users: UserColumns, items: ItemColumns, clicks: Clicks, click: int, stop: int) -> None:
    """Ask for the memory of clicks soon to come, before it is their turn.

    One after another, each click would wait for memory several times. What is asked for comes
    while earlier clicks are processed; nothing else comes of it.
    """
    far, near = click + 2 * AHEAD, click + AHEAD
    if far < stop:
        prefetch(users.lengths, clicks.slots[far])
        row = clicks.items[far]
        if row >= 0:
            prefetch(items.indexes, row)
    buffers = users.buffers
    if near < stop:
        slot = clicks.slots[near]
        start = _start(users, slot)
        stop_at = start + users.lengths[slot]
        for place in range(start, stop_at, LINE_BYTES // 8):
            prefetch(buffers.hashes, place)
        # Where the next click goes; the ones before it stand close by.
        prefetch(buffers.hashes, stop_at)
        prefetch(buffers.times, stop_at)
        prefetch(buffers.items, stop_at)
        prefetch(buffers.fingerprints, stop_at)
        prefetch(buffers.events, stop_at)
    close = click + AHEAD // 2
    if close < stop:
        slot = clicks.slots[close]
        stop_at = _start(users, slot) + users.lengths[slot]
        for place in range(max(_start(users, slot), stop_at - 3), stop_at):
            prefetch(items.rows, np.int64(buffers.items[place]))


@inner_kernel
def _move_watermark(rules: BufferRules, progress: Progress, time: float) -> bool:
    """Move the watermark on; False, and no move, where items may have to leave first."""
    if time > progress.watermark[0]:
        if _items_may_expire(rules, progress.watermark[0], time):
            return False
        progress.watermark[0] = time
    return True


@inner_kernel
def _expire(
    users: UserColumns, seen: Arena, rules: BufferRules, progress: Progress, slot: int
) -> None:
    """Forget a user whose newest click is too long ago."""
    length = users.lengths[slot]
    if length == 0:
        return
    newest = users.buffers.times[_start(users, slot) + length - 1]
    if newest < progress.watermark[0] - rules.user_ttl:
        _forget(users, seen, progress, slot)


@inner_kernel
def _item_of(items: ItemColumns, clicks: Clicks, rules: BufferRules, click: int) -> int:
    """Return the row of a click's item; an unknown item gets one, -1 where there is no room."""
    item: int = clicks.items[click]
    if item >= 0:
        return item
    unknown = -1 - item
    if clicks.unknown_rows[unknown] < 0 and items.counts[ITEMS] < rules.max_items:
        mark = clicks.unknown_fingerprints[unknown]
        clicks.unknown_rows[unknown] = claim_row(items, mark, -1)
    return int(clicks.unknown_rows[unknown])


@inner_kernel
def _accept(
    users: UserColumns,
    seen: Arena,
    items: ItemColumns,
    clicks: Clicks,
    rules: BufferRules,
    results: Results,
    click: int,
    position: int,
    item: int,
) -> None:
    """Let a click into its user's buffer and list the edges that it brings."""
    slot = clicks.slots[click]
    time = clicks.times[click]
    if len(results.history_lengths) > 0:
        _record_history(users, items, results, slot, click)
    edges = results.edge_starts[click]
    weight = rules.weights[clicks.events[click]]
    if weight > 0.0:
        edges = _add_edges_in(
            users, items, rules, results, slot, position, item, time, weight, edges
        )
        edges = _add_edges_out(users, items, rules, results, slot, position, item, time, edges)
    results.edge_starts[click + 1] = edges
    _insert(users, seen, items, clicks, slot, position, item, click, rules)
    results.outcomes[click] = ACCEPTED
    results.item_rows[click] = item
    results.item_indexes[click] = items.indexes[item]


@inner_kernel
def _push(
    users: UserColumns,
    seen: Arena,
    items: ItemColumns,
    clicks: Clicks,
    rules: BufferRules,
    results: Results,
    progress: Progress,
    click: int,
) -> int:
    """Process one click that is not a forget row; return `DONE`, or what it needs first."""
    slot = clicks.slots[click]
    time = clicks.times[click]
    if not _move_watermark(rules, progress, time):
        return ITEMS_AGE
    _expire(users, seen, rules, progress, slot)
    if _holds(users, slot, clicks.hashes[click]):
        results.outcomes[click] = DUPLICATE
        return DONE
    position = _position(users, slot, time)
    if position == 0 and users.lengths[slot] == rules.buffer_length:
        results.outcomes[click] = TOO_OLD
        return DONE
    buffers = users.buffers
    if (
        len(seen.slots) - seen.top[0] < rules.largest_block
        or len(buffers.hashes) - buffers.top[0] <= 2 * rules.buffer_length
    ):
        return SPACE
    item = _item_of(items, clicks, rules, click)
    if item < 0:
        return ITEMS_OVERFLOW
    _accept(users, seen, items, clicks, rules, results, click, position, item)
    _mark_user(users, progress, slot)
    return DONE


@lean_kernel
def push_clicks(
    users: UserColumns,
    seen: Arena,
    items: ItemColumns,
    clicks: Clicks,
    rules: BufferRules,
    results: Results,
    progress: Progress,
    start: int,
    stop: int,
) -> tuple[int, int]:
    """Process clicks ``start : stop`` one after another.

    Stops before a click that needs something first; the same click is then asked for again, so
    whatever happens to state before a stop must be right to happen twice.

    Returns
    -------
    The first click that was not processed, and why (`DONE`, `SPACE`, `ITEMS_OVERFLOW`,
    `ITEMS_AGE`).
    """
    for click in range(start, stop):
        _ask_for(users, items, clicks, click, stop)
        results.item_rows[click] = -1
        results.item_indexes[click] = -1
        results.edge_starts[click + 1] = results.edge_starts[click]
        if clicks.forget[click]:
            _forget(users, seen, progress, clicks.slots[click])
            results.outcomes[click] = FORGOTTEN
            continue
        reason = _push(users, seen, items, clicks, rules, results, progress, click)
        if reason != DONE:
            return click, reason
    return stop, DONE

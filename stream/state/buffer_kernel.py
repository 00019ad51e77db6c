"""Pass 1: clicks enter their users' buffers and say which edges they add."""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from stream.compiled import lean_kernel
from stream.state.applied import ACCEPTED, DUPLICATE, FORGOTTEN, TOO_OLD
from stream.state.arena import Arena
from stream.state.item_columns import ITEMS, ItemColumns, claim_row, row_of
from stream.state.seen_filter import remember
from stream.state.user_columns import BYTES_PER_CLICK, BYTES_PER_USER, UserColumns, clear_user

DONE: Final = 0
"""Every click was processed."""
SEEN_SPACE: Final = 1
"""The arena of seen filters must grow before the named click."""
ITEMS_OVERFLOW: Final = 2
"""Items must leave before the named click, because it brings one too many."""
ITEMS_AGE: Final = 3
"""Items may have to leave before the named click, because it moves the watermark on."""


WARM_CLICKS: Final = 32
"""Clicks whose memory is asked for at once."""

_BYTES_PER_LINE: Final = 64


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
    """

    weights: npt.NDArray[np.float64]
    window: npt.NDArray[np.float64]
    session_gap: float
    user_ttl: float
    item_step: float
    max_items: int
    seen_items: int
    largest_block: int


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


@lean_kernel
def _mark_user(users: UserColumns, progress: Progress, slot: int) -> None:
    """Note that a slot must be written."""
    if users.dirty[slot] == 0:
        users.dirty[slot] = 1
        progress.dirty_bytes[0] += BYTES_PER_USER + BYTES_PER_CLICK * (users.lengths[slot] + 1)


@lean_kernel
def _forget(users: UserColumns, seen: Arena, progress: Progress, slot: int) -> None:
    """Empty a slot and note that it must be written."""
    _mark_user(users, progress, slot)
    users.seen_dirty[slot] = 1
    clear_user(users, seen, slot)


@lean_kernel
def _position(users: UserColumns, slot: int, time: float) -> int:
    """Return where a click at `time` belongs: behind every click that is not newer."""
    position = int(users.lengths[slot])
    while position > 0 and users.times[slot, position - 1] > time:
        position -= 1
    return position


@lean_kernel
def _holds(users: UserColumns, slot: int, event_hash: np.uint64) -> bool:
    """Tell whether the buffer holds an event."""
    found = False
    hashes = users.hashes[slot, : users.lengths[slot]]
    for i in range(len(hashes)):
        found |= hashes[i] == event_hash
    return found


@lean_kernel
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
    for i in range(position - 1, -1, -1):
        earlier = users.times[slot, i]
        if later - earlier > rules.session_gap:
            break
        later = earlier
        if rules.weights[users.events[slot, i]] <= 0.0:
            continue
        source = row_of(items, np.int64(users.items[slot, i]))
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


@lean_kernel
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
    for i in range(position, users.lengths[slot]):
        later = users.times[slot, i]
        if later - earlier > rules.session_gap:
            break
        earlier = later
        weight = rules.weights[users.events[slot, i]]
        if weight <= 0.0:
            continue
        target = row_of(items, np.int64(users.items[slot, i]))
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


@lean_kernel
def _shift_left(users: UserColumns, slot: int, stop: int) -> None:
    """Drop the oldest click; those before `stop` move up and leave ``stop - 1`` free."""
    items = users.items[slot]
    fingerprints = users.fingerprints[slot]
    times = users.times[slot]
    events = users.events[slot]
    hashes = users.hashes[slot]
    # One loop per column: each is vectorised.
    for i in range(stop - 1):
        items[i] = items[i + 1]
    for i in range(stop - 1):
        fingerprints[i] = fingerprints[i + 1]
    for i in range(stop - 1):
        times[i] = times[i + 1]
    for i in range(stop - 1):
        events[i] = events[i + 1]
    for i in range(stop - 1):
        hashes[i] = hashes[i + 1]


@lean_kernel
def _shift_right(users: UserColumns, slot: int, position: int) -> None:
    """Make `position` free; the clicks from there on move back by one."""
    for i in range(users.lengths[slot], position, -1):
        users.items[slot, i] = users.items[slot, i - 1]
        users.fingerprints[slot, i] = users.fingerprints[slot, i - 1]
        users.times[slot, i] = users.times[slot, i - 1]
        users.events[slot, i] = users.events[slot, i - 1]
        users.hashes[slot, i] = users.hashes[slot, i - 1]


@lean_kernel
def _insert(
    users: UserColumns,
    seen: Arena,
    items: ItemColumns,
    clicks: Clicks,
    slot: int,
    position: int,
    item: int,
    click: int,
    seen_items: int,
) -> None:
    """Put a click at `position`; a full buffer's oldest click goes to the seen filter."""
    if users.lengths[slot] == users.items.shape[1]:
        remember(users, seen, slot, users.fingerprints[slot, 0], seen_items)
        _shift_left(users, slot, position)
        position -= 1
    else:
        _shift_right(users, slot, position)
        users.lengths[slot] += 1
    users.items[slot, position] = items.indexes[item]
    users.fingerprints[slot, position] = items.fingerprints[item]
    users.times[slot, position] = clicks.times[click]
    users.events[slot, position] = clicks.events[click]
    users.hashes[slot, position] = clicks.hashes[click]
    users.source_offsets[slot] = clicks.offsets[click]
    users.accepted_at[slot] = clicks.append_times[click]


@lean_kernel
def _record_history(
    users: UserColumns, items: ItemColumns, results: Results, slot: int, click: int
) -> None:
    """Copy a user's buffer as it is before a click."""
    length = users.lengths[slot]
    results.history_lengths[click] = length
    for i in range(length):
        results.history_items[click, i] = row_of(items, np.int64(users.items[slot, i]))
        results.history_times[click, i] = users.times[slot, i]
        results.history_events[click, i] = users.events[slot, i]


@lean_kernel
def _items_may_expire(rules: BufferRules, watermark: float, time: float) -> bool:
    """Tell whether the watermark's move to `time` is a moment to look for expired items."""
    return (
        rules.item_step > 0.0
        and watermark > -np.inf
        and math.floor(time / rules.item_step) > math.floor(watermark / rules.item_step)
    )


@lean_kernel
def _warm(
    users: UserColumns,
    items: ItemColumns,
    clicks: Clicks,
    progress: Progress,
    start: int,
    stop: int,
) -> None:
    """Load what clicks ``start : stop`` will read, into the processor's caches.

    See `stream.state.edge_kernel._warm`.
    """
    loads = 0
    for click in range(start, stop):
        slot = clicks.slots[click]
        loads += users.lengths[slot] + users.seen_lengths[slot] + users.dirty[slot]
        loads += users.source_offsets[slot] + np.int64(users.accepted_at[slot])
        row = clicks.items[click]
        if row >= 0:
            loads += items.indexes[row] + items.fingerprints[row]
    for click in range(start, stop):
        slot = clicks.slots[click]
        length = users.lengths[slot]
        newest = max(0, length - 1)
        loads += np.int64(users.times[slot, newest]) + users.items[slot, newest]
        loads += users.fingerprints[slot, newest] + users.events[slot, newest]
        for i in range(0, length, _BYTES_PER_LINE // 8):
            loads += np.int64(users.hashes[slot, i])
    for click in range(start, stop):
        slot = clicks.slots[click]
        length = users.lengths[slot]
        for i in range(max(0, length - 3), length):
            loads += row_of(items, np.int64(users.items[slot, i]))
    progress.loads[0] = loads


@lean_kernel
def _move_watermark(rules: BufferRules, progress: Progress, time: float) -> bool:
    """Move the watermark on; False, and no move, where items may have to leave first."""
    if time > progress.watermark[0]:
        if _items_may_expire(rules, progress.watermark[0], time):
            return False
        progress.watermark[0] = time
    return True


@lean_kernel
def _expire(
    users: UserColumns, seen: Arena, rules: BufferRules, progress: Progress, slot: int
) -> None:
    """Forget a user whose newest click is too long ago."""
    length = users.lengths[slot]
    if length > 0 and users.times[slot, length - 1] < progress.watermark[0] - rules.user_ttl:
        _forget(users, seen, progress, slot)


@lean_kernel
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


@lean_kernel
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
    _insert(users, seen, items, clicks, slot, position, item, click, rules.seen_items)
    results.outcomes[click] = ACCEPTED
    results.item_rows[click] = item
    results.item_indexes[click] = items.indexes[item]


@lean_kernel
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
    if position == 0 and users.lengths[slot] == users.items.shape[1]:
        results.outcomes[click] = TOO_OLD
        return DONE
    if len(seen.slots) - seen.top[0] < rules.largest_block:
        return SEEN_SPACE
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
    The first click that was not processed, and why (`DONE`, `SEEN_SPACE`, `ITEMS_OVERFLOW`,
    `ITEMS_AGE`).
    """
    for click in range(start, stop):
        if (click - start) % WARM_CLICKS == 0:
            _warm(users, items, clicks, progress, click, min(click + WARM_CLICKS, stop))
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

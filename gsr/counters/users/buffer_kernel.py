"""The first pass over clicks: they enter their users' buffers and list the edges they bring."""

import math
from typing import Final

import numpy as np

from gsr.compiled import inner_kernel, lean_kernel
from gsr.counters.applied_clicks import (
    ACCEPTED,
    DUPLICATE,
    FORGOTTEN,
    TOO_OLD,
    AppliedColumns,
)
from gsr.counters.arena import Arena
from gsr.counters.cache_lines import AHEAD, LINE_BYTES
from gsr.counters.click_batch import ClickColumns
from gsr.counters.items.item_columns import ITEMS, ItemColumns, claim_row
from gsr.counters.progress import StreamProgress
from gsr.counters.rules import BufferRules
from gsr.counters.users.buffer_clicks import (
    expire_user,
    forget_user,
    holds_event,
    insert_click,
    mark_user,
    oldest_place,
    place_of,
    record_history,
)
from gsr.counters.users.user_columns import UserColumns
from gsr.counters.users.window_edges import list_edges
from gsr.machine_words import prefetch

DONE: Final = 0
"""Every click was processed."""
SPACE: Final = 1
"""The arena of buffers or of seen filters must grow before the named click."""
ITEMS_OVERFLOW: Final = 2
"""Items must leave before the named click, because it brings one too many."""
ITEMS_AGE: Final = 3
"""Items may have to leave before the named click, because it moves the watermark on."""


@inner_kernel
def _items_may_expire(rules: BufferRules, watermark: float, time: float) -> bool:
    """Tell whether the watermark's move to `time` is a moment to look for expired items."""
    return (
        rules.item_step > 0.0
        and watermark > -np.inf
        and math.floor(time / rules.item_step) > math.floor(watermark / rules.item_step)
    )


@inner_kernel
def _prefetch_ahead(
    users: UserColumns,
    items: ItemColumns,
    clicks: ClickColumns,
    rules: BufferRules,
    click: int,
    stop: int,
) -> None:
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
        start = oldest_place(users, slot)
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
        stop_at = oldest_place(users, slot) + users.lengths[slot]
        most = max(len(rules.window), rules.close_clicks)
        for place in range(max(oldest_place(users, slot), stop_at - most), stop_at):
            prefetch(items.rows, np.int64(buffers.items[place]))


@inner_kernel
def _move_watermark(rules: BufferRules, progress: StreamProgress, time: float) -> bool:
    """Move the watermark on; False, and no move, where items may have to leave first."""
    if time > progress.watermark[0]:
        if _items_may_expire(rules, progress.watermark[0], time):
            return False
        progress.watermark[0] = time
    return True


@inner_kernel
def _item_of(items: ItemColumns, clicks: ClickColumns, rules: BufferRules, click: int) -> int:
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
    clicks: ClickColumns,
    rules: BufferRules,
    applied: AppliedColumns,
    click: int,
    position: int,
    item: int,
) -> None:
    """Let a click into its user's buffer and list the edges that it brings."""
    slot = clicks.slots[click]
    time = clicks.times[click]
    if len(applied.history_lengths) > 0:
        record_history(users, items, applied, slot, click)
    weight = rules.weights[clicks.events[click]]
    if weight > 0.0:
        for forward in (False, True):
            list_edges(
                users, items, rules, applied, slot, position, click, item, time, weight, forward
            )
    insert_click(users, seen, items, clicks, slot, position, item, click, rules)
    applied.outcomes[click] = ACCEPTED
    applied.item_rows[click] = item
    applied.item_indexes[click] = items.indexes[item]


@inner_kernel
def _push(
    users: UserColumns,
    seen: Arena,
    items: ItemColumns,
    clicks: ClickColumns,
    rules: BufferRules,
    applied: AppliedColumns,
    progress: StreamProgress,
    click: int,
) -> int:
    """Process one click that is not a forget row; return `DONE`, or what it needs first."""
    slot = clicks.slots[click]
    time = clicks.times[click]
    if not _move_watermark(rules, progress, time):
        return ITEMS_AGE
    expire_user(users, seen, rules, progress, slot)
    if holds_event(users, slot, clicks.hashes[click]):
        applied.outcomes[click] = DUPLICATE
        return DONE
    position = place_of(users, slot, time)
    if position == 0 and users.lengths[slot] == rules.buffer_length:
        applied.outcomes[click] = TOO_OLD
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
    _accept(users, seen, items, clicks, rules, applied, click, position, item)
    mark_user(users, progress, slot)
    return DONE


@lean_kernel
def push_clicks(
    users: UserColumns,
    seen: Arena,
    items: ItemColumns,
    clicks: ClickColumns,
    rules: BufferRules,
    applied: AppliedColumns,
    progress: StreamProgress,
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
        _prefetch_ahead(users, items, clicks, rules, click, stop)
        applied.item_rows[click] = -1
        applied.item_indexes[click] = -1
        applied.edge_starts[click + 1] = applied.edge_starts[click]
        applied.pair_starts[click + 1] = applied.pair_starts[click]
        if clicks.forget[click]:
            forget_user(users, seen, progress, clicks.slots[click])
            applied.outcomes[click] = FORGOTTEN
            continue
        reason = _push(users, seen, items, clicks, rules, applied, progress, click)
        if reason != DONE:
            return click, reason
    return stop, DONE

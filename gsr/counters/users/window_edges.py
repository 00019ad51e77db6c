"""Edges and pairs of a new click with the clicks around it, on either side of it."""

import numpy as np

from gsr.compiled import inner_kernel
from gsr.counters.applied_clicks import AppliedColumns
from gsr.counters.items.item_columns import ItemColumns, row_of
from gsr.counters.rules import BufferRules
from gsr.counters.users.buffer_clicks import oldest_place
from gsr.counters.users.user_columns import UserColumns


@inner_kernel
def list_edges(
    users: UserColumns,
    items: ItemColumns,
    rules: BufferRules,
    applied: AppliedColumns,
    slot: int,
    position: int,
    click: int,
    item: int,
    time: float,
    weight: float,
    forward: bool,
) -> None:
    """List the edges between a new click, not in its buffer yet, and those on one side of it.

    To the new click from those before `position`, with its own weight and time; or `forward`, from
    it to those behind, which are later, with theirs. Where close clicks are counted, list the
    pairs that it makes with them too.
    """
    edges, pairs = applied.edge_starts[click + 1], applied.pair_starts[click + 1]
    window = len(rules.window)
    reach = max(window, rules.close_clicks)
    buffers = users.buffers
    start = oldest_place(users, slot)
    place = start + position if forward else start + position - 1
    stop = start + users.lengths[slot] if forward else start - 1
    step = 1 if forward else -1
    distance = 0
    nearer = time
    while place != stop and distance < reach:
        other_time = buffers.times[place]
        if abs(other_time - nearer) > rules.session_gap:
            break
        nearer = other_time
        other_weight = rules.weights[buffers.events[place]]
        if other_weight > 0.0:
            other = row_of(items, np.int64(buffers.items[place]))
            if other >= 0 and other != item:
                later_weight = other_weight if forward else weight
                later_time = other_time if forward else time
                if rules.close_clicks > 0:
                    is_close = distance < rules.close_clicks
                    applied.pair_items[pairs] = other
                    applied.pair_weights[pairs] = later_weight if is_close else 0.0
                    applied.pair_times[pairs] = later_time
                    applied.pair_edges[pairs] = edges if distance < window else -1
                    pairs += 1
                if distance < window:
                    applied.edge_sources[edges] = item if forward else other
                    applied.edge_targets[edges] = other if forward else item
                    applied.edge_weights[edges] = rules.window[distance] * later_weight
                    applied.edge_times[edges] = later_time
                    edges += 1
            distance += 1
        place += step
    applied.edge_starts[click + 1] = edges
    applied.pair_starts[click + 1] = pairs

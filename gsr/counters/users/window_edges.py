"""Edges between a new click and the clicks of its user's window, on either side of it."""

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
    item: int,
    time: float,
    weight: float,
    edges: int,
    forward: bool,
) -> int:
    """List the edges between a new click, not in its buffer yet, and those on one side of it.

    To the new click from those before `position`, with its own weight and time; or `forward`, from
    it to those behind, which are later, with theirs.

    Returns
    -------
    How many edges are listed now, `edges` of which were before.
    """
    buffers = users.buffers
    start = oldest_place(users, slot)
    place = start + position if forward else start + position - 1
    stop = start + users.lengths[slot] if forward else start - 1
    step = 1 if forward else -1
    distance = 0
    nearer = time
    while place != stop and distance < len(rules.window):
        other_time = buffers.times[place]
        if abs(other_time - nearer) > rules.session_gap:
            break
        nearer = other_time
        other_weight = rules.weights[buffers.events[place]]
        if other_weight > 0.0:
            other = row_of(items, np.int64(buffers.items[place]))
            if other >= 0 and other != item:
                applied.edge_sources[edges] = item if forward else other
                applied.edge_targets[edges] = other if forward else item
                later_weight = other_weight if forward else weight
                applied.edge_weights[edges] = rules.window[distance] * later_weight
                applied.edge_times[edges] = other_time if forward else time
                edges += 1
            distance += 1
        place += step
    return edges

"""Edges between a new click and the clicks of its user's window, on either side of it."""

import numpy as np

from gsr.compiled import inner_kernel
from gsr.counters.applied_clicks import AppliedColumns
from gsr.counters.buffer_clicks import oldest_place
from gsr.counters.item_columns import ItemColumns, row_of
from gsr.counters.rules import BufferRules
from gsr.counters.user_columns import UserColumns


@inner_kernel
def list_edges_in(
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
) -> int:
    """List the edges from the clicks before `position` to the new one; return their new count."""
    distance = 0
    later = time
    buffers = users.buffers
    start = oldest_place(users, slot)
    for i in range(start + position - 1, start - 1, -1):
        earlier = buffers.times[i]
        if later - earlier > rules.session_gap:
            break
        later = earlier
        if rules.weights[buffers.events[i]] <= 0.0:
            continue
        source = row_of(items, np.int64(buffers.items[i]))
        if source >= 0 and source != item:
            applied.edge_sources[edges] = source
            applied.edge_targets[edges] = item
            applied.edge_weights[edges] = rules.window[distance] * weight
            applied.edge_times[edges] = time
            edges += 1
        distance += 1
        if distance == len(rules.window):
            break
    return edges


@inner_kernel
def list_edges_out(
    users: UserColumns,
    items: ItemColumns,
    rules: BufferRules,
    applied: AppliedColumns,
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
    start = oldest_place(users, slot)
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
            applied.edge_sources[edges] = item
            applied.edge_targets[edges] = target
            applied.edge_weights[edges] = rules.window[distance] * weight
            applied.edge_times[edges] = later
            edges += 1
        distance += 1
        if distance == len(rules.window):
            break
    return edges

"""Counters filled with told clicks, and what they say in plain numbers."""

import numpy as np

from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from gsr.counters.items.partition_items import PartitionItems
from tests.stream.state.click_stories import START, WEIGHTS, Told, batch_of

HOUR = 3600.0
ONE_SCALE = CounterConfig(half_lives=(HOUR,), close_half_lives=(HOUR,))
CLICK, BUY, SEEN, HIDE = range(4)


def counters_of(story: list[Told], config: CounterConfig = ONE_SCALE) -> Counters:
    """Return counters of these clicks."""
    counters = Counters(config, np.array(WEIGHTS))
    counters.apply(batch_of(story))
    return counters


def edges_of(
    counters: Counters, at: float = START, column: int = 0
) -> dict[tuple[int, int], float]:
    """Return what each edge is worth in a column of weights at a time, by item number.

    Neighbours without any weight there are left out.
    """
    graph = counters.graph()
    half_life = np.append(graph.half_lives, graph.close_half_lives)[column]
    ids = [-1 if item_id is None else int(item_id.split("-")[1]) for item_id in counters.item_ids]
    edges = {}
    for row in np.flatnonzero(graph.alive).tolist():
        start = int(graph.row_starts[row])
        for slot in range(start, start + int(graph.row_lengths[row])):
            age = at / half_life - graph.row_references[row, column]
            worth = float(graph.weights[slot, column]) * 2.0**-age
            if graph.weights[slot, column] > 0.0:
                edges[ids[row], ids[graph.neighbours[slot]]] = worth
    return edges


def close_of(counters: Counters, at: float = START) -> dict[tuple[int, int], float]:
    """Return how close items are on the first scale of that, in both directions."""
    return edges_of(counters, at, counters.graph().scales)


def popularity_of(counters: Counters, item: int, at: float = START) -> float:
    """Return an item's popularity on the first scale at a time."""
    graph = counters.graph()
    row = counters.items.find(f"item-{item}")
    age = at / graph.half_lives[0] - graph.popularity_references[row, 0]
    worth: float = float(graph.popularity[row, 0]) * 2.0 ** float(-age)
    return worth


def items_of(counters: Counters, user: int) -> list[int]:
    """Return the item numbers of a user's buffer, oldest first."""
    buffer = counters.user_buffer(f"user-{user}")
    assert buffer is not None
    return [int(str(counters.item_ids[row]).split("-")[1]) for row in buffer.items.tolist()]


def walk(*items: int, user: int = 0, step: float = 0.0) -> list[Told]:
    """Let a user click items one after another."""
    return [Told(user, item, START + i * step, CLICK, i) for i, item in enumerate(items)]


def partition_of(counters: Counters) -> PartitionItems:
    """Return everything about items, as a checkpoint would."""
    ids = [str(item_id) for item_id in counters.item_ids]
    columns = counters.items.columns
    return PartitionItems(
        ids, columns.indexes[: len(ids)], columns.created_at[: len(ids)], counters.graph()
    )

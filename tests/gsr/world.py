"""A small world of clicks whose counters are kept in plain arrays, for tests of the model."""

import numpy as np
import numpy.typing as npt

from gsr.config import ModelConfig
from gsr.counters.interactions import Interactions, gather_interactions
from gsr.counters.items.item_graph import ItemGraph
from gsr.counters.users.histories import Histories
from gsr.votes.channels import (
    clear_channels,
    graph_channel_count,
    graph_channels,
)
from gsr.votes.constants import FLOOR_LOG2
from gsr.votes.popularity import popularity_levels

HALF_LIVES = (3600.0, 86_400.0)
WINDOW = (1.0, 0.5)


class World:
    """Counters of `items` items and buffers of `users` users; every row lists every item.

    References stay 0, so times must lie within a few days of the epoch.
    """

    def __init__(self, items: int = 24, users: int = 8, capacity: int = 64) -> None:
        scales = len(HALF_LIVES)
        self.known = items
        self._capacity = capacity
        self._weights = np.zeros((capacity, capacity, scales), np.float32)
        self._popularity = np.zeros((capacity, scales), np.float32)
        self._last = np.full(capacity, -np.inf)
        self._buffers: list[list[tuple[int, float, int]]] = [[] for _ in range(users)]

    def graph(self) -> ItemGraph:
        """Return views of the counters."""
        n, scales = self.known, len(HALF_LIVES)
        return ItemGraph(
            np.array(HALF_LIVES),
            np.arange(n, dtype=np.int64) * self._capacity,
            np.full(n, n, np.int32),
            np.zeros((n, scales), np.int64),
            np.tile(np.arange(self._capacity, dtype=np.uint32), self._capacity),
            self._weights.reshape(-1, scales),
            self._popularity[:n],
            np.zeros((n, scales), np.int64),
            self._last[:n],
            np.ones(n, np.bool_),
            close_half_lives=np.zeros(0),
        )

    def edge(self, source: int, target: int, amount: float, time: float) -> None:
        """Add weight to an edge."""
        self._weights[source, target] += amount * 2.0 ** (time / np.array(HALF_LIVES))

    def click(self, user: int, item: int, time: float, event: int = 0) -> None:
        """Count a click and add its edges."""
        for back, amount in enumerate(WINDOW):
            if back < len(self._buffers[user]):
                source = self._buffers[user][-1 - back][0]
                if source != item:
                    self.edge(source, item, amount, time)
        self._popularity[item] += 2.0 ** (time / np.array(HALF_LIVES))
        self._last[item] = max(self._last[item], time)
        self._buffers[user].append((item, time, event))

    def histories(self, users: list[int], now: list[float], width: int = 16) -> Histories:
        """Return the users' newest clicks."""
        return histories([self._buffers[user][-width:] for user in users], now, width)


def histories(
    buffers: list[list[tuple[int, float, int]]], now: list[float], width: int = 16
) -> Histories:
    """Return buffers of (item, time, event) as padded arrays."""
    items = np.full((len(buffers), width), -1, np.int64)
    times = np.zeros((len(buffers), width))
    events = np.zeros((len(buffers), width), np.uint8)
    for row, buffer in enumerate(buffers):
        for column, (item, time, event) in enumerate(buffer):
            items[row, column], times[row, column], events[row, column] = item, time, event
    lengths = np.array([len(buffer) for buffer in buffers], np.int64)
    return Histories(items, times, events, lengths, np.array(now))


def popularity_channels(graph: ItemGraph, now: float) -> npt.NDArray[np.float32]:
    """Return the popularity channels of every item, float32 [N, S], from the counters."""
    ages = graph.popularity_references - now / graph.half_lives
    counts = np.maximum(graph.popularity * np.exp2(ages), 2.0**FLOOR_LOG2)
    channels: npt.NDArray[np.float32] = np.log(counts).astype(np.float32)
    return channels


def sparse_channels(
    graph: ItemGraph, readable: Histories, user: int, history: int = 32, decay: float = 0.95
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return one user's graph channels of every item, and the items that have any."""
    dense = np.zeros((graph.items, graph_channel_count(graph.scales)), np.float32)
    touched = np.empty(graph.items, np.int64)
    levels = np.empty((graph.items, graph.scales))
    popularity_levels(graph, levels)
    count = graph_channels(
        graph,
        levels,
        readable.items[user],
        readable.lengths[user],
        readable.now[user],
        history,
        decay,
        dense,
        touched,
    )
    kept = dense.copy()
    clear_channels(dense, touched, count)
    assert not dense.any()
    return kept, touched[:count]


def shoppers(world: World, clicks: int, rng: np.random.Generator) -> None:
    """Let users walk along a ring of items, mostly one step at a time."""
    users = len(world._buffers)  # noqa: SLF001 - the world is ours
    for number in range(clicks):
        user, time = int(rng.integers(users)), 60.0 * number
        before = world.histories([user], [time])
        if before.lengths[0]:
            item = int(before.items[0, before.lengths[0] - 1])
            item = (item + int(rng.choice([1, 1, 1, 2]))) % world.known
        else:
            item = int(rng.integers(world.known))
        world.click(user, item, time)


def one_click_a_minute(items: npt.NDArray[np.int64], item_count: int) -> Interactions:
    """Return the histories `items` [U, L] of users who click once a minute from the epoch on."""
    users, length = items.shape
    return gather_interactions(
        np.repeat(np.arange(users), length),
        items.ravel(),
        np.tile(np.arange(length) * 60.0, users),
        np.zeros(items.size, np.uint8),
        user_count=users,
        item_count=item_count,
    )


def small_config(**changes: object) -> ModelConfig:
    """Return a model configuration that is quick to test."""
    settings: dict[str, object] = {
        "dimension": 16,
        "half_lives": HALF_LIVES,
        "history_length": 8,
        "fanout": 32,
        "dropout": 0.0,
    }
    return ModelConfig(**(settings | changes))  # type: ignore[arg-type]  # settings are mixed

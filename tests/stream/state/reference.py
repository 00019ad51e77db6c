"""The state again, slow and obvious: dictionaries, lists, one click at a time.

Nothing here is shared with the kernels but the configuration, the fingerprint of an id and the
definition of two to the power of a fraction.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from gsr.counters.applied_clicks import ACCEPTED, DUPLICATE, FORGET_EVENT, FORGOTTEN, TOO_OLD
from gsr.counters.click_batch import ClickBatch
from gsr.counters.config import CounterConfig
from gsr.counters.ids.fingerprint import fingerprint
from gsr.counters.items.decay import exp2_fraction


@dataclass
class Click:
    """A click in a buffer."""

    index: int
    fingerprint: int
    time: float
    event: int
    hash: int


@dataclass
class User:
    """A buffer, oldest click first, and a seen filter, oldest item first."""

    clicks: list[Click] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    source_offset: int = -1
    accepted_at: float = 0.0


@dataclass
class Counter:
    """A decayed sum: one float32 per scale and the half-lives that it is relative to."""

    references: list[int]
    sums: list[np.float32]


@dataclass
class Item:
    """An item's counters and its row of neighbours, oldest slot first."""

    item_id: str
    created_at: float
    last_click: float
    popularity: Counter
    references: list[int] = field(default_factory=list)
    neighbours: dict[int, list[np.float32]] = field(default_factory=dict)


def rounded(value: float) -> np.float32:
    """Return what float32 keeps of a weight; less than the smallest normal one is nothing."""
    return np.float32(value) if value >= 2.0**-126 else np.float32(0.0)


class Reference:
    """The state of a partition."""

    def __init__(self, config: CounterConfig, weights: list[float]) -> None:
        self.config = config
        self.weights = weights
        self.users: dict[str, User] = {}
        self.items: dict[int, Item] = {}
        self.feed: list[tuple[str, int, float, int, float, int]] = []
        self.watermark = -math.inf
        self.next_index = 0
        self.items_removed = 0

    def weight(self, event: int) -> float:
        """Return what an event is worth."""
        return self.weights[event] if event < len(self.weights) else 0.0

    def find(self, item_id: str) -> int | None:
        """Return the index of an item that is there."""
        return next((i for i, item in self.items.items() if item.item_id == item_id), None)

    def apply(self, batch: ClickBatch) -> list[int]:
        """Apply clicks one after another; return their outcomes."""
        return [self.apply_one(batch, i) for i in range(len(batch))]

    def apply_one(self, batch: ClickBatch, i: int) -> int:
        """Apply one click."""
        user_id, item_id = batch.user_ids[i], batch.item_ids[i]
        offset, append_time = int(batch.offsets[i]), float(batch.append_times[i])
        if batch.forget[i]:
            self.users.pop(user_id, None)
            self.feed.append((user_id, -1, 0.0, FORGET_EVENT, append_time, offset))
            return FORGOTTEN
        time, event, hash_ = float(batch.times[i]), int(batch.events[i]), int(batch.hashes[i])
        self.move_watermark(time)
        user = self.users.get(user_id, User())
        if user.clicks and user.clicks[-1].time < self.user_horizon():
            user = User()
            self.users.pop(user_id)
        if any(click.hash == hash_ for click in user.clicks):
            return DUPLICATE
        full = len(user.clicks) == self.config.buffer_length
        if full and time < user.clicks[0].time:
            return TOO_OLD

        index = self.find(item_id)
        if index is None:
            index = self.new_item(item_id)
        position = sum(click.time <= time for click in user.clicks)
        edges = self.edges(user, position, index, time, event)
        user.clicks.insert(position, Click(index, fingerprint(item_id), time, event, hash_))
        if len(user.clicks) > self.config.buffer_length:
            self.evict(user, user.clicks.pop(0).fingerprint)
        user.source_offset, user.accepted_at = offset, append_time
        self.users[user_id] = user
        self.feed.append((user_id, index, time, event, append_time, offset))
        self.count(index, item_id, time, self.weight(event))
        for source, target, weight, at in edges:
            self.add_edge(source, target, weight, at)
        return ACCEPTED

    def user_horizon(self) -> float:
        """Return the time before which a user's newest click means that they are absent."""
        ttl = self.config.user_ttl_seconds
        return -math.inf if ttl is None else self.watermark - ttl

    def move_watermark(self, time: float) -> None:
        """Move the watermark on; items may expire."""
        before, ttl = self.watermark, self.config.item_ttl_seconds
        self.watermark = max(before, time)
        if ttl is None or before in {-math.inf, self.watermark}:
            return
        step = ttl / 16
        if math.floor(self.watermark / step) > math.floor(before / step):
            self.remove(
                [i for i, item in self.items.items() if item.last_click < self.watermark - ttl]
            )

    def new_item(self, item_id: str) -> int:
        """Make room if there is none, then number a new item."""
        if len(self.items) == self.config.max_items:
            oldest = sorted(self.items, key=lambda i: (self.items[i].last_click, i))
            self.remove(oldest[: max(1, self.config.max_items // 16)])
        index = self.next_index
        self.next_index += 1
        self.items[index] = Item(item_id, math.nan, -math.inf, Counter([], []))
        return index

    def remove(self, indexes: list[int]) -> None:
        """Take items out, and every edge to them."""
        for index in indexes:
            del self.items[index]
            for item in self.items.values():
                item.neighbours.pop(index, None)
        self.items_removed += len(indexes)

    def evict(self, user: User, mark: int) -> None:
        """Put an item that left the buffer into the seen filter."""
        if mark in user.seen:
            user.seen.remove(mark)
        user.seen.append(mark)
        del user.seen[: max(0, len(user.seen) - self.config.seen_items)]

    def edges(
        self, user: User, position: int, index: int, time: float, event: int
    ) -> list[tuple[int, int, float, float]]:
        """Return the edges that a click brings: (source, target, weight, time)."""
        if self.weight(event) <= 0:
            return []
        found = []
        later = time
        distance = 0
        for click in reversed(user.clicks[:position]):
            if self.pause(later, click.time) or distance == len(self.config.window_weights):
                break
            later = click.time
            if self.weight(click.event) > 0:
                weight = self.config.window_weights[distance] * self.weight(event)
                found.append((click.index, index, weight, time))
                distance += 1
        earlier = time
        distance = 0
        for click in user.clicks[position:]:
            if self.pause(click.time, earlier) or distance == len(self.config.window_weights):
                break
            earlier = click.time
            if self.weight(click.event) > 0:
                weight = self.config.window_weights[distance] * self.weight(click.event)
                found.append((index, click.index, weight, click.time))
                distance += 1
        return [edge for edge in found if edge[0] != edge[1] and self.both_known(edge)]

    def both_known(self, edge: tuple[int, int, float, float]) -> bool:
        """Tell whether both ends are still there."""
        return edge[0] in self.items and edge[1] in self.items

    def pause(self, later: float, earlier: float) -> bool:
        """Tell whether the time between two clicks ends the window."""
        gap = self.config.session_gap_seconds
        return gap is not None and later - earlier > gap

    def split(self, time: float) -> tuple[list[int], list[float]]:
        """Return a time in whole half-lives, and two to the power of what is left."""
        ages = [time / half_life for half_life in self.config.half_lives]
        wholes = [math.floor(age) for age in ages]
        return wholes, [exp2_fraction(age - w) for age, w in zip(ages, wholes, strict=True)]

    def count(self, index: int, item_id: str, time: float, weight: float) -> None:
        """Add a click to an item's own counters."""
        item = self.items[index]
        wholes, fractions = self.split(time)
        if math.isnan(item.created_at):
            item.created_at = time
            item.popularity = Counter(wholes, [np.float32(0.0)] * len(wholes))
        item.last_click = max(item.last_click, time)
        if weight <= 0:
            return
        counter = item.popularity
        for s, (whole, fraction) in enumerate(zip(wholes, fractions, strict=True)):
            if whole - counter.references[s] >= 32:
                moved = float(counter.sums[s]) * 2.0 ** max(-900, counter.references[s] - whole)
                counter.sums[s], counter.references[s] = rounded(moved), whole
            shift = 2.0 ** max(-900, whole - counter.references[s])
            counter.sums[s] += rounded(weight * fraction * shift)

    def add_edge(self, source: int, target: int, weight: float, time: float) -> None:
        """Add to an edge on every scale."""
        item = self.items[source]
        wholes, fractions = self.split(time)
        if not item.neighbours:
            item.references = list(wholes)
        if target not in item.neighbours:
            if len(item.neighbours) == 2 * self.config.neighbours:
                self.trim(item)
            item.neighbours[target] = [np.float32(0.0)] * len(wholes)
        for s, (whole, fraction) in enumerate(zip(wholes, fractions, strict=True)):
            if whole - item.references[s] >= 32:
                factor = 2.0 ** max(-900, item.references[s] - whole)
                for weights in item.neighbours.values():
                    weights[s] = rounded(float(weights[s]) * factor)
                item.references[s] = whole
            shift = 2.0 ** max(-900, whole - item.references[s])
            item.neighbours[target][s] += rounded(weight * fraction * shift)

    def trim(self, item: Item) -> None:
        """Keep each scale's heaviest neighbours; of equals the newer ones."""
        slots = list(item.neighbours)
        kept = set()
        for s in range(len(item.references)):
            by_weight = sorted(slots, key=lambda n: (item.neighbours[n][s], slots.index(n)))
            kept.update(by_weight[-self.config.kept_per_scale :])
        item.neighbours = {n: item.neighbours[n] for n in slots if n in kept}

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


@dataclass
class Pair:
    """A new click and another one: the edge from one's item to the other's, and how close they are.

    `edge` and `close` are weights; 0: none.
    """

    other: int
    source: int
    edge: float
    close: float
    time: float


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
        pairs = self.pairs(user, position, index, time, event)
        scales = range(len(self.config.half_lives))
        close_scales = range(len(scales), len(scales) + len(self.config.close_half_lives))
        user.clicks.insert(position, Click(index, fingerprint(item_id), time, event, hash_))
        if len(user.clicks) > self.config.buffer_length:
            self.evict(user, user.clicks.pop(0).fingerprint)
        user.source_offset, user.accepted_at = offset, append_time
        self.users[user_id] = user
        self.feed.append((user_id, index, time, event, append_time, offset))
        self.count(index, item_id, time, self.weight(event))
        for pair in pairs:
            for here, there in ((pair.other, index), (index, pair.other)):
                if pair.edge > 0 and here == pair.source:
                    self.add_weight(here, there, pair.edge, pair.time, scales)
                if pair.close > 0:
                    self.add_weight(here, there, pair.close, pair.time, close_scales)
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

    def pairs(self, user: User, position: int, index: int, time: float, event: int) -> list[Pair]:
        """Return what a click and each of those around it bring each other."""
        if self.weight(event) <= 0:
            return []
        window = self.config.window_weights
        found = []
        for forward in (False, True):
            side = user.clicks[position:] if forward else user.clicks[:position][::-1]
            nearer, distance = time, 0
            for click in side:
                if self.pause(max(click.time, nearer), min(click.time, nearer)):
                    break
                nearer = click.time
                if self.weight(click.event) <= 0:
                    continue
                later = self.weight(click.event if forward else event)
                source = index if forward else click.index
                edge = window[distance] * later if distance < len(window) else 0.0
                close = later if distance < self.config.close_clicks else 0.0
                at = click.time if forward else time
                if click.index != index and click.index in self.items and max(edge, close) > 0:
                    found.append(Pair(click.index, source, edge, close, at))
                distance += 1
        return found

    def pause(self, later: float, earlier: float) -> bool:
        """Tell whether the time between two clicks ends the window."""
        gap = self.config.session_gap_seconds
        return gap is not None and later - earlier > gap

    def split(self, time: float) -> tuple[list[int], list[float]]:
        """Return a time in whole half-lives, and two to the power of what is left."""
        half_lives = (*self.config.half_lives, *self.config.close_half_lives)
        ages = [time / half_life for half_life in half_lives]
        wholes = [math.floor(age) for age in ages]
        return wholes, [exp2_fraction(age - w) for age, w in zip(ages, wholes, strict=True)]

    def count(self, index: int, item_id: str, time: float, weight: float) -> None:
        """Add a click to an item's own counters."""
        item = self.items[index]
        wholes, fractions = self.split(time)
        if math.isnan(item.created_at):
            scales = len(self.config.half_lives)
            item.created_at = time
            item.popularity = Counter(wholes[:scales], [np.float32(0.0)] * scales)
        item.last_click = max(item.last_click, time)
        if weight <= 0:
            return
        counter = item.popularity
        for s in range(len(counter.sums)):
            whole, fraction = wholes[s], fractions[s]
            if whole - counter.references[s] >= 32:
                moved = float(counter.sums[s]) * 2.0 ** max(-900, counter.references[s] - whole)
                counter.sums[s], counter.references[s] = rounded(moved), whole
            shift = 2.0 ** max(-900, whole - counter.references[s])
            counter.sums[s] += rounded(weight * fraction * shift)

    def add_weight(
        self, source: int, target: int, weight: float, time: float, columns: range
    ) -> None:
        """Add to some of a neighbour's weights."""
        item = self.items[source]
        wholes, fractions = self.split(time)
        if not item.neighbours:
            item.references = list(wholes)
        if target not in item.neighbours:
            if len(item.neighbours) == 2 * self.config.neighbours:
                self.trim(item)
            item.neighbours[target] = [np.float32(0.0)] * len(wholes)
        for s in columns:
            whole, fraction = wholes[s], fractions[s]
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

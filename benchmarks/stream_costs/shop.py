"""Clicks in made-up shops of any size, which differ in nothing but how large they are.

A shop has as many users as items; a larger one has more tastes, each of as many items. So what
happens around a user or an item is alike in all of them: clicks per user, clicks per item,
neighbours in the item graph, repeats. A user's next click follows from the last item
(`FOLLOW_SHARE`), else is on the user's taste (`TASTE_SHARE` of the rest), else on any taste. Within
a taste items are popular by Zipf's law; tastes and users are, by a flatter one.

The simulator of `stream.events.simulator` looks at all items anew for every stretch of its time:
too slow for a million of them and ten million clicks.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.click_batch import ClickBatch
from gsr.counters.ids.id_column import IdColumn

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TASTE_ITEMS: Final = 500
FOLLOWERS: Final = 3
FOLLOW_SHARE: Final = 0.35
TASTE_SHARE: Final = 0.85
ITEM_EXPONENT: Final = 0.9
TASTE_EXPONENT: Final = 0.3
USER_EXPONENT: Final = 0.3
START_TIME: Final = 1_700_000_000.0
SECONDS_BETWEEN_CLICKS: Final = 100_000.0
"""Of one user, on average: a shop of 100,000 users has a click a second."""

NOTHING: Final = -1


class Shop:
    """An endless stream of clicks, in order of time; the same seed makes the same one.

    Parameters
    ----------
    size
        Users, and items; a multiple of `TASTE_ITEMS`.
    seed
        Draws everything.

    Attributes
    ----------
    time
        Of the newest click, seconds since the epoch.

    Raises
    ------
    ValueError
        The size is no such multiple.

    Examples
    --------
    >>> shop = Shop(1000, seed=0)
    >>> [len(batch) for batch in shop.batches(1000, rows=400)]
    [400, 400, 200]
    """

    def __init__(self, size: int, seed: int) -> None:
        if size < TASTE_ITEMS or size % TASTE_ITEMS:
            raise ValueError(f"a shop of {size} items: give a multiple of {TASTE_ITEMS}")
        self.size = size
        self._rng = rng = np.random.default_rng(seed)
        self._tastes = size // TASTE_ITEMS
        self._taste_chances = _cumulative(self._tastes, TASTE_EXPONENT)
        self._item_chances = _cumulative(TASTE_ITEMS, ITEM_EXPONENT)
        self._user_chances = _cumulative(size, USER_EXPONENT)
        self._user_tastes = _drawn(self._taste_chances, rng.random(size))
        # Neither popular items nor busy users lie beside each other in memory.
        self._item_of = rng.permutation(size)
        self._user_of = rng.permutation(size)
        self._followers = rng.integers(TASTE_ITEMS, size=(size, FOLLOWERS))
        self._last = np.full(size, NOTHING)
        self.time = START_TIME
        self._clicks = 0

    def batches(self, clicks: int, rows: int) -> Iterator[ClickBatch]:
        """Yield the next clicks, `rows` at a time; a second call goes on where the first ended."""
        for start in range(0, clicks, rows):
            yield self._batch(min(rows, clicks - start))

    def histories(self, users: int, clicks: int) -> tuple[Ints, Ints]:
        """Return what some users click next, nobody else meanwhile; it stays unknown to the stream.

        Returns
        -------
        users
            int64 [users], their numbers.
        items
            int64 [users, clicks], in order.
        """
        chosen = self._rng.choice(self.size, users, replace=False)
        last = self._last[chosen]
        items = np.empty((users, clicks), np.int64)
        for step in range(clicks):
            last = items[:, step] = self._next(chosen, last)
        return self._user_of[chosen], self._item_of[items]

    def _batch(self, rows: int) -> ClickBatch:
        rng = self._rng
        users = _drawn(self._user_chances, rng.random(rows))
        items = np.empty(rows, np.int64)
        for turn in _turns(users):
            items[turn] = self._next(users[turn], self._last[users[turn]])
            self._last[users[turn]] = items[turn]
        gap = SECONDS_BETWEEN_CLICKS / self.size
        times = self.time + np.cumsum(rng.exponential(gap, rows))
        first = self._clicks
        self.time, self._clicks = float(times[-1]), first + rows
        offsets = np.arange(first, first + rows)
        return ClickBatch(
            user_ids=IdColumn.of([f"u{user}" for user in self._user_of[users].tolist()]),
            item_ids=IdColumn.of([f"i{item}" for item in self._item_of[items].tolist()]),
            times=times,
            events=np.zeros(rows, np.uint8),
            hashes=offsets.astype(np.uint64) + np.uint64(1),
            forget=np.zeros(rows, np.bool_),
            offsets=offsets,
            append_times=times,
        )

    def _next(self, users: Ints, last: Ints) -> Ints:
        """Return the next item of each of some users, int64 [n], after their last ones."""
        rng, count = self._rng, len(users)
        own = rng.random(count) < TASTE_SHARE
        others = _drawn(self._taste_chances, rng.random(count))
        tastes = np.where(own, self._user_tastes[users], others)
        items = tastes * TASTE_ITEMS + _drawn(self._item_chances, rng.random(count))
        follows = (rng.random(count) < FOLLOW_SHARE) & (last != NOTHING)
        step = rng.integers(FOLLOWERS, size=count)
        after = last // TASTE_ITEMS * TASTE_ITEMS + self._followers[last, step]
        return np.where(follows, after, items)


def _cumulative(count: int, exponent: float) -> Floats:
    """Return float64 [count], the chances of Zipf's law, added up."""
    weights = np.cumsum(np.arange(1, count + 1) ** -exponent)
    chances: Floats = weights / weights[-1]
    return chances


def _drawn(chances: Floats, draws: Floats) -> Ints:
    """Return what draws from 0 to 1 stand for."""
    return np.minimum(np.searchsorted(chances, draws, side="right"), len(chances) - 1)


def _turns(users: Ints) -> Iterator[npt.NDArray[np.intp]]:
    """Yield rows in which nobody is twice: everybody's first click, everybody's second, ..."""
    order = np.argsort(users, kind="stable")
    found = users[order]
    starts = np.flatnonzero(np.r_[True, found[1:] != found[:-1]])
    sizes = np.diff(np.r_[starts, len(found)])
    for number in range(int(sizes.max(initial=0))):
        yield order[starts[sizes > number] + number]

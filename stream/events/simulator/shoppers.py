"""The simulator: a seeded stream of clicks with known tastes, drift and new items."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from stream.events.clicks.event_columns import EventColumns
from stream.events.simulator.config import SimulatorConfig
from stream.events.simulator.truth import Floats, Ints, SimulatorTruth

_LONGEST_SESSION: Final = 50
_CLICKS_PER_WINDOW: Final = 20_000
_LONGEST_WINDOW_SECONDS: Final = 600.0
_SECONDS_PER_HOUR: Final = 3600.0


class Simulator:
    """Shoppers come, click through sessions and go; an endless stream in time order.

    A session's first click, and later ones that do not follow from the click before, choose an
    item by popularity, mostly within the shopper's taste of the time; the others take one of the
    last item's followers. Clicks of one session know the shop as it was around the session's
    start. `truth` tells what the shop is like at any time that the stream has reached.

    Parameters
    ----------
    config
        What the shop is like.
    rng
        Draws everything: the same seed makes the same stream.

    Examples
    --------
    >>> simulator = Simulator(SimulatorConfig(), np.random.default_rng(1))
    >>> [len(events) for events in simulator.events(25_000)]
    [10000, 10000, 5000]
    """

    def __init__(self, config: SimulatorConfig, rng: np.random.Generator) -> None:
        self.config = config
        self.truth = SimulatorTruth(config, rng)
        self._rng = rng
        self._time = config.start_time
        self._next_drift = config.start_time + (config.drift_interval_seconds or np.inf)
        self._activity = np.cumsum(self.truth.user_activity)
        # The mean of a geometric length that is cut at the longest session.
        chance = 1 / config.clicks_per_session
        mean_length = (1 - (1 - chance) ** _LONGEST_SESSION) / chance
        self._sessions_per_second = config.clicks_per_second / mean_length
        names, shares = zip(*config.event_shares.items(), strict=True)
        self._event_names = list(names)
        self._event_shares = np.cumsum(shares) / sum(shares)
        self._ready = _Clicks.joined([])
        self._later = _Clicks.joined([])

    def events(self, count: int | None = None, batch_rows: int = 10_000) -> Iterator[EventColumns]:
        """Yield the next events in time order; a second call goes on where the first stopped.

        Parameters
        ----------
        count
            How many; None: without end.
        batch_rows
            Rows per batch.
        """
        left = count
        while left is None or left > 0:
            rows = batch_rows if left is None else min(batch_rows, left)
            batch = self._take(rows)
            left = None if left is None else left - rows
            yield self._columns(batch)

    def _take(self, rows: int) -> "_Clicks":
        """Return the next `rows` clicks, simulating as much as that needs."""
        parts, found = [self._ready], len(self._ready)
        while found < rows:
            parts.append(self._simulate_window())
            found += len(parts[-1])
        clicks = _Clicks.joined(parts)
        self._ready = clicks.at(slice(rows, None))
        return clicks.at(slice(rows))

    def _columns(self, clicks: "_Clicks") -> EventColumns:
        truth, names = self.truth, self._event_names
        no_ids: list[str | None] = [None] * len(clicks)
        return EventColumns(
            user_ids=[truth.user_ids[user] for user in clicks.users.tolist()],
            item_ids=[truth.item_ids[item] for item in clicks.items.tolist()],
            times=clicks.times,
            events=[names[event] for event in clicks.events.tolist()],
            event_ids=no_ids,
        )

    def _simulate_window(self) -> "_Clicks":
        """Simulate a stretch of time in which the shop does not change; return its clicks."""
        config, rng, start = self.config, self._rng, self._time
        length = min(_CLICKS_PER_WINDOW / config.clicks_per_second, _LONGEST_WINDOW_SECONDS)
        stop = min(start + length, self._next_drift)
        sessions = rng.poisson(self._sessions_per_second * (stop - start))
        begun = self._simulate_sessions(rng.uniform(start, stop, sessions))
        clicks = _Clicks.joined([self._later, begun])
        clicks = clicks.at(np.argsort(clicks.times, kind="stable"))
        cut = int(np.searchsorted(clicks.times, np.round(stop, 3)))
        self._later = clicks.at(slice(cut, None))
        births = rng.poisson(config.new_items_per_hour * (stop - start) / _SECONDS_PER_HOUR)
        self.truth.add_items(
            np.sort(rng.uniform(start, stop, births)),
            rng.integers(config.tastes, size=births),
            rng,
        )
        self._time = stop
        if stop == self._next_drift:
            self.truth.change(stop, rng)
            # A drift interval is never None here: without one there is no next drift.
            self._next_drift += config.drift_interval_seconds or np.inf
        return clicks.at(slice(cut))

    def _simulate_sessions(self, times: Floats) -> "_Clicks":
        """Return all clicks of sessions that begin at `times`, click by click of all sessions."""
        config, rng = self.config, self._rng
        shop = _Shop(self.truth, self._time)
        users = np.searchsorted(self._activity, rng.random(len(times)) * self._activity[-1])
        lengths = rng.geometric(1 / config.clicks_per_session, len(times))
        lengths = np.minimum(lengths, _LONGEST_SESSION)
        # Longest first: the sessions still going on are then always the first ones.
        order = np.argsort(-lengths, kind="stable")
        users, times, lengths = users[order], times[order], lengths[order]
        tastes = shop.user_tastes[users]
        items: Ints = np.empty(0, dtype=np.int64)
        parts = []
        for position in range(int(lengths[0]) if len(lengths) else 0):
            going = int(np.searchsorted(-lengths, -position, side="left"))
            chosen = shop.choose(tastes[:going], config.taste_strength, rng)
            if position:
                times = times[:going] + rng.exponential(config.seconds_between_clicks, going)
                follows = rng.random(going) < config.follow_share
                step = rng.integers(config.followers, size=going)
                chosen = np.where(follows, shop.followers[items[:going], step], chosen)
            items = chosen
            events = np.searchsorted(self._event_shares, rng.random(going), side="right")
            parts.append(_Clicks(users[:going], items, np.round(times, 3), events))
        return _Clicks.joined(parts)


@dataclass(frozen=True, slots=True)
class _Clicks:
    """Clicks by number of user, item and event name, column by column."""

    users: Ints
    items: Ints
    times: Floats
    events: Ints

    def __len__(self) -> int:
        return len(self.times)

    def at(self, rows: slice | npt.NDArray[np.intp]) -> "_Clicks":
        """Return some of the rows."""
        return _Clicks(self.users[rows], self.items[rows], self.times[rows], self.events[rows])

    @staticmethod
    def joined(parts: "list[_Clicks]") -> "_Clicks":
        """Return all rows of all parts."""
        none = np.empty(0, dtype=np.int64)
        return _Clicks(
            np.concatenate([none, *(part.users for part in parts)]),
            np.concatenate([none, *(part.items for part in parts)]),
            np.concatenate([np.empty(0), *(part.times for part in parts)]),
            np.concatenate([none, *(part.events for part in parts)]),
        )


class _Shop:
    """The truth of one moment, laid out for fast choices.

    Parameters
    ----------
    truth
        The truth of all times.
    time
        The moment.
    """

    def __init__(self, truth: SimulatorTruth, time: float) -> None:
        self.user_tastes = truth.user_tastes(time)
        self.followers = truth.followers(time)
        popularity = truth.item_popularity(time)
        # Items by taste, so that a taste is one stretch of the running sum, and all are the whole.
        self._order = np.argsort(truth.item_tastes, kind="stable")
        self._sums = np.concatenate([[0.0], np.cumsum(popularity[self._order])])
        sizes = np.bincount(truth.item_tastes)
        ends = np.cumsum(sizes)
        self._low, self._high = self._sums[ends - sizes], self._sums[ends]

    def choose(self, tastes: Ints, strength: float, rng: np.random.Generator) -> Ints:
        """Return int64 [n], an item for each of n shoppers with these tastes.

        Parameters
        ----------
        tastes
            int64 [n].
        strength
            How often the item is of the taste; else of any.
        rng
            Draws the items.
        """
        own = rng.random(len(tastes)) < strength
        low = np.where(own, self._low[tastes], 0.0)
        high = np.where(own, self._high[tastes], self._sums[-1])
        drawn = low + rng.random(len(tastes)) * (high - low)
        # Rounding may reach the end, which belongs to the next stretch.
        drawn = np.minimum(drawn, np.nextafter(high, 0.0))
        # The item whose stretch holds the draw; unborn items have stretches of no length.
        stretch = np.searchsorted(self._sums, drawn, side="right") - 1
        return np.asarray(self._order[stretch], dtype=np.int64)

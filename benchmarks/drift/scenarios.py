"""Made-up streams of clicks that change at known moments.

The simulator of `stream.events.simulator` changes at even intervals and never back, so that what
is wanted here is drawn anew: one shop, of which every scenario shares users, times and chances.
A user's next click follows from the last item (`FOLLOW_SHARE`), else is on the user's taste
(`TASTE_SHARE` of the rest), else on any taste; within a taste items are popular by Zipf's law.
The shop has two regimes: in the second, `CHANGED_USERS` of the users have another taste, and the
items of every taste are popular in another order; which item follows which stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

USERS: Final = 2_000
TASTES: Final = 20
TASTE_ITEMS: Final = 100
ITEMS: Final = TASTES * TASTE_ITEMS
FOLLOWERS: Final = 3
FOLLOW_SHARE: Final = 0.35
TASTE_SHARE: Final = 0.85
ZIPF_EXPONENT: Final = 0.9
ACTIVITY_EXPONENT: Final = 0.5
CHANGED_USERS: Final = 0.8
DAY_SECONDS: Final = 86_400.0
DAYS: Final = 14.0
START_TIME: Final = 1_700_000_000.0

CHANGE_AT: Final = 0.5
"""Share of the stream after which it changes, where it changes once."""

GRADUAL_SHARE: Final = 0.1
RECURRING_SHARES: Final = (0.4, 0.6, 0.8)
WAVE_SHARES: Final = (0.4, 0.55, 0.7, 0.85)
WAVE_ITEMS: Final = 0.5
"""Share of the items that a wave replaces by new ones."""

FARM_SHARE: Final = 0.01
FARM_USERS: Final = 5
FARM_ITEMS: Final = 10


@dataclass(frozen=True, slots=True)
class Change:
    """One true change.

    Parameters
    ----------
    start, end
        Clicks, by number from 0: the first that may differ, and the first that comes when the
        change is complete; equal where it comes at once.
    """

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stream:
    """Clicks in order of time, n of them, and the truth about them.

    Parameters
    ----------
    users, items
        int64 [n].
    times
        float64 [n], seconds since the epoch.
    honest
        bool [n], not a click of the farm.
    changes
        True changes, in order.
    """

    users: Ints
    items: Ints
    times: Floats
    honest: npt.NDArray[np.bool_]
    changes: tuple[Change, ...]

    def __len__(self) -> int:
        return len(self.users)


@dataclass(frozen=True, slots=True)
class _Chances:
    """What every scenario of one seed shares; n clicks.

    Parameters
    ----------
    users
        int64 [n].
    draws
        float64 [n, 5], from 0 to 1: follow, taste, other taste, item, regime.
    gaps
        float64 [n], pauses before the clicks, of mean 1.
    tastes
        int64 [2, USERS], of a regime's users.
    order
        int64 [2, TASTES, TASTE_ITEMS], a regime's items by taste, most popular first.
    followers
        int64 [ITEMS, FOLLOWERS].
    patience
        float64 [USERS], from 0 to 1: how late in a gradual change a user takes part in it.
    """

    users: Ints
    draws: Floats
    gaps: Floats
    tastes: Ints
    order: Ints
    followers: Ints
    patience: Floats


def make_stream(scenario: str, clicks: int, seed: int) -> Stream:
    """Return a scenario's stream; the same seed makes the same one.

    Parameters
    ----------
    scenario
        A name of `SCENARIOS`.
    clicks
        How many honest ones; the farm's come on top.
    seed
        Scenarios of one seed are the same clicks until they begin to differ.

    Examples
    --------
    >>> stream = make_stream("abrupt", 1000, 0)
    >>> len(stream), stream.changes
    (1000, (Change(start=500, end=500),))
    """
    return SCENARIOS[scenario](clicks, seed)


def _chances(clicks: int, seed: int) -> _Chances:
    rng = np.random.default_rng(seed)
    activity = np.arange(1, USERS + 1) ** -ACTIVITY_EXPONENT
    first = rng.integers(TASTES, size=USERS)
    changed = rng.random(USERS) < CHANGED_USERS
    step = rng.integers(1, TASTES, size=USERS)
    second = np.where(changed, (first + step) % TASTES, first)
    by_taste = np.arange(ITEMS).reshape(TASTES, TASTE_ITEMS)
    order = np.stack([rng.permuted(by_taste, axis=1), rng.permuted(by_taste, axis=1)])
    own_taste = np.arange(ITEMS)[:, None] // TASTE_ITEMS * TASTE_ITEMS
    return _Chances(
        users=rng.choice(USERS, size=clicks, p=activity / activity.sum()),
        draws=rng.random((clicks, 5)),
        gaps=rng.exponential(size=clicks),
        tastes=np.stack([first, second]),
        order=order,
        followers=own_taste + rng.integers(TASTE_ITEMS, size=(ITEMS, FOLLOWERS)),
        patience=rng.random(USERS),
    )


def _walk(chances: _Chances, regime: Ints) -> Ints:
    """Return int64 [n], the clicked items, where int64 [n] regimes hold; users' k-th at a time."""
    users, draws = chances.users, chances.draws
    weights = np.cumsum(np.arange(1, TASTE_ITEMS + 1) ** -ZIPF_EXPONENT)
    places = np.searchsorted(weights / weights[-1], draws[:, 3], side="right")
    places = np.minimum(places, TASTE_ITEMS - 1)
    own = draws[:, 1] < TASTE_SHARE
    any_taste = (draws[:, 2] * TASTES).astype(np.int64)
    tastes = np.where(own, chances.tastes[regime, users], any_taste)
    items: Ints = chances.order[regime, tastes, places]
    follows = draws[:, 0] < FOLLOW_SHARE
    steps = (draws[:, 2] * FOLLOWERS).astype(np.int64)
    by_user = np.argsort(users, kind="stable")
    sizes = np.bincount(users, minlength=USERS)
    starts = np.cumsum(sizes) - sizes
    for number in range(1, int(sizes.max(initial=0))):
        rows = by_user[starts[sizes > number] + number]
        rows = rows[follows[rows]]
        before = by_user[starts[users[rows]] + number - 1]
        items[rows] = chances.followers[items[before], steps[rows]]
    return items


def _even_times(chances: _Chances) -> Floats:
    passed = np.cumsum(chances.gaps)
    times: Floats = START_TIME + passed / passed[-1] * DAYS * DAY_SECONDS
    return times


def _honest(
    chances: _Chances, regime: Ints, changes: tuple[Change, ...], times: Floats | None = None
) -> Stream:
    if times is None:
        times = _even_times(chances)
    honest = np.ones(len(times), dtype=np.bool_)
    return Stream(chances.users, _walk(chances, regime), times, honest, changes)


def _stationary(clicks: int, seed: int) -> Stream:
    """Return a stream that never changes."""
    return _honest(_chances(clicks, seed), np.zeros(clicks, np.int64), ())


def _abrupt(clicks: int, seed: int) -> Stream:
    """Return a stream whose regime changes at once."""
    start = round(CHANGE_AT * clicks)
    regime = (np.arange(clicks) >= start).astype(np.int64)
    return _honest(_chances(clicks, seed), regime, (Change(start, start),))


def _gradual(clicks: int, seed: int) -> Stream:
    """Return a stream whose users change to the second regime one by one."""
    chances = _chances(clicks, seed)
    start, length = round(CHANGE_AT * clicks), round(GRADUAL_SHARE * clicks)
    progress = (np.arange(clicks) - start) / length
    regime = (progress > chances.patience[chances.users]).astype(np.int64)
    return _honest(chances, regime, (Change(start, start + length),))


def _recurring(clicks: int, seed: int) -> Stream:
    """Return a stream in which both regimes take turns."""
    starts = np.array([round(share * clicks) for share in RECURRING_SHARES])
    turns = np.searchsorted(starts, np.arange(clicks), side="right")
    changes = tuple(Change(start, start) for start in starts.tolist())
    return _honest(_chances(clicks, seed), turns % 2, changes)


def _waves(clicks: int, seed: int) -> Stream:
    """Return a stream in which new items, as popular, take the place of many at a time."""
    same = _stationary(clicks, seed)
    rng = np.random.default_rng((seed, 1))
    starts = np.array([round(share * clicks) for share in WAVE_SHARES])
    replaced = rng.random((len(starts), ITEMS)) < WAVE_ITEMS
    newest = np.zeros((len(starts) + 1, ITEMS), dtype=np.int64)
    for wave in range(1, len(newest)):
        newest[wave] = np.where(replaced[wave - 1], wave, newest[wave - 1])
    waves = np.searchsorted(starts, np.arange(clicks), side="right")
    items = same.items + ITEMS * newest[waves, same.items]
    changes = tuple(Change(start, start) for start in starts.tolist())
    return Stream(same.users, items, same.times, same.honest, changes)


def _seasons(clicks: int, seed: int) -> Stream:
    """Return a stream of busy days and quiet nights, with other tastes then and at weekends."""
    chances = _chances(clicks, seed)
    grid = np.linspace(0.0, DAYS, 24 * 60 + 1)
    volume = 1.0 - 0.8 * np.cos(2 * np.pi * grid)
    volume *= np.where(grid % 7.0 >= 5.0, 0.6, 1.0)
    busy = np.cumsum(volume) - volume[0]
    passed = np.cumsum(chances.gaps)
    days = np.interp(passed / passed[-1], busy / busy[-1], grid)
    second = 0.4 - 0.4 * np.sin(2 * np.pi * days) + 0.2 * (days % 7.0 >= 5.0)
    regime = (chances.draws[:, 4] < second).astype(np.int64)
    return _honest(chances, regime, (), START_TIME + days * DAY_SECONDS)


def _click_farm(clicks: int, seed: int) -> Stream:
    """Return the stationary stream, among whose clicks a few users' on ten items are strewn."""
    same = _stationary(clicks, seed)
    rng = np.random.default_rng((seed, 2))
    start = round(CHANGE_AT * clicks)
    count = round((clicks - start) * FARM_SHARE / (1.0 - FARM_SHARE))
    times = rng.uniform(same.times[start], same.times[-1], count)
    items = rng.choice(ITEMS, FARM_ITEMS, replace=False)
    order = np.argsort(np.concatenate((same.times, times)), kind="stable")
    return Stream(
        users=np.concatenate((same.users, USERS + rng.integers(FARM_USERS, size=count)))[order],
        items=np.concatenate((same.items, rng.choice(items, count)))[order],
        times=np.concatenate((same.times, times))[order],
        honest=order < clicks,
        changes=(Change(start, start),),
    )


SCENARIOS: Final[dict[str, Callable[[int, int], Stream]]] = {
    "stationary": _stationary,
    "abrupt": _abrupt,
    "gradual": _gradual,
    "recurring": _recurring,
    "waves": _waves,
    "seasons": _seasons,
    "click-farm": _click_farm,
}
"""By name; `stationary` is the unchanged twin of all others."""

"""The hidden state of the simulated shop: tastes, popularity and followers at any time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stream.events.simulator.config import SimulatorConfig

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Half-lives past which age makes no more difference, so that no weight becomes zero.
_OLDEST_HALF_LIVES = 60.0


@dataclass(frozen=True, slots=True)
class Drift:
    """A sudden change.

    Parameters
    ----------
    time
        When, seconds since the epoch.
    user_tastes
        int64 [users], each shopper's taste from then on.
    item_appeal
        float64 [items born before], each item's appeal from then on, age left aside.
    """

    time: float
    user_tastes: Ints
    item_appeal: Floats


class SimulatorTruth:
    """Everything that the simulator knows and that a recommender must find out.

    Shoppers and items are numbered; number n of `user_ids` and `item_ids` is its id. Each taste's
    items lie on a ring, at fixed places; an item's followers are the next ones on the ring, so
    that a new item both follows and is followed from its birth on.

    Parameters
    ----------
    config
        The simulator's settings.
    rng
        Draws everything that is true at the start.

    Attributes
    ----------
    user_ids, item_ids
        Ids by number; items grow.
    user_activity
        float64 [users], relative.
    item_tastes
        int64 [items], the taste that an item belongs to.
    item_births
        float64 [items], when it appeared; for the first ones at or before the start.
    item_places
        float64 [items], its place on its taste's ring, 0 to 1.
    drifts
        All changes so far, oldest first; the first is the state at the start.
    """

    def __init__(self, config: SimulatorConfig, rng: np.random.Generator) -> None:
        self._config = config
        self.user_ids = [f"user-{number}" for number in range(config.users)]
        self.user_activity = _power_law(config.users, config.activity_exponent, rng)
        self.item_ids: list[str] = []
        self.item_tastes: Ints = np.empty(0, dtype=np.int64)
        self.item_births: Floats = np.empty(0)
        self.item_places: Floats = np.empty(0)
        self._first_appeal: Floats = np.empty(0)
        # The first items are of all ages, so that age means the same from the start.
        oldest = 3 * (config.item_half_life_seconds or 0.0)
        births = config.start_time - rng.uniform(0.0, 1.0, config.items) * oldest
        tastes = np.arange(config.items) % config.tastes
        self.add_items(births, tastes, rng)
        start_tastes = rng.integers(config.tastes, size=config.users)
        self.drifts = [Drift(-np.inf, start_tastes, self._first_appeal)]

    def user_tastes(self, time: float) -> Ints:
        """Return int64 [users], the taste of each shopper at `time`."""
        return self._drift_at(time).user_tastes

    def item_popularity(self, time: float) -> Floats:
        """Return float64 [items], how popular each item is at `time`, relative; 0 before birth."""
        known = self._drift_at(time).item_appeal
        appeal = np.concatenate([known, self._first_appeal[len(known) :]])
        half_life = self._config.item_half_life_seconds
        born = self.item_births <= time
        if half_life is not None and born.any():
            # All items age alike, so only differences of age matter.
            newest = self.item_births[born].max()
            younger = np.maximum((self.item_births - newest) / half_life, -_OLDEST_HALF_LIVES)
            appeal = appeal * np.exp2(np.minimum(younger, 0.0))
        return np.where(born, appeal, 0.0)

    def followers(self, time: float) -> Ints:
        """Return int64 [items, followers], what may follow each item at `time`.

        The rows of items that are not born yet mean nothing; small tastes repeat items.
        """
        born = np.flatnonzero(self.item_births <= time)
        tastes = self.item_tastes[born]
        ring = born[np.lexsort((self.item_places[born], tastes))]
        sizes = np.bincount(tastes, minlength=self._config.tastes)
        starts = np.cumsum(sizes) - sizes
        taste_of_ring = self.item_tastes[ring]
        place = np.arange(len(ring)) - starts[taste_of_ring]
        steps = np.arange(1, self._config.followers + 1)
        after = (place[:, None] + steps) % sizes[taste_of_ring][:, None]
        followers = np.zeros((len(self.item_ids), len(steps)), dtype=np.int64)
        followers[ring] = ring[starts[taste_of_ring][:, None] + after]
        return followers

    def add_items(
        self, births: Floats, tastes: Sequence[int] | Ints, rng: np.random.Generator
    ) -> None:
        """Let items appear; only the simulator calls this.

        Parameters
        ----------
        births
            float64 [n], when; seconds since the epoch.
        tastes
            n tastes.
        rng
            Draws the rest.
        """
        count = len(births)
        known = len(self.item_ids)
        self.item_ids += [f"item-{number}" for number in range(known, known + count)]
        # Down to the millisecond, because clicks are rounded to it and come no earlier.
        self.item_births = np.concatenate([self.item_births, np.floor(births * 1e3) / 1e3])
        self.item_tastes = np.concatenate([self.item_tastes, np.asarray(tastes, dtype=np.int64)])
        self.item_places = np.concatenate([self.item_places, rng.random(count)])
        appeal = _power_law(count, self._config.popularity_exponent, rng)
        self._first_appeal = np.concatenate([self._first_appeal, appeal])

    def change(self, time: float, rng: np.random.Generator) -> None:
        """Let tastes and popularity change at `time`; only the simulator calls this."""
        config = self._config
        tastes = self.drifts[-1].user_tastes
        moved = rng.random(config.users) < config.drift_share
        # One to all but one steps on: always another taste, where there is another.
        steps = rng.integers(1, max(config.tastes, 2), size=config.users)
        known = self.drifts[-1].item_appeal
        appeal = np.concatenate([known, self._first_appeal[len(known) :]])
        changed = rng.random(len(appeal)) < config.drift_share
        redrawn = _power_law(len(appeal), config.popularity_exponent, rng)
        self.drifts.append(
            Drift(
                time,
                np.where(moved, (tastes + steps) % config.tastes, tastes),
                np.where(changed, redrawn, appeal),
            )
        )

    def _drift_at(self, time: float) -> Drift:
        return next(drift for drift in reversed(self.drifts) if drift.time <= time)


def _power_law(count: int, exponent: float, rng: np.random.Generator) -> Floats:
    """Return float64 [count], weights; the k-th largest is about ``(count/k)**exponent``."""
    return np.asarray((1.0 - rng.random(count)) ** -exponent)

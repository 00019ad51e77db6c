"""Batches of users' clicks to learn from. Imports no torch."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.interactions import Interactions
from gsr.learning.history_windows import Windows, pack_windows

SORTED_BATCHES: Final = 16
"""Users of so many batches are sorted by length, so that little of a batch is padding."""


class UserBatches:
    """Batches of every user's newest learned clicks that have a successor.

    Parameters
    ----------
    interactions
        All clicks.
    ends
        int64 [U]: of user u, the clicks ``starts[u] : ends[u]`` are learned from.
    length
        How many of a user's clicks are read at most.
    size
        Clicks in a batch, roughly.
    rng
        Of the order.
    """

    def __init__(
        self,
        interactions: Interactions,
        ends: npt.NDArray[np.int64],
        length: int,
        size: int,
        rng: np.random.Generator,
    ) -> None:
        self._interactions = interactions
        self._stops = ends - 1
        self._firsts = np.maximum(interactions.starts[:-1], self._stops - length)
        self._users = np.flatnonzero(self._stops > interactions.starts[:-1])
        self._size = size
        self._rng = rng

    def __iter__(self) -> Iterator[Windows]:
        """Go through all users once, in a new order."""
        batches = []
        for together in self._cut(self._rng.permutation(self._users), self._size * SORTED_BATCHES):
            by_length = np.argsort(self._stops[together] - self._firsts[together], kind="stable")
            batches += self._cut(together[by_length], self._size)
        for place in self._rng.permutation(len(batches)):
            users = batches[place]
            yield pack_windows(self._interactions, self._firsts[users], self._stops[users])

    def _cut(self, users: npt.NDArray[np.int64], size: int) -> list[npt.NDArray[np.int64]]:
        """Return users in parts of about so many clicks."""
        filled = (self._stops[users] - self._firsts[users]).cumsum()
        clicks = int(filled[-1]) if len(filled) else 0
        bounds = np.searchsorted(filled, np.arange(size, clicks, size))
        return [part for part in np.split(users, bounds) if len(part)]

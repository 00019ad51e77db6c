"""Users' clicks in batches to learn from, pass after pass. Imports no torch."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.history_windows import Windows, pack_windows
from gsr.interactions import Interactions

SORTED_BATCHES: Final = 16
"""Users of so many batches are sorted by length, so that little of a batch is padding."""


class UserBatches:
    """Every user's learned clicks that have a successor, in stretches that the encoders can read.

    A history that is longer than they read is cut, elsewhere in every pass, so that every click
    teaches in every pass, and with ever other ones before it.

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
        Of the order, and of where long histories are cut.
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
        self._starts = interactions.starts[:-1]
        self._users = np.flatnonzero(self._stops > self._starts)
        self._length = length
        self._size = size
        self._rng = rng

    def __iter__(self) -> Iterator[Windows]:
        """Go through all users once, in a new order."""
        users, firsts, stops = self._stretches()
        lengths = stops - firsts
        batches = []
        order = self._rng.permutation(len(users))
        for together in _cut(order, lengths, self._size * SORTED_BATCHES):
            by_length = np.argsort(lengths[together], kind="stable")
            batches += _cut(together[by_length], lengths, self._size)
        for place in self._rng.permutation(len(batches)):
            chosen = batches[place]
            yield pack_windows(self._interactions, users[chosen], firsts[chosen], stops[chosen])

    def _stretches(
        self,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Cut histories; return user, first click and end of every stretch."""
        starts, stops = self._starts[self._users], self._stops[self._users]
        is_long = stops - starts > self._length
        before = np.where(is_long, self._rng.integers(self._length, size=len(starts)), 0)
        cuts = starts - before
        counts = -((cuts - stops) // self._length)
        number = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
        firsts = np.repeat(cuts, counts) + number * self._length
        return (
            np.repeat(self._users, counts),
            np.maximum(firsts, np.repeat(starts, counts)),
            np.minimum(firsts + self._length, np.repeat(stops, counts)),
        )


def _cut(
    chosen: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], size: int
) -> list[npt.NDArray[np.int64]]:
    """Return stretches in parts of about so many clicks."""
    filled = lengths[chosen].cumsum()
    clicks = int(filled[-1]) if len(filled) else 0
    bounds = np.searchsorted(filled, np.arange(size, clicks, size))
    return [part for part in np.split(chosen, bounds) if len(part)]

"""Lists of many users as they are made: in columns, and as items where they are asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from gsr.ranker.asking import UserLists
from stream.events.records.recommendation import ScoredItem

_PARTS: Final = 1e6
"""Scores are rounded to so many parts of one."""


@dataclass(frozen=True, slots=True)
class UserList:
    """The list of one user.

    Parameters
    ----------
    items
        Best first.
    cold
        Nothing is known that the model may read: the list is recent popularity.
    """

    items: list[ScoredItem]
    cold: bool


class MadeLists:
    """The lists of n users, of K items at most.

    Parameters
    ----------
    lists
        Item rows and scores.
    cold
        bool [n], see `UserList`.
    item_ids, hash_parts
        Of each item row: its id, and its `hash_part`.
    fingerprints
        uint32 [N], of each item row.

    Attributes
    ----------
    lengths
        int64 [n], items of each list.
    cold
        As given, as a list.
    """

    def __init__(
        self,
        lists: UserLists,
        cold: npt.NDArray[np.bool_],
        item_ids: Sequence[str],
        hash_parts: Sequence[bytes],
        fingerprints: npt.NDArray[np.uint32],
    ) -> None:
        self.lengths: npt.NDArray[np.int64] = (lists.rows >= 0).sum(axis=1)
        self.cold: list[bool] = cold.tolist()
        self._rows = lists.rows
        self._listed: list[list[int]] = [
            rows[:length]
            for rows, length in zip(lists.rows.tolist(), self.lengths.tolist(), strict=True)
        ]
        # A float32 times a million is exact in float64: so each one is rounded as `round` does it.
        rounded = np.rint(lists.scores * np.float64(_PARTS)) / _PARTS
        self._scores: list[list[float]] = rounded.tolist()
        self._item_ids = item_ids
        self._hash_parts = hash_parts
        self._fingerprints = fingerprints

    def __len__(self) -> int:
        return len(self._listed)

    def items(self, at: int) -> list[ScoredItem]:
        """Return the list of the user at `at`."""
        ids = map(self._item_ids.__getitem__, self._listed[at])
        return list(map(ScoredItem, ids, self._scores[at]))  # ends with the shorter one, the ids

    def user_lists(self) -> list[UserList]:
        """Return each user's list."""
        return [UserList(self.items(at), cold) for at, cold in enumerate(self.cold)]

    def hashes(self) -> npt.NDArray[np.uint64]:
        """Return the hash of each list, uint64 [n], see `hash_of`."""
        part = self._hash_parts.__getitem__
        found = (hash_of(map(part, rows)) for rows in self._listed)
        return np.fromiter(found, np.uint64, len(self))

    def marks(self) -> npt.NDArray[np.uint32]:
        """Return the fingerprints of each list's items, uint32 [n, K]; 0 behind the last."""
        found = np.zeros(self._rows.shape, dtype=np.uint32)
        there = self._rows >= 0
        found[there] = self._fingerprints[self._rows[there]]
        return found


def hash_part(item_id: str) -> bytes:
    """Return what stands for an item in the hash of a list.

    >>> hash_part("cup")
    b'3:cup'
    """
    return f"{len(item_id)}:{item_id}".encode()


def hash_of(parts: Iterable[bytes]) -> int:
    """Return a 64-bit hash of a list's item ids in their order, given as `hash_part` has them."""
    return xxh3_64_intdigest(b"".join(parts))

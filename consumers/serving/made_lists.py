"""Lists of many users as they are made: in columns, and as items where they are asked for."""

from collections.abc import Sequence
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
        Nothing is known that the model may read: the list is of what others click first.
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
    item_ids, fingerprints
        The item of each row, and uint32 [N].

    Attributes
    ----------
    lengths
        int64 [n], items of each list.
    marks
        uint32 [n, K], fingerprints of the items; 0 behind the last.
    cold
        As given, as a list.
    """

    def __init__(
        self,
        lists: UserLists,
        cold: npt.NDArray[np.bool_],
        item_ids: Sequence[str],
        fingerprints: npt.NDArray[np.uint32],
    ) -> None:
        there = lists.rows >= 0
        self.lengths: npt.NDArray[np.int64] = there.sum(axis=1)
        self.cold: list[bool] = cold.tolist()
        self.marks = np.zeros(lists.rows.shape, dtype=np.uint32)
        self.marks[there] = fingerprints[lists.rows[there]]
        self._listed: list[list[int]] = [
            rows[:length]
            for rows, length in zip(lists.rows.tolist(), self.lengths.tolist(), strict=True)
        ]
        # A float32 times a million is exact in float64: so each one is rounded as `round` does it.
        rounded = np.rint(lists.scores * np.float64(_PARTS)) / _PARTS
        self._scores: list[list[float]] = rounded.tolist()
        self._item_ids = item_ids

    def __len__(self) -> int:
        return len(self._listed)

    def items(self, at: int) -> list[ScoredItem]:
        """Return the list of the user at `at`."""
        ids = map(self._item_ids.__getitem__, self._listed[at])
        return list(map(ScoredItem, ids, self._scores[at]))  # ends with the shorter one, the ids

    def user_lists(self) -> list[UserList]:
        """Return each user's list."""
        return [UserList(self.items(at), cold) for at, cold in enumerate(self.cold)]


def list_hashes(
    marks: npt.NDArray[np.uint32], lengths: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64]:
    """Return a hash of the items of each list and of their order, uint64 [n].

    Two lists that differ in one place alone look alike once in four thousand million times, as two
    items do in a seen filter.

    Parameters
    ----------
    marks, lengths
        uint32 [n, K] and int64 [n], fingerprints of the items, of which so many count.
    """
    packed, width = marks.tobytes(), marks.shape[1] * marks.itemsize
    starts = range(0, len(packed), width) if width else [0] * len(marks)
    ends = (lengths * marks.itemsize).tolist()
    found = (
        xxh3_64_intdigest(packed[start : start + end])
        for start, end in zip(starts, ends, strict=True)
    )
    return np.fromiter(found, np.uint64, len(marks))

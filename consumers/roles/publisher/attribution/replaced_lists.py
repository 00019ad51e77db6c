"""The lists that were on the topic before the newest ones, for clicks that were made on them."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from consumers.roles.publisher.user_table import UserTable

LIMIT_BYTES: Final = 16 * 1024 * 1024
ENTRY_BYTES: Final = 700
"""What a kept list costs beside its items' marks."""


class KeptList(NamedTuple):
    """A list that a user had.

    Parameters
    ----------
    made_at
        When it was made, seconds since the epoch.
    click_offset
        Of the newest click that it knows of; `NOWHERE`: of none.
    version
        Of the model that made it.
    reason
        Place in `SERVED_REASONS`.
    number
        See `list_number`.
    history
        What was before it, see `UserTable.histories`.
    marks
        uint32 [k], fingerprints of its items, best first; perhaps zeros behind them.
    """

    made_at: float
    click_offset: int
    version: int
    reason: int
    number: int
    history: int
    marks: npt.NDArray[np.uint32]


class ReplacedLists:
    """Lists that newer ones have replaced; those replaced first leave first.

    A click is read a moment after it was made, and by then its user may have a newer list.

    Parameters
    ----------
    users
        Where lists stand until they are replaced.
    limit_bytes
        Most memory, roughly.
    """

    def __init__(self, users: UserTable, limit_bytes: int = LIMIT_BYTES) -> None:
        self._users = users
        self._limit_bytes = limit_bytes
        self._places = count()
        self._lists: OrderedDict[int, tuple[str, KeptList]] = OrderedDict()
        self._by_user: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._lists)

    def keep(self, rows: npt.NDArray[np.int64]) -> None:
        """Keep the lists that the users in `rows`, int64 [n], have now: they get other ones."""
        users = self._users
        marks = users.list_items[rows]
        columns = (
            users.listed_at[rows].tolist(),
            users.listed_click_offsets[rows].tolist(),
            users.listed_versions[rows].tolist(),
            users.list_reasons[rows].tolist(),
            users.list_numbers[rows].tolist(),
            users.histories[rows].tolist(),
        )
        for row, *facts, its_marks in zip(rows.tolist(), *columns, marks, strict=True):
            name = users.name_of(row)
            place = next(self._places)
            self._lists[place] = (name, KeptList._make((*facts, its_marks)))
            self._by_user.setdefault(name, []).append(place)
        most = self._limit_bytes // (ENTRY_BYTES + marks.itemsize * marks.shape[1])
        while len(self._lists) > most:
            self._drop_oldest()

    def of(self, user_id: str) -> Sequence[KeptList]:
        """Return what is kept of a user, the oldest first."""
        return tuple(self._lists[place][1] for place in self._by_user.get(user_id, ()))

    def forget(self, user_id: str) -> None:
        """Drop what is kept of a user."""
        for place in self._by_user.pop(user_id, ()):
            del self._lists[place]

    def _drop_oldest(self) -> None:
        _, (user_id, _) = self._lists.popitem(last=False)
        places = self._by_user[user_id]
        places.pop(0)
        if not places:
            del self._by_user[user_id]

"""A queue of users whose sequence is to be sent, first come, first served."""

from collections import deque
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.ids.id_column import IdColumn
from gsr.counters.ids.id_table import IdTable

_FIRST: Final = 1024


class WaitingUsers:
    """User ids in order of arrival, each with the offset of the first click that it waits for.

    Examples
    --------
    >>> waiting = WaitingUsers()
    >>> waiting.add(IdColumn.of(["a", "b", "a"]), 5)
    >>> waiting.add(IdColumn.of(["b", "c"]), 7)
    >>> list(waiting.oldest(2)), waiting.oldest_offset, len(waiting)
    (['a', 'b'], 5, 3)
    >>> waiting.drop_oldest(2)
    >>> list(waiting.oldest(9)), waiting.oldest_offset
    (['c'], 7)
    """

    def __init__(self) -> None:
        self._table = IdTable(_FIRST)
        self._queue: deque[int] = deque()
        self._offsets = np.zeros(_FIRST, dtype=np.int64)
        self._free = list(range(_FIRST))

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def oldest_offset(self) -> int:
        """The offset since which the user who waits longest does; there must be one."""
        return int(self._offsets[self._queue[0]])

    def add(self, user_ids: IdColumn, offset: int) -> None:
        """Append users, who wait since `offset`; those who wait already keep their place."""
        numbers = self._table.find(user_ids)
        missing = int(np.count_nonzero(numbers < 0))
        if missing == 0:
            return
        fresh = self._numbers(missing)
        rows = self._table.add_missing(user_ids, numbers, fresh)
        self._offsets[fresh[: len(rows)]] = offset
        self._queue.extend(fresh[: len(rows)].tolist())
        self._free.extend(fresh[len(rows) :].tolist())

    def _numbers(self, count: int) -> npt.NDArray[np.int64]:
        """Take free numbers; make more where there are too few."""
        while len(self._free) < count:
            self._free.extend(range(len(self._offsets), 2 * len(self._offsets)))
            self._offsets = np.concatenate([self._offsets, np.zeros_like(self._offsets)])
        taken = self._free[len(self._free) - count :]
        del self._free[len(self._free) - count :]
        return np.array(taken, dtype=np.int64)

    def oldest(self, count: int) -> IdColumn:
        """Return at most `count` users, those who wait longest first."""
        numbers = np.fromiter(islice(self._queue, count), dtype=np.int64)
        return self._table.ids_of(numbers).compact()

    def drop_oldest(self, count: int) -> None:
        """Remove the `count` users who wait longest."""
        numbers = [self._queue.popleft() for _ in range(count)]
        self._table.remove(np.array(numbers, dtype=np.int64))
        self._free.extend(numbers)

    def clear(self) -> None:
        """Remove everyone, and free their memory."""
        self.__init__()  # type: ignore[misc]  # the same as a new one

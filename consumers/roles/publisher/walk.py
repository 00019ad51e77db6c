"""The walk: a round over active users, who get lists of a new model at a bounded rate."""

from typing import Final

import numpy as np
import numpy.typing as npt

from consumers.roles.publisher.user_table import NOWHERE, UserTable
from consumers.runtime.token_bucket import TokenBucket
from stream.clock import Clock, Periodic

_SMALLEST_STRIDE: Final = 32
"""Lists are made in batches, so fewer users than these are not worth one."""

_CHOSEN_SECONDS: Final = 10.0
"""Choosing looks at every user, so it is done for so long ahead."""

_CHOICE_SECONDS: Final = 1.0
"""How long it is before it is done again for one target: new users come all the time."""

_ROUND: Final = 2**62
"""Further than any offset is from another."""


class Walk:
    """Goes round the active users whose list is older than the target version.

    A new version moves the target; where the walk stands stays, so that with versions coming
    faster than a round takes, everybody still gets their turn.

    Parameters
    ----------
    users_per_second
        The rate.
    active_seconds
        Users with a click within this time before the newest click are active.
    clock
        Of which only differences are used.
    """

    def __init__(self, users_per_second: float, active_seconds: float, clock: Clock) -> None:
        self._active_seconds = active_seconds
        capacity = max(users_per_second, _SMALLEST_STRIDE)
        self._budget = TokenBucket(users_per_second, clock, capacity=capacity, left=0.0)
        self._chosen_at_once = max(_SMALLEST_STRIDE, int(_CHOSEN_SECONDS * users_per_second))
        self._next_choice = Periodic(clock, _CHOICE_SECONDS)
        self._ahead = self._offsets = np.zeros(0, dtype=np.int64)
        self._chosen_for = NOWHERE
        self._at = NOWHERE
        self.target = 0
        self.remaining = 0
        self._finished_target = NOWHERE

    def move_target(self, version: int) -> None:
        """Have everybody active get a list of `version`."""
        self.target = max(self.target, version)

    def progress(self, table: UserTable) -> float:
        """Return the share of users who need nothing any more, 0 to 1, as of the last stride."""
        return 1.0 - min(1.0, self.remaining / len(table)) if len(table) else 1.0

    def stride(self, table: UserTable, limit: int) -> npt.NDArray[np.int64]:
        """Return the rows to refresh now, at most `limit`; empty while the rate allows none."""
        count = min(int(self._budget.left()), limit)
        too_few = count < max(1, min(_SMALLEST_STRIDE, limit))
        if too_few or self._finished_target == self.target:
            return np.zeros(0, dtype=np.int64)
        rows = self._next(table, count)
        self._budget.spend(len(rows))
        return rows

    def _next(self, table: UserTable, count: int) -> npt.NDArray[np.int64]:
        """Return who comes next, of those who are still to be visited; at most `count`."""
        found: list[npt.NDArray[np.int64]] = []
        while count > 0:
            if not len(self._ahead) or self._chosen_for != self.target:
                # Who was just found is still to be visited, and would be found again.
                if found or not self._may_choose():
                    break
                self._choose(table)
                if not len(self._ahead):
                    if table.followed().any():  # else all of them are still being restored
                        self._finished_target = self.target
                    break
            rows, self._ahead = self._ahead[:count], self._ahead[count:]
            # Where they stood when they were chosen: who has clicked since stands at the end now.
            passed, self._offsets = self._offsets[:count], self._offsets[count:]
            self._at = int(passed[-1])
            self.remaining = max(0, self.remaining - len(rows))
            rows = rows[self._waits(table, rows)]
            found.append(rows)
            count -= len(rows)
        return np.concatenate([np.zeros(0, dtype=np.int64), *found])

    def _may_choose(self) -> bool:
        """Return whether it is time to look at everybody again: for a new target it always is."""
        if self._chosen_for != self.target:
            self._next_choice.restart()
            return True
        return self._next_choice.due()

    def _choose(self, table: UserTable) -> None:
        """Look for the next users to visit, in the order of the log from where the walk stands."""
        self._chosen_for = self.target
        rows = self._pending(table)
        self.remaining = len(rows)
        offsets = table.sequence_offsets[rows]
        # Behind the log's end comes its beginning again.
        turns = offsets - self._at + np.where(offsets > self._at, 0, _ROUND)
        if len(rows) > self._chosen_at_once:
            nearest = np.argpartition(turns, self._chosen_at_once - 1)[: self._chosen_at_once]
            rows, offsets, turns = rows[nearest], offsets[nearest], turns[nearest]
        order = np.argsort(turns, kind="stable")
        self._ahead, self._offsets = rows[order], offsets[order]

    def _waits(self, table: UserTable, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which of `rows` are there and have had no list of the target since."""
        there = table.are_followed(rows)
        there &= table.checked_versions[rows] < self.target
        return there

    def _pending(self, table: UserTable) -> npt.NDArray[np.int64]:
        n = table.extent
        followed = table.followed()
        if not followed.any():
            return np.zeros(0, dtype=np.int64)
        newest = float(table.click_times[:n][followed].max())
        active = table.click_times[:n] >= newest - self._active_seconds
        return np.flatnonzero(followed & active & (table.checked_versions[:n] < self.target))

"""A queue of users who need a new list, by reason and time of arrival."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from stream.events.records.recommendation import Reason

URGENCY: Final[tuple[Reason, ...]] = ("click", "items", "model")
"""Reasons in the order in which they are served."""
_RESERVED: Final = 8
"""One in so many places of a batch belongs to the less urgent, so that none starves."""


@dataclass(frozen=True, slots=True)
class Due:
    """A user to make a list for.

    Parameters
    ----------
    row
        In the table of users.
    reason
        The most urgent one.
    """

    row: int
    reason: Reason


class DueUsers:
    """Rows of users, each once per reason, first come first served.

    Who is postponed is due as well, but neither counted nor taken until that ends.

    Examples
    --------
    >>> due = DueUsers()
    >>> due.add("model", [7, 8], now=0.0)
    >>> due.add("click", [8], now=1.0)
    >>> due.take(10)
    [Due(row=8, reason='click'), Due(row=7, reason='model')]
    >>> len(due)
    0
    """

    def __init__(self) -> None:
        self._rows: dict[Reason, dict[int, float]] = {reason: {} for reason in URGENCY}
        self._postponed: dict[int, Reason] = {}

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def add(self, reason: Reason, rows: Iterable[int], now: float) -> None:
        """Note that `rows` are due; those that are already keep their place."""
        waiting = self._rows[reason]
        for row in rows:
            waiting.setdefault(row, now)

    def discard(self, row: int) -> None:
        """Note that the user in `row` needs no list any more."""
        for waiting in self._rows.values():
            waiting.pop(row, None)
        self._postponed.pop(row, None)

    def postpone(self, one: Due) -> None:
        """Keep a user who was taken until `take_up`."""
        self._postponed[one.row] = one.reason

    def take_up(self, now: float) -> None:
        """Make everybody who was postponed due again."""
        postponed, self._postponed = self._postponed, {}
        for row, reason in postponed.items():
            self.add(reason, [row], now)

    def rows(self) -> set[int]:
        """Return every row that is due, those who were postponed too."""
        return set().union(*self._rows.values(), self._postponed)

    def longest_wait(self, now: float) -> float:
        """Return for how long the one who came first has waited; 0 where nobody does."""
        firsts = (next(iter(waiting.values())) for waiting in self._rows.values() if waiting)
        return max((now - since for since in firsts), default=0.0)

    def take(self, limit: int) -> list[Due]:
        """Take at most `limit` users out, the most urgent first."""
        taken: dict[int, Due] = {}
        others = len(self) - len(self._rows["click"])
        reserved = min(others, max(1, limit // _RESERVED)) if limit > 1 else 0
        for reason in URGENCY:
            room = limit - len(taken) - (reserved if reason == "click" else 0)
            for row in list(islice(self._rows[reason], room)):
                taken.setdefault(row, Due(row, reason))
                self.discard(row)
        return list(taken.values())

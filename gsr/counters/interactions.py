"""All clicks of a fixed set of users, user after user, one array per column."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Interactions:
    """The clicks of U users on N items, n of them, user after user, each user's by time.

    Clicks of one user at one time keep the order in which they came.

    Parameters
    ----------
    starts
        int64 [U + 1]: user u's clicks are ``starts[u] : starts[u + 1]``.
    items
        int64 [n], from 0 to N - 1.
    times
        float64 [n], seconds since the epoch; never falling within a user.
    events
        uint8 [n], event codes.
    item_count
        N; items may have no clicks here.
    """

    starts: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    events: npt.NDArray[np.uint8]
    item_count: int

    def __len__(self) -> int:
        return len(self.items)

    @property
    def user_count(self) -> int:
        """U, users without clicks included."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """int64 [U], each user's number of clicks."""
        return np.diff(self.starts)

    @property
    def users(self) -> npt.NDArray[np.int64]:
        """int64 [n], each click's user."""
        return np.repeat(np.arange(self.user_count, dtype=np.int64), self.lengths)

    def shuffled_ties(self, rng: np.random.Generator) -> "Interactions":
        """Return the same clicks, those that share user and time in random order.

        A file may have put ties into an order that gives the next click away; what is measured
        with ties shuffled does not depend on it.
        """
        order = np.lexsort((rng.random(len(self)), self.times, self.users))
        return replace(self, items=self.items[order], events=self.events[order])


def gather_interactions(
    users: npt.NDArray[np.int64],
    items: npt.NDArray[np.int64],
    times: npt.NDArray[np.float64],
    events: npt.NDArray[np.uint8],
    *,
    user_count: int,
    item_count: int,
) -> Interactions:
    """Gather clicks that come in any order.

    Parameters
    ----------
    users, items
        int64 [n], below `user_count` and `item_count`.
    times
        float64 [n].
    events
        uint8 [n], event codes.
    user_count, item_count
        U and N.

    Raises
    ------
    ValueError
        A user or an item lies outside its range, or a time is not a number.

    Examples
    --------
    >>> clicks = gather_interactions(
    ...     np.array([1, 0, 1]),
    ...     np.array([5, 6, 7]),
    ...     np.array([30.0, 20.0, 10.0]),
    ...     np.zeros(3, dtype=np.uint8),
    ...     user_count=2,
    ...     item_count=8,
    ... )
    >>> clicks.starts.tolist(), clicks.items.tolist()
    ([0, 1, 3], [6, 7, 5])
    """
    _check_range("user", users, user_count)
    _check_range("item", items, item_count)
    if np.isnan(times).any():
        raise ValueError("a time is not a number: clicks cannot be ordered")
    order = np.lexsort((times, users))
    starts = np.zeros(user_count + 1, dtype=np.int64)
    np.cumsum(np.bincount(users, minlength=user_count), out=starts[1:])
    return Interactions(
        starts=starts,
        items=items[order],
        times=times[order],
        events=events[order],
        item_count=item_count,
    )


def _check_range(what: str, values: npt.NDArray[np.int64], count: int) -> None:
    if len(values) and (values.min() < 0 or values.max() >= count):
        raise ValueError(f"{what}s must lie from 0 to {count - 1}")

"""Learned vectors of items, and Adam's steps where they take part."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsr.ranker.adam import Floats, unbiased_rate
from gsr.ranker.vectors.products import move_rows

FIRST_SIZE: Final = 0.02
"""Deviation of a new vector's numbers: small, so that it says nothing yet."""


class ItemVectors:
    """One vector an item row.

    Parameters
    ----------
    dimension
        Numbers of a vector (d).

    Attributes
    ----------
    room
        float32 [room, d], the vectors; those behind the last item are zero.
    """

    def __init__(self, dimension: int) -> None:
        self.room: Floats = np.zeros((0, dimension), dtype=np.float32)
        self._items = 0

    def __len__(self) -> int:
        return self._items

    @property
    def values(self) -> Floats:
        """The vectors, float32 [N, d]."""
        return self.room[: self._items]

    def grow(self, items: int, rng: np.random.Generator) -> None:
        """Give the items up to row `items` first vectors."""
        if items <= self._items:
            return
        if items > len(self.room):
            more = max(items, 2 * len(self.room)) - len(self.room)
            self.room = np.pad(self.room, ((0, more), (0, 0)))
        new = np.arange(self._items, items)
        self._items = items
        self.renew(new, rng)

    def renew(self, rows: npt.NDArray[np.int64], rng: np.random.Generator) -> None:
        """Let the items of `rows` begin anew."""
        shape = (len(rows), self.room.shape[1])
        self.room[rows] = (FIRST_SIZE * rng.standard_normal(shape)).astype(np.float32)

    def load(self, values: Floats) -> None:
        """Take over vectors, float32 [N, d]."""
        self.room = np.array(values, dtype=np.float32)
        self._items = len(values)


class ItemSteps:
    """Adam's steps on items' vectors, which can be taken back.

    A step reads and moves only the rows that take part in it; moments decay by the row's own
    steps, and the bias of their beginning is corrected by the steps of all rows, as in
    `torch.optim.SparseAdam`.

    Parameters
    ----------
    items
        Moved in place.
    rate
        Learning rate.
    """

    def __init__(self, items: ItemVectors, rate: float) -> None:
        self._items = items
        self._rate = rate
        self._steps = 0
        self._first: Floats = np.zeros_like(items.room)
        self._second: Floats = np.zeros_like(items.room)
        self._kept = np.zeros(len(items.room), dtype=np.bool_)
        self._before: list[tuple[npt.NDArray[np.int32], Floats, Floats, Floats]] = []
        self._steps_before = 0
        self.touched = 0

    def grow(self) -> None:
        """Make room for all items."""
        more = len(self._items.room) - len(self._first)
        if more > 0:
            self._first = np.pad(self._first, ((0, more), (0, 0)))
            self._second = np.pad(self._second, ((0, more), (0, 0)))
            self._kept = np.pad(self._kept, (0, more))

    def renew(self, rows: npt.NDArray[np.int64]) -> None:
        """Forget what is known of `rows`; nothing may be there to take back."""
        self._first[rows] = 0.0
        self._second[rows] = 0.0

    def move(self, rows: npt.NDArray[np.int32], gradients: Floats) -> None:
        """Take one step.

        Parameters
        ----------
        rows
            int32 [m], distinct.
        gradients
            float32 [m, d], of the loss by the vector of each.
        """
        self._keep(rows)
        self._steps += 1
        self.touched += len(rows)
        rate = unbiased_rate(self._rate, self._steps)
        moved = (self._items.room, self._first, self._second)
        move_rows(rows, gradients, *moved, rate)

    def commit(self) -> None:
        """Make the present vectors those that `take_back` goes back to."""
        for rows, *_ in self._before:
            self._kept[rows] = False
        self._before = []
        self._steps_before = self._steps

    def take_back(self) -> None:
        """Undo all steps since the last `commit`."""
        for rows, values, first, second in self._before:
            self._items.room[rows] = values
            self._first[rows] = first
            self._second[rows] = second
        self._steps = self._steps_before
        self.commit()

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all that goes on, vectors apart."""
        count = len(self._items)
        return {
            "first": self._first[:count].copy(),
            "second": self._second[:count].copy(),
            "steps": np.array([self._steps, self.touched], dtype=np.int64),
        }

    def load(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Go on from what `arrays` returned, with the same items."""
        self.grow()
        count = len(self._items)
        self._first[:count], self._second[:count] = arrays["first"], arrays["second"]
        self._steps, self.touched = map(int, arrays["steps"])
        self.commit()

    def _keep(self, rows: npt.NDArray[np.int32]) -> None:
        """Keep rows as they are, before they move for the first time since the last `commit`."""
        new = rows[~self._kept[rows]]
        if len(new):
            self._kept[new] = True
            self._before.append((new, self._items.room[new], self._first[new], self._second[new]))

"""Learned vectors of items, moved by Adam where they take part."""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.baselines.ranker.adam import Floats, take_step, unbiased_rate
from gsr.compiled import lean_kernel

FIRST_SIZE: Final = 0.02
"""Deviation of a new vector's numbers: small, so that it says nothing yet."""


@lean_kernel
def add_rows(
    places: npt.NDArray[np.int64],
    gradients: npt.NDArray[np.float32],
    sums: npt.NDArray[np.float32],
) -> None:
    """Add row i of `gradients`, float32 [m, d], to row ``places[i]`` of `sums`."""
    for i in range(len(places)):
        for j in range(sums.shape[1]):
            sums[places[i], j] += gradients[i, j]


class ItemVectors:
    """One vector an item row.

    A step reads and moves only the rows that take part in it; moments decay by the row's own
    steps, and the bias of their beginning is corrected by the steps of all rows, as in
    `torch.optim.SparseAdam`.

    Parameters
    ----------
    dimension
        Numbers of a vector (d).
    rate
        Learning rate.
    rng
        Draws first vectors.
    """

    def __init__(self, dimension: int, rate: float, rng: np.random.Generator) -> None:
        self._rate = rate
        self._rng = rng
        self._steps = 0
        self.values: Floats = np.zeros((0, dimension), dtype=np.float32)
        self._first: Floats = np.zeros((0, dimension), dtype=np.float32)
        self._second: Floats = np.zeros((0, dimension), dtype=np.float32)
        self._released = np.zeros(0, dtype=np.int64)
        self.releases = 0

    def __len__(self) -> int:
        return len(self.values)

    def reserve(self, rows: int) -> None:
        """Make room for the items of the rows below `rows`."""
        if rows <= len(self):
            return
        more = max(rows, 2 * len(self)) - len(self)
        self.values = np.concatenate((self.values, self._drawn(more)))
        self._first = np.pad(self._first, ((0, more), (0, 0)))
        self._second = np.pad(self._second, ((0, more), (0, 0)))
        self._released = np.pad(self._released, (0, more))

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Let the items of `rows` begin anew: the rows are to be given to others."""
        rows = rows[rows < len(self)]
        self.releases += 1
        self._released[rows] = self.releases
        self.values[rows] = self._drawn(len(rows))
        self._first[rows] = 0.0
        self._second[rows] = 0.0

    def still_there(self, rows: npt.NDArray[np.int32], since: int) -> npt.NDArray[np.int32]:
        """Return `rows` with -1 in place of those that were released since then.

        Parameters
        ----------
        rows
            int32, of any shape; negative ones stay.
        since
            What `releases` was.
        """
        if since == self.releases:
            return rows
        gone = (rows >= 0) & (self._released[np.maximum(rows, 0)] > since)
        return np.where(gone, np.int32(-1), rows)

    def of(self, rows: npt.NDArray[np.int32]) -> Floats:
        """Return the vectors of rows of any shape, float32 [..., d]; zeros for negative ones."""
        vectors: Floats = self.values[np.maximum(rows, 0)]
        vectors[rows < 0] = 0.0
        return vectors

    def move(self, rows: npt.NDArray[np.int32], gradients: Floats) -> None:
        """Take one step.

        Parameters
        ----------
        rows
            int32 [m], may hold a row several times; negative ones are left out.
        gradients
            float32 [m, d], of the loss by the vector of each.
        """
        there = rows >= 0
        distinct, places = np.unique(rows[there], return_inverse=True)
        sums = np.zeros((len(distinct), gradients.shape[1]), dtype=np.float32)
        add_rows(places, np.ascontiguousarray(gradients[there]), sums)
        self._steps += 1
        values, first, second = (
            column[distinct] for column in (self.values, self._first, self._second)
        )
        take_step(values, sums, first, second, unbiased_rate(self._rate, self._steps))
        self.values[distinct], self._first[distinct], self._second[distinct] = values, first, second

    def _drawn(self, rows: int) -> Floats:
        shape = (rows, self.values.shape[1])
        return (FIRST_SIZE * self._rng.standard_normal(shape)).astype(np.float32)

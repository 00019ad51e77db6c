"""What the learned features of clicks are computed from."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Lookups(NamedTuple):
    """What learned features of n clicks are computed from.

    Parameters
    ----------
    recent
        int32 [n, L], items that the user clicked before, newest first; -1 where there is none.
    ages
        float32 [n, L], seconds since each of them.
    candidates
        int32 [n, K], items; -1 where there is none.
    clicked
        int32 [n], the item that was clicked then; -1 where nobody knows.
    """

    recent: npt.NDArray[np.int32]
    ages: npt.NDArray[np.float32]
    candidates: npt.NDArray[np.int32]
    clicked: npt.NDArray[np.int32]

    def part(self, rows: slice | npt.NDArray[np.intp]) -> "Lookups":
        """Return some of the rows."""
        return Lookups(
            self.recent[rows], self.ages[rows], self.candidates[rows], self.clicked[rows]
        )

    def copy(self) -> "Lookups":
        """Return a copy."""
        return self.part(np.arange(len(self.clicked)))

    def without(self, rows: npt.NDArray[np.int64]) -> "Lookups":
        """Return the same with -1 in place of item `rows`, which stand for others from now on."""
        recent, candidates, clicked = (
            np.where(np.isin(column, rows), np.int32(-1), column)
            for column in (self.recent, self.candidates, self.clicked)
        )
        return Lookups(recent, self.ages, candidates, clicked)


def no_lookups(clicks: int) -> Lookups:
    """Return lookups of clicks that have no learned features."""
    nothing = np.zeros((clicks, 0), dtype=np.int32)
    none = np.full(clicks, -1, dtype=np.int32)
    return Lookups(nothing, nothing.astype(np.float32), nothing, none)

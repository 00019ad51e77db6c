"""A running average of a table's rows that costs nothing for rows that stand still."""

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsr.learning.weight_average import average_share

FIRST_STEPS: Final = 1024


class RowAverage:
    """What `gsr.learning.weight_average.WeightAverage` is for whole weights, row by row.

    A row that no step has touched was the same all the time, so its average can be made up for
    when it is needed: before the row changes, and before it ranks.

    Parameters
    ----------
    rows
        [N, d], followed; never changed here.
    decay
        As in `WeightAverage`.

    Attributes
    ----------
    values
        [N, d], the averages; true after `catch_up` only.
    """

    def __init__(self, rows: Tensor, decay: float) -> None:
        self._rows = rows
        self._decay = decay
        self.values = rows.clone() if decay > 0.0 else rows
        self._known = np.zeros(len(rows), np.int64)
        self._kept = np.zeros(1)

    def catch_up(self, steps: int, rows: npt.NDArray[np.int64] | None = None) -> None:
        """Bring `rows`, distinct, or all of them, to where they are after so many steps.

        Their values must be those that they had in all steps since they were brought up to date.
        """
        if self._decay == 0.0:
            return
        chosen = np.arange(len(self._known)) if rows is None else rows
        kept = self._kept_by(steps)
        share = -np.expm1(kept[steps] - kept[self._known[chosen]])
        device = self.values.device
        moved = torch.from_numpy(share.astype(np.float32)).to(device)[:, None]
        places = torch.from_numpy(chosen).to(device)
        old = self.values.index_select(0, places)
        new = torch.lerp(old, self._rows.index_select(0, places), moved)
        self.values.index_copy_(0, places, new)
        self._known[chosen] = steps

    def load(self, values: Tensor, steps: int) -> None:
        """Take over averages that are those after so many steps."""
        self.values.copy_(values)
        self._known[:] = steps

    def _kept_by(self, steps: int) -> npt.NDArray[np.float64]:
        """Return, for every number of steps, the logarithm of what is left of the first values."""
        if steps >= len(self._kept):
            numbers = np.arange(1, max(2 * steps, FIRST_STEPS))
            kept = np.log1p(-np.array([average_share(self._decay, int(n)) for n in numbers]))
            self._kept = np.concatenate(([0.0], kept.cumsum()))
        return self._kept

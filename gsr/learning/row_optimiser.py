"""Lazy Adam on the rows of an item table, with a running average of them."""

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsr.errors import SnapshotError
from gsr.learning.weight_average import average_share
from gsr.network.item_table import ItemTable

FIRST_DECAY: Final = 0.9
SECOND_DECAY: Final = 0.999
EPSILON: Final = 1e-8
FIRST: Final = "first_moment"
SECOND: Final = "second_moment"
FIRST_STEPS: Final = 1024


class RowOptimiser:
    """Adam (Kingma and Ba, arXiv 1412.6980), lazily: a row's moments change when the row does.

    It is what `torch.optim.SparseAdam` computes, without sparse tensors.

    Parameters
    ----------
    table
        Its rows are moved. Moments are columns of the table, so they start afresh with the rows.
    average_decay
        Of a running average of every row, as in `gsr.learning.weight_average.WeightAverage`; 0:
        the average is the present value. Above 0 the table must not grow any more.

    Attributes
    ----------
    steps
        How many were taken.
    """

    def __init__(self, table: ItemTable, average_decay: float = 0.0) -> None:
        self.steps = 0
        self._table = table
        table.add_column(FIRST, table.dimension)
        table.add_column(SECOND, table.dimension)
        self._average_decay = average_decay
        self._averages = table.weight.clone() if average_decay > 0.0 else None
        self._averaged = np.zeros(len(table), np.int64)
        self._kept = np.zeros(1)

    def step(self, rows: npt.NDArray[np.int64], gradient: Tensor, rate: float) -> None:
        """Move distinct `rows` against `gradient` [len(rows), d] by one step of size `rate`."""
        if len(rows) == 0:
            return
        self.catch_up(rows)
        self.steps += 1
        places = torch.from_numpy(rows).to(gradient.device)
        first, second = self._table.column(FIRST), self._table.column(SECOND)
        mean = torch.lerp(gradient, first.index_select(0, places), FIRST_DECAY)
        spread = torch.lerp(gradient.square(), second.index_select(0, places), SECOND_DECAY)
        first.index_copy_(0, places, mean)
        second.index_copy_(0, places, spread)
        root = (spread / (1.0 - SECOND_DECAY**self.steps)).sqrt_().add_(EPSILON)
        moves = mean.div(root).mul_(-rate / (1.0 - FIRST_DECAY**self.steps))
        self._table.weight.index_add_(0, places, moves)

    @property
    def averages(self) -> Tensor:
        """The averages of all rows, float32 [N, d]; true after `catch_up` only."""
        return self._table.weight if self._averages is None else self._averages

    def catch_up(self, rows: npt.NDArray[np.int64] | None = None) -> None:
        """Bring the averages of distinct `rows`, or of all, to where they are after all steps.

        A row that no step has touched was the same all the time, so its average can be made up for
        when it is needed: before the row changes, and before it ranks.
        """
        if self._averages is None:
            return
        chosen = np.arange(len(self._averaged)) if rows is None else rows
        kept = self._kept_by(self.steps)
        share = -np.expm1(kept[self.steps] - kept[self._averaged[chosen]])
        device = self._averages.device
        moved = torch.from_numpy(share.astype(np.float32)).to(device)[:, None]
        places = torch.from_numpy(chosen).to(device)
        old = self._averages.index_select(0, places)
        new = torch.lerp(old, self._table.weight.index_select(0, places), moved)
        self._averages.index_copy_(0, places, new)
        self._averaged[chosen] = self.steps

    def load_averages(self, values: Tensor) -> None:
        """Take over averages that are those after all steps so far."""
        self.averages.copy_(values)
        self._averaged[:] = self.steps

    def moments(self) -> dict[str, Tensor]:
        """Return copies of the moments of all N rows."""
        return {name: self._table.column(name).clone() for name in (FIRST, SECOND)}

    def load_moments(self, moments: dict[str, Tensor]) -> None:
        """Take over what `moments` returned.

        Raises
        ------
        SnapshotError
            It is for more rows than there are, or for another width.
        """
        found = tuple(moments[FIRST].shape)
        if found[0] > len(self._table) or found[1:] != (self._table.dimension,):
            shape = (len(self._table), self._table.dimension)
            raise SnapshotError(f"optimiser state is of {found} item values, the table has {shape}")
        for name in (FIRST, SECOND):
            self._table.column(name)[: found[0]] = moments[name]

    def _kept_by(self, steps: int) -> npt.NDArray[np.float64]:
        """Return, for every number of steps, the logarithm of what is left of the first values."""
        if steps >= len(self._kept):
            numbers = np.arange(1, max(2 * steps, FIRST_STEPS))
            kept = np.log1p(
                -np.array([average_share(self._average_decay, int(n)) for n in numbers])
            )
            self._kept = np.concatenate(([0.0], kept.cumsum()))
        return self._kept

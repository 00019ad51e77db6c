"""Lazy Adam on the rows of an item table, with a running average of them."""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gsr.errors import SnapshotError
from gsr.learning.weight_average import average_share
from gsr.network.item_table import ItemTable

Granularity = Literal["row", "element"]

FIRST_DECAY: Final = 0.9
SECOND_DECAY: Final[dict[Granularity, float]] = {"row": 0.99, "element": 0.999}
"""Rows of a stream are seldom moved, and what they are moved by changes: they forget sooner."""

EPSILON: Final = 1e-8
FIRST: Final = "first_moment"
SECOND: Final = "second_moment"
STEPS: Final = "steps"
FIRST_STEPS: Final = 1024


class RowOptimiser:
    """Adam (Kingma and Ba, arXiv 1412.6980), lazily: a row's moments change when the row does.

    Second moments are kept by either of two granularities:

    - ``"element"``, for rows that all begin together, as with a fixed set of clicks: what
      `torch.optim.SparseAdam` computes, without sparse tensors.
    - ``"row"``, for rows that come and go: one second moment per row (the mean over its columns),
      as in `FBGEMM's <https://docs.pytorch.org/FBGEMM/>`_ "partial row-wise Adam", and steps
      counted row by row. It is never below what is usual for all rows: a row that is only ever a
      far-off negative would be normalised to full steps along its tiny gradients.

    Parameters
    ----------
    table
        Its rows are moved. Moments are columns of the table, so they start afresh and are rolled
        back with the rows.
    granularity
        Of second moments.
    average_decay
        Of a running average of every row, as in `gsr.learning.weight_average.WeightAverage`; 0:
        the average is the present value. Above 0 the table must not grow any more.

    Attributes
    ----------
    steps
        How many were taken.
    """

    def __init__(
        self, table: ItemTable, granularity: Granularity, average_decay: float = 0.0
    ) -> None:
        self.steps = 0
        self._table = table
        self._by_row = granularity == "row"
        self._second_decay = SECOND_DECAY[granularity]
        table.add_column(FIRST, table.dimension)
        table.add_column(SECOND, None if self._by_row else table.dimension)
        if self._by_row:
            table.add_column(STEPS, None, torch.int32)
        self._usual = torch.zeros(())
        self._before = (self.steps, self._usual)
        self._average_decay = average_decay
        self._averages = table.weight.clone() if average_decay > 0.0 else None
        self._averaged = np.zeros(len(table), np.int64)
        self._kept = np.zeros(1)

    def step(self, rows: npt.NDArray[np.int64], gradient: Tensor, rate: float) -> None:
        """Move distinct `rows` against `gradient` [len(rows), d] by one step of size `rate`.

        Where second moments are kept by row, rows whose gradient is all zero take no part.
        """
        if self._by_row:
            moved = gradient.abs().amax(dim=1) > 0
            rows, gradient = rows[moved.numpy(force=True)], gradient[moved]
        if len(rows) == 0:
            return
        self.catch_up(rows)
        self.steps += 1
        places = torch.from_numpy(rows).to(gradient.device)
        self._table.save(places)
        first, second = self._table.column(FIRST), self._table.column(SECOND)
        mean = torch.lerp(gradient, first.index_select(0, places), FIRST_DECAY)
        square = gradient.square()
        if self._by_row:
            square = square.mean(dim=1)
        spread = torch.lerp(square, second.index_select(0, places), self._second_decay)
        first.index_copy_(0, places, mean)
        second.index_copy_(0, places, spread)
        self._table.weight.index_add_(0, places, self._moves(places, mean, spread, square, rate))

    def begin(self) -> None:
        """Remember rows and moments that change from now on, until `commit` or `rollback`."""
        self._table.begin()
        self._before = (self.steps, self._usual)

    def commit(self) -> None:
        """Keep what changed since `begin`."""
        self._table.commit()

    def rollback(self) -> None:
        """Put rows and moments back as they were at `begin`; once something was begun."""
        self.steps, self._usual = self._before
        self._table.rollback()

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
        """Return copies of the moments of all N rows, and what else steps depend on."""
        moments = {name: self._table.column(name).clone() for name in (FIRST, SECOND)}
        if not self._by_row:
            return moments
        return moments | {
            STEPS: self._table.column(STEPS).clone(),
            "usual_square": self._usual.clone(),
            "steps_taken": torch.tensor(self.steps),
        }

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
        for name in (FIRST, SECOND, STEPS) if self._by_row else (FIRST, SECOND):
            self._table.column(name)[: found[0]] = moments[name]
        if self._by_row:
            self._usual = moments["usual_square"].clone()
            self.steps = int(moments["steps_taken"])

    def _moves(
        self, places: Tensor, mean: Tensor, spread: Tensor, square: Tensor, rate: float
    ) -> Tensor:
        """Return what is added to the rows at `places`, [len(places), d]."""
        if not self._by_row:
            root = (spread / (1.0 - self._second_decay**self.steps)).sqrt_().add_(EPSILON)
            return mean.div(root).mul_(-rate / (1.0 - FIRST_DECAY**self.steps))
        counted = self._table.column(STEPS)
        steps = counted.index_select(0, places) + 1
        counted.index_copy_(0, places, steps)
        usual = self._usual_square(square)
        root = (spread / (1.0 - self._second_decay**steps)).clamp_(min=usual).sqrt_().add_(EPSILON)
        scale = -rate / (1.0 - FIRST_DECAY**steps) / root
        return scale[:, None] * mean

    def _usual_square(self, square: Tensor) -> float:
        """Return the running mean of all rows' mean squared gradients, this step's included."""
        self._usual = torch.lerp(square.mean(), self._usual, self._second_decay)
        return float(self._usual) / (1.0 - self._second_decay**self.steps)

    def _kept_by(self, steps: int) -> npt.NDArray[np.float64]:
        """Return, for every number of steps, the logarithm of what is left of the first values."""
        if steps >= len(self._kept):
            numbers = np.arange(1, max(2 * steps, FIRST_STEPS))
            kept = np.log1p(
                -np.array([average_share(self._average_decay, int(n)) for n in numbers])
            )
            self._kept = np.concatenate(([0.0], kept.cumsum()))
        return self._kept

"""Adam on the rows of a table that take part in a step; all other rows stand still."""

from typing import Final

import torch
from torch import Tensor

FIRST_MOMENT: Final = 0.9
SECOND_MOMENT: Final = 0.999
EPSILON: Final = 1e-8


class RowAdam:
    """Adam (Kingma and Ba, arXiv 1412.6980), lazily: a row's moments change when it does.

    What `torch.optim.SparseAdam` computes, without sparse tensors: rows are known to be distinct.

    Parameters
    ----------
    weight
        [N, d], changed in place.
    """

    def __init__(self, weight: Tensor) -> None:
        self._weight = weight
        self._first = torch.zeros_like(weight)
        self._second = torch.zeros_like(weight)

    def step(self, rows: Tensor, gradient: Tensor, rate: float, steps: int) -> None:
        """Move distinct `rows` against `gradient` [len(rows), d], in step number `steps` from 1."""
        first = torch.lerp(gradient, self._first.index_select(0, rows), FIRST_MOMENT)
        second = torch.lerp(gradient.square(), self._second.index_select(0, rows), SECOND_MOMENT)
        self._first.index_copy_(0, rows, first)
        self._second.index_copy_(0, rows, second)
        spread = (second / (1.0 - SECOND_MOMENT**steps)).sqrt_().add_(EPSILON)
        moved = first.div_(spread).mul_(-rate / (1.0 - FIRST_MOMENT**steps))
        self._weight.index_add_(0, rows, moved)

    def moments(self) -> dict[str, Tensor]:
        """Return the moments, [N, d] each; they change with the next step."""
        return {"first": self._first, "second": self._second}

    def load(self, moments: dict[str, Tensor]) -> None:
        """Take over what `moments` returned."""
        self._first.copy_(moments["first"])
        self._second.copy_(moments["second"])

"""Running average of weights, which ranks better than the weights of any one step."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor

YOUNG_STEPS: Final = 10.0
"""Young averages would remember the first weights, which were drawn at random."""


def average_share(decay: float, steps: int) -> float:
    """Return how far the average moves towards the present values after so many steps.

    >>> average_share(0.999, 10), round(average_share(0.999, 100_000), 6)
    (0.5, 0.001)
    """
    return 1.0 - min(decay, steps / (steps + YOUNG_STEPS))


class WeightAverage:
    """Running average of dense parameters, all of which change in every step.

    (For item rows, few of which do, see `gsr.learning.row_optimiser`.)

    Parameters
    ----------
    parameters
        Followed; changed in place only by `installed`.
    decay
        How much of the old average a step keeps, at most; 0: the average is the present value.

    Attributes
    ----------
    values
        The averages.
    """

    def __init__(self, parameters: Sequence[Tensor], decay: float) -> None:
        self._parameters = [p.detach() for p in parameters]
        self._decay = decay
        self.values = [p.clone() if decay > 0.0 else p for p in self._parameters]

    @torch.no_grad()
    def follow(self, steps: int) -> None:
        """Move a little towards the present weights, after so many steps."""
        torch._foreach_lerp_(self.values, self._parameters, average_share(self._decay, steps))

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Have the parameters be the averages for a while."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for parameter, value in zip(self._parameters, self.values, strict=True):
            if parameter.data_ptr() != value.data_ptr():
                kept = parameter.clone()
                parameter.copy_(value)
                value.copy_(kept)

"""Adam [1]_ on arrays.

References
----------
.. [1] Kingma, Ba: Adam: A Method for Stochastic Optimization. ICLR 2015.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import inner_kernel, relaxed_kernel

Floats = npt.NDArray[np.float32]

FIRST_DECAY: Final = 0.9
SECOND_DECAY: Final = 0.999
TINY: Final = np.float32(1e-8)

_FIRST_KEPT, _FIRST_TAKEN = np.float32(FIRST_DECAY), np.float32(1.0 - FIRST_DECAY)
_SECOND_KEPT, _SECOND_TAKEN = np.float32(SECOND_DECAY), np.float32(1.0 - SECOND_DECAY)


def unbiased_rate(rate: float, steps: int) -> float:
    """Return the rate of a step, corrected for averages that began at zero `steps` steps ago."""
    return rate * (math.sqrt(1.0 - SECOND_DECAY**steps) / (1.0 - FIRST_DECAY**steps))


def take_step(
    weights: Floats, gradient: Floats, first: Floats, second: Floats, rate: float
) -> None:
    """Move weights and the averages of their gradients, all of one shape, in place.

    Parameters
    ----------
    weights, gradient
        What is moved, and against what.
    first, second
        Moving averages of gradients and of their squares.
    rate
        See `unbiased_rate`.

    Raises
    ------
    ValueError
        The arrays are not of one shape, or the moved ones do not lie in one piece.
    """
    if not weights.shape == gradient.shape == first.shape == second.shape:
        shapes = [array.shape for array in (weights, gradient, first, second)]
        raise ValueError(f"arrays of different shapes: {shapes}")
    _move(
        weights.reshape(-1, copy=False),
        first.reshape(-1, copy=False),
        second.reshape(-1, copy=False),
        gradient.reshape(-1),
        rate,
    )


@inner_kernel
def averaged(
    first: np.float32, second: np.float32, gradient: np.float32
) -> tuple[np.float32, np.float32]:
    """Return the moving averages of a number's gradients and of their squares after one more."""
    return (
        _FIRST_KEPT * first + _FIRST_TAKEN * gradient,
        _SECOND_KEPT * second + _SECOND_TAKEN * gradient * gradient,
    )


@relaxed_kernel
def _move(
    weights: npt.NDArray[np.float32],
    first: npt.NDArray[np.float32],
    second: npt.NDArray[np.float32],
    gradients: npt.NDArray[np.float32],
    rate: float,
) -> None:
    step = np.float32(rate)
    for i in range(len(weights)):
        mean, square = averaged(first[i], second[i], gradients[i])
        first[i], second[i] = mean, square
        weights[i] -= step * mean / (np.sqrt(square) + TINY)


class Adam:
    """Adam's moving averages of gradients, and its steps.

    Parameters
    ----------
    weights
        Changed in place.
    rate
        Learning rate.

    Attributes
    ----------
    steps
        How many were taken.
    """

    def __init__(self, weights: Sequence[Floats], rate: float) -> None:
        self._weights = weights
        self._rate = rate
        self.steps = 0
        self._first = [np.zeros_like(array) for array in weights]
        self._second = [np.zeros_like(array) for array in weights]

    def step(self, gradients: Sequence[Floats]) -> None:
        """Move the weights against the gradients."""
        self.steps += 1
        rate = unbiased_rate(self._rate, self.steps)
        columns = zip(self._weights, gradients, self._first, self._second, strict=True)
        for weights, gradient, first, second in columns:
            take_step(weights, gradient, first, second, rate)

    def arrays(self) -> list[npt.NDArray[Any]]:
        """Return copies of the weights and of all that `step` changes."""
        steps = np.array([self.steps], dtype=np.int64)
        columns: list[npt.NDArray[Any]] = [*self._weights, *self._first, *self._second, steps]
        return [array.copy() for array in columns]

    def load(self, arrays: Sequence[npt.NDArray[Any]]) -> None:
        """Go back to what `arrays` returned."""
        *columns, steps = arrays
        for mine, stored in zip(
            (*self._weights, *self._first, *self._second), columns, strict=True
        ):
            mine[:] = stored
        self.steps = int(steps[0])

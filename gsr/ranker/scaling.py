"""Means and deviations of features, so that a network sees all of them at one scale."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel

SMALLEST_VARIANCE: Final = 1e-4
"""Features that hardly vary are not blown up."""

CLIP: Final = 6.0
"""Standard deviations beyond which a value is cut off."""


@lean_kernel
def standardise_rows(
    values: npt.NDArray[np.float32],
    means: npt.NDArray[np.float32],
    inverses: npt.NDArray[np.float32],
) -> None:
    """Bring values, float32 [n, F], to mean 0 and deviation 1, in place and in one pass.

    Parameters
    ----------
    values
        Changed.
    means, inverses
        float32 [F], and one over the deviations.
    """
    most = np.float32(CLIP)
    for row in range(len(values)):
        for f in range(len(means)):
            value = (values[row, f] - means[f]) * inverses[f]
            values[row, f] = min(max(value, -most), most)


class Scaling:
    """Running means and deviations.

    Parameters
    ----------
    used
        bool [F], which features are used; the others become 0.
    fading
        What earlier values count for whenever others are added; 1: as much as these.
    """

    def __init__(self, used: npt.NDArray[np.bool_], fading: float = 1.0) -> None:
        self._used = used
        self._fading = fading
        self._count = 0.0
        self._sums = np.zeros(len(used))
        self._squares = np.zeros(len(used))
        self.means = np.zeros(len(used), dtype=np.float32)
        self.inverses: npt.NDArray[np.float32] = used.astype(np.float32)

    def add(self, values: npt.NDArray[np.float32]) -> None:
        """Count values, float32 [n, F]; n > 0."""
        self._count = self._fading * self._count + len(values)
        self._sums = self._fading * self._sums + values.sum(axis=0, dtype=np.float64)
        squares = np.square(values).sum(axis=0, dtype=np.float64)
        self._squares = self._fading * self._squares + squares
        self._settle()

    def _settle(self) -> None:
        """Compute means and deviations from the sums."""
        means = self._sums / self._count
        variances = np.maximum(self._squares / self._count - means**2, SMALLEST_VARIANCE)
        self.means[:] = means
        self.inverses[:] = self._used / np.sqrt(variances)

    def standardise(self, values: npt.NDArray[np.float32]) -> None:
        """Bring values, contiguous float32 [..., F], to mean 0 and deviation 1, in place."""
        flat = values.reshape(-1, values.shape[-1], copy=False)
        standardise_rows(flat, self.means, self.inverses)

    def arrays(self) -> list[npt.NDArray[np.float64]]:
        """Return copies of all that goes on."""
        return [np.array([self._count]), self._sums.copy(), self._squares.copy()]

    def load(self, arrays: Sequence[npt.NDArray[np.float64]]) -> None:
        """Go on from what `arrays` returned."""
        count, self._sums, self._squares = (array.copy() for array in arrays)
        self._count = float(count[0])
        if self._count > 0.0:
            self._settle()
        else:
            self.means[:] = 0.0
            self.inverses[:] = self._used

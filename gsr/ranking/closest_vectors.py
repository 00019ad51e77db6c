"""The vectors closest to one of them, found exactly from a quarter of their bytes.

Comparing a vector with a million others takes as long as reading these from memory does. So each is
kept a second time, at unit length and in bytes: with what rounding took from it, that bounds its
cosine from above and below. Only vectors that can be among the closest are read in full.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel, relaxed_kernel

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

_LARGEST: Final = 127
"""Of a byte with a sign."""
_ROUNDING: Final = 4e-7
"""Error of a sum of so many products as a vector has components, for each of them: some units in
the last place of a 32-bit float, as no product is larger than 1."""


class ClosestVectors:
    """Vectors, and a copy of them in bytes to look through first.

    Parameters
    ----------
    vectors
        float32 [N, D]. They are read in place: whoever changes some calls `renew`.
    """

    def __init__(self, vectors: Floats) -> None:
        count, dimension = vectors.shape
        self._vectors = vectors
        self._codes = np.zeros((count, dimension), dtype=np.int8)
        self._steps = np.zeros(count, dtype=np.float32)
        self._errors = np.zeros(count, dtype=np.float32)
        self._lengths = np.zeros(count, dtype=np.float32)
        self.renew(np.arange(count))

    def __len__(self) -> int:
        return len(self._lengths)

    def renew(self, rows: Rows) -> None:
        """Take over vectors that have changed; `rows` is int64 [n]."""
        _round(self._vectors, rows, self._codes, self._steps, self._errors, self._lengths)

    def closest(self, row: int, count: int, allowed: npt.NDArray[np.bool_]) -> tuple[Rows, Floats]:
        """Return the vectors with the largest cosines to one of them.

        Parameters
        ----------
        row
            Of that one; it is not among those returned.
        count
            How many, at most; at least 1.
        allowed
            bool [M], rows that may be returned; none behind its end may.

        Returns
        -------
        rows, cosines
            int64 [n] and float32 [n], largest first, equal ones by their row; none where the vector
            is zero. Vectors of zeros have no cosine.
        """
        near = self.near(row, count, allowed)
        if not len(near):
            return near, np.zeros(0, dtype=np.float32)
        unit = self._vectors[row] / self._lengths[row]
        exact = (self._vectors[near] @ unit) / self._lengths[near]
        best = np.argsort(-exact, kind="stable")[:count]
        return near[best], exact[best]

    def near(self, row: int, count: int, allowed: npt.NDArray[np.bool_]) -> Rows:
        """Return rows that hold the `count` closest, and as few others as their bytes can tell."""
        if self._lengths[row] == 0.0:
            return np.zeros(0, dtype=np.int64)
        unit = self._vectors[row] / self._lengths[row]
        common = min(len(allowed), len(self._lengths))
        cosines = np.empty(common, dtype=np.float32)
        bounds = np.full(count, -np.inf, dtype=np.float32)
        _look_through(
            self._codes, self._steps, self._errors, allowed[:common], row, unit, cosines, bounds
        )
        return np.flatnonzero((cosines + self._errors[:common] >= bounds[-1]) & (cosines > -np.inf))


@kernel
def _round(
    vectors: Floats,
    rows: Rows,
    codes: npt.NDArray[np.int8],
    steps: Floats,
    errors: Floats,
    lengths: Floats,
) -> None:
    """Fill codes, their steps and errors, and the lengths of vectors, in some rows.

    A vector at unit length is its codes times its step, give or take a vector that is as long as
    the error. Where it is zero, so are all of these.
    """
    dimension = vectors.shape[1]
    for row in rows:
        total, largest = 0.0, 0.0
        for d in range(dimension):
            value = float(vectors[row, d])
            total += value * value
            largest = max(largest, abs(value))
        length = np.sqrt(total)
        lengths[row] = length
        if lengths[row] == 0.0:
            codes[row] = 0
            steps[row] = errors[row] = 0.0
            continue
        step = largest / length / _LARGEST
        steps[row] = step
        error = 0.0
        for d in range(dimension):
            value = float(vectors[row, d]) / length
            codes[row, d] = np.int8(np.rint(value / step))
            rest = value - codes[row, d] * float(steps[row])
            error += rest * rest
        errors[row] = np.sqrt(error) + _ROUNDING * dimension


@relaxed_kernel
def _look_through(
    codes: npt.NDArray[np.int8],
    steps: Floats,
    errors: Floats,
    allowed: npt.NDArray[np.bool_],
    own: int,
    unit: Floats,
    cosines: Floats,
    bounds: Floats,
) -> None:
    """Fill cosines within their errors, -inf where there is none or it is not wanted.

    `bounds` become the largest of what the cosines are at least, in descending order.
    """
    dimension = codes.shape[1]
    for row in range(len(cosines)):
        if not allowed[row] or row == own or steps[row] == 0.0:
            cosines[row] = -np.inf
            continue
        total = np.float32(0.0)
        for d in range(dimension):
            total += unit[d] * np.float32(codes[row, d])
        cosines[row] = total * steps[row]
        least = cosines[row] - errors[row]
        if least > bounds[-1]:
            place = len(bounds) - 1
            while place > 0 and bounds[place - 1] < least:
                bounds[place] = bounds[place - 1]
                place -= 1
            bounds[place] = least

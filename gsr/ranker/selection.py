"""The best candidates of each click, found without sorting all of them."""

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel
from gsr.counters.items.nth_largest import nth_largest


@lean_kernel
def keep_best(
    scores: npt.NDArray[np.float32],
    starts: npt.NDArray[np.int64],
    targets: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
    kept: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
) -> None:
    """Choose each click's K best candidates.

    Parameters
    ----------
    scores
        float32 [rows], of candidates.
    starts
        int64 [n + 1], click i has the candidates ``starts[i] : starts[i + 1]``.
    targets
        int64 [n], the row of the clicked item, -1 where it is no candidate.
    values
        float32 [most candidates of a click], work space.
    kept
        int64 [n, K], filled: rows, -1 behind the last.
    places
        int64 [n], filled: where in `kept` the target is, -1 for nowhere.
    """
    width = kept.shape[1]
    for click in range(len(targets)):
        first, last = starts[click], starts[click + 1]
        count = last - first
        taken = 0
        places[click] = -1
        border = np.float32(-np.inf)
        if count > width:
            for i in range(count):
                values[i] = scores[first + i]
            border = nth_largest(values, count, width)
        # Those above the border first: of those on it only as many as there is room for.
        for on_border in range(2):
            for row in range(first, last):
                fits = scores[row] == border if on_border else scores[row] > border
                if fits and taken < width:
                    kept[click, taken] = row
                    if row == targets[click]:
                        places[click] = taken
                    taken += 1
        for i in range(taken, width):
            kept[click, i] = -1

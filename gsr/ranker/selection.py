"""The best candidates of each click or user, found without sorting all of them."""

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


@lean_kernel
def list_best(
    scores: npt.NDArray[np.float32],
    candidates: npt.NDArray[np.int32],
    places: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    best: npt.NDArray[np.float32],
) -> None:
    """Fill each user's list with the best candidates, of equal ones the earlier first.

    Parameters
    ----------
    scores, candidates
        float32 and int32 [n, K], of items; -1 where there is none.
    places, rows, best
        int64, int64 and float32 [n, L], filled: where the best stand among the candidates, which
        items they are, and their scores; 0, -1 and 0 behind the last.
    """
    length = places.shape[1]
    for i in range(len(scores)):
        size = 0
        for k in range(scores.shape[1]):
            score = scores[i, k]
            if candidates[i, k] < 0 or (size == length and not score > best[i, length - 1]):
                continue
            size += size < length
            at = size - 1
            while at > 0 and best[i, at - 1] < score:
                best[i, at] = best[i, at - 1]
                places[i, at] = places[i, at - 1]
                at -= 1
            best[i, at] = score
            places[i, at] = k
        for at in range(size):
            rows[i, at] = candidates[i, places[i, at]]
        for at in range(size, length):
            places[i, at], rows[i, at], best[i, at] = 0, -1, 0.0

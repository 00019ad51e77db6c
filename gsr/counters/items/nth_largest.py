"""The n-th largest of many numbers, found without sorting them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel


@lean_kernel
def nth_largest(values: npt.NDArray[Any], count: int, wanted: int) -> Any:
    """Return the `wanted`-th largest of the first `count` values, which are reordered.

    Hoare's quickselect.

    Examples
    --------
    >>> import numpy as np
    >>> nth_largest(np.array([3.0, 1.0, 4.0, 1.0, 5.0]), 5, 2)
    4.0
    """
    place = count - wanted
    low, high = 0, count - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if place <= j:
            high = j
        elif place >= i:
            low = i
        else:
            break
    return values[place]


@lean_kernel
def border_of_largest(bits: npt.NDArray[np.int32], count: int, wanted: int) -> int:
    """Return the bits of a number that the `wanted` largest values reach, and 0 never does.

    Of all others only those reach it that are equal to the smallest of these. Positive float32 are
    ordered as their bits are, so it is looked for by halves among these: counting how many reach
    one has no branches to guess wrong, and is done for many at once.

    Parameters
    ----------
    bits
        Of float32 that are 0 or positive, as integers.
    count, wanted
        `wanted` is at least 1; where fewer are positive, all of those reach the border.

    Examples
    --------
    >>> values = np.array([3.0, 1.0, 4.0, 1.0, 5.0], dtype=np.float32)
    >>> border = border_of_largest(values.view(np.int32), 5, 2)
    >>> values[values.view(np.int32) >= border]
    array([4., 5.], dtype=float32)
    """
    highest, positive = np.int32(0), np.int32(0)
    for i in range(count):
        highest = max(highest, bits[i])
        positive += np.int32(bits[i] > 0)
    if positive <= wanted:
        return 1
    reached, missed = np.int32(1), highest + np.int32(1)
    while missed - reached > 1:
        border = np.int32(reached + (missed - reached) // 2)
        found = np.int32(0)
        for i in range(count):
            found += np.int32(bits[i] >= border)
        if found >= wanted:
            reached = border
            if found == wanted:
                break
        else:
            missed = border
    return reached  # type: ignore[return-value] # kernels' int

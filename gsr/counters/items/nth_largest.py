"""The n-th largest of many numbers, found without sorting them."""

from typing import Any

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

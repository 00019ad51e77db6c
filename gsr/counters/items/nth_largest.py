"""The n-th largest of many numbers, found without sorting them."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import lean_kernel

_BUCKET_BITS: Final = 20
"""Of a float32, those that buckets do not tell apart: there are eight buckets to an octave."""
BUCKETS: Final = 1 << (31 - _BUCKET_BITS)
"""Of positive float32."""


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
def nth_largest_positive(
    values: npt.NDArray[np.float32],
    bits: npt.NDArray[np.uint32],
    histogram: npt.NDArray[np.int64],
    count: int,
    wanted: int,
) -> Any:
    """Return the `wanted`-th largest of the first `count` values, which are lost.

    Positive floats are ordered as their bits are. So they are counted by their leading bits, which
    has no branches to guess wrong, and only the few in the right bucket are looked at.

    Parameters
    ----------
    values
        All positive.
    bits
        The same memory.
    histogram
        int64 [`BUCKETS`], all zero; zero again afterwards.
    count, wanted
        `wanted` is at least 1 and at most `count`.

    Examples
    --------
    >>> values = np.array([3.0, 1.0, 4.0, 1.0, 5.0], dtype=np.float32)
    >>> nth_largest_positive(
    ...     values, values.view(np.uint32), np.zeros(BUCKETS, dtype=np.int64), 5, 2
    ... )
    4.0
    """
    shift = np.uint32(_BUCKET_BITS)
    highest = np.uint32(0)
    for i in range(count):
        bucket = bits[i] >> shift
        histogram[bucket] += 1
        highest = max(highest, bucket)
    place, chosen = wanted, np.int64(highest)
    while histogram[chosen] < place:
        place -= histogram[chosen]
        chosen -= 1
    found = 0
    for i in range(count):
        bucket = np.int64(bits[i] >> shift)
        histogram[bucket] = 0
        values[found] = values[i]
        found += bucket == chosen
    return nth_largest(values, found, place)

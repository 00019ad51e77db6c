"""Columns side by side in records of whole cache lines."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

LINE_BYTES: Final = 64
"""Bytes that the processor reads from memory at once."""

AHEAD: Final = 8
"""Clicks between prefetching their memory and using it."""


def new_records(count: int, *fields: tuple[Any, ...]) -> npt.NDArray[np.void]:
    """Return records of zeros, each beginning a cache line; their fields are columns.

    What is used together stands in one record: one wait for memory, not one per column.

    Parameters
    ----------
    count
        How many.
    fields
        Name and type of each, as `numpy.dtype` takes them; the widest first.
    """
    size = np.dtype(list(fields)).itemsize
    padding = ("padding", np.uint8, (-size % LINE_BYTES,))
    dtype = np.dtype([*fields, padding])
    memory = np.zeros(count * dtype.itemsize + LINE_BYTES, dtype=np.uint8)
    start = -memory.ctypes.data % LINE_BYTES
    return memory[start : start + count * dtype.itemsize].view(dtype)


def copy_columns(
    source: tuple[npt.NDArray[Any], ...], target: tuple[npt.NDArray[Any], ...]
) -> None:
    """Copy columns into longer ones, from the first row on."""
    for before, after in zip(source, target, strict=True):
        after[: len(before)] = before

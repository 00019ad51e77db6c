"""Columns as bytes."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt


def as_bytes(column: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return a column as uint8 [rows, bytes], also where it is part of wider records."""
    cells = column.reshape(len(column), math.prod(column.shape[1:]))
    return cells.view(np.uint8)

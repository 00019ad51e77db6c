"""Columns that grow together."""

from typing import Any

import numpy.typing as npt


def copy_columns(
    source: tuple[npt.NDArray[Any], ...], target: tuple[npt.NDArray[Any], ...]
) -> None:
    """Copy columns into longer ones, from the first row on."""
    for before, after in zip(source, target, strict=True):
        after[: len(before)] = before

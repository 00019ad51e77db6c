"""Limits of numeric settings."""

from collections.abc import Mapping
from typing import Final

MOST_SEED: Final = 2**63 - 1
"""The largest seed that every generator takes."""

Limits = Mapping[str, tuple[float, float]]
"""Setting to its least and its largest value, both allowed."""


def check_limits(settings: object, limits: Limits) -> None:
    """Check each setting that has limits.

    Raises
    ------
    ValueError
        The first one that is outside of its limits, or no number.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> check_limits(SimpleNamespace(heads=0), {"heads": (1, 64)})
    Traceback (most recent call last):
    ...
    ValueError: heads is 0: give a number from 1 to 64
    """
    for name, (least, most) in limits.items():
        value = getattr(settings, name)
        if not least <= value <= most:
            raise ValueError(f"{name} is {value}: give a number from {least:g} to {most:g}")

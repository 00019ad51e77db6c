"""Errors of the model library.

::

    ModelError
    ├── SnapshotError     a snapshot is missing, torn or does not fit
    ├── TrainingError     learning produced numbers that are not finite
    ├── SplitError        there are too few clicks to learn from some and test on others
    ├── ClicksError       a data frame that holds no clicks as they are wanted
    ├── RankingError      scores that cannot be ranked
    └── CountersFullError counters that have no numbers or no room left
"""

from typing import ClassVar


class ModelError(Exception):
    """Root of every error that this package raises on purpose."""

    retriable: ClassVar[bool] = False


class SnapshotError(ModelError):
    """A snapshot is missing, torn, or was written for another model configuration."""


class TrainingError(ModelError):
    """Learning produced numbers that are not finite; the weights were not kept."""


class SplitError(ModelError):
    """There are too few clicks to learn from some and test on others; says what is missing."""


class ClicksError(ModelError, ValueError):
    """A data frame does not hold clicks as they are wanted; says what to do about it."""


class RankingError(ModelError):
    """Scores that cannot be ranked, because some of them are not numbers."""


class CountersFullError(ModelError):
    """Counters that have no numbers, or no room, left for what clicks bring."""

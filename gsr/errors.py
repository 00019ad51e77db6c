"""Errors of the model library.

::

    ModelError
    ├── SnapshotError     a snapshot is missing, torn or does not fit
    └── TrainingError     learning produced numbers that are not finite
"""

from typing import ClassVar


class ModelError(Exception):
    """Root of every error that this package raises on purpose."""

    retriable: ClassVar[bool] = False


class SnapshotError(ModelError):
    """A snapshot is missing, torn, or was written for another model configuration."""


class TrainingError(ModelError):
    """Learning produced numbers that are not finite; the weights were not kept."""

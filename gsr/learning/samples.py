"""Recorded clicks that trust is learned from. Imports no torch."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from gsr.counters.users.histories import Histories


@dataclass(frozen=True, slots=True)
class Samples:
    """Clicks to learn from, each with what was known just before it; n rows.

    Parameters
    ----------
    histories
        The users' clicks before each sample's click (see `Histories.recent`).
    candidates
        int64 [n, M], item rows to choose from; column 0 is the clicked one, -1 where there is none.
    log_inclusion
        float32 [n, M], log of the chance with which each candidate came to be listed (0: always).
    features
        float32 [n, M, C], channels of each candidate before the click.
    context
        float32 [n, F], context of each user before the click.
    """

    histories: Histories
    candidates: npt.NDArray[np.int64]
    log_inclusion: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]
    context: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.candidates)

    @property
    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """All arrays beside the histories, in the order of the fields."""
        return tuple(getattr(self, field.name) for field in fields(self)[1:])

    def rows(self, index: npt.NDArray[np.int64]) -> "Samples":
        """Return the samples at `index`, in that order."""
        return Samples(self.histories.rows(index), *(array[index] for array in self.arrays))


def join(parts: list[Samples]) -> Samples:
    """Return the samples of all `parts`, in order; shapes past the first axis must agree."""
    h = [p.histories for p in parts]
    return Samples(
        Histories(
            np.concatenate([x.items for x in h]),
            np.concatenate([x.times for x in h]),
            np.concatenate([x.events for x in h]),
            np.concatenate([x.lengths for x in h]),
            np.concatenate([x.now for x in h]),
        ),
        *map(np.concatenate, zip(*(p.arrays for p in parts), strict=True)),
    )

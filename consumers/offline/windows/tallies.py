"""Quality by window: means of each window, and over windows with equal weight. No torch."""

from typing import Any

import numpy as np
import numpy.typing as npt

from gsr.quality.ranking_metrics import METRICS, rank_sums


class Tallies:
    """Sums of every metric of M models in each window.

    Parameters
    ----------
    names
        Of the models.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._cases: list[int] = []
        self._sums: list[npt.NDArray[np.float64]] = []

    @property
    def cases(self) -> int:
        """How many ranks were added."""
        return sum(self._cases)

    def add(self, ranks: npt.NDArray[np.int32]) -> None:
        """Take the ranks of the next window, int32 [c, M]."""
        self._cases.append(len(ranks))
        self._sums.append(rank_sums(ranks))

    def last(self) -> dict[str, Any]:
        """Return the newest window's number of cases and, where there are any, its means."""
        cases = self._cases[-1]
        return {"cases": cases} | (self._named(self._sums[-1] / cases) if cases else {})

    def over_windows(self) -> dict[str, Any]:
        """Return means over windows with equal weight; those without a case do not count."""
        means = [total / c for total, c in zip(self._sums, self._cases, strict=True) if c]
        return self._named(np.mean(means, axis=0)) if means else {}

    def over_cases(self) -> dict[str, Any]:
        """Return means over all cases with equal weight."""
        return self._named(np.sum(self._sums, axis=0) / self.cases) if self.cases else {}

    def _named(self, means: npt.NDArray[np.float64]) -> dict[str, Any]:
        return {
            name: dict(zip(METRICS, row, strict=True))
            for name, row in zip(self._names, means.tolist(), strict=True)
        }

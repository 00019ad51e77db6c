"""Samples of the catalogue for the softmax of one step.

All the step's targets do, and others drawn uniformly, so many that there are always as many items:
a step then costs the same however many items its clicks are spread over. An item that is among
them with probability π stands for 1/π like it, so its score is raised by -ln π (the logQ correction
of `Yi et al. <https://doi.org/10.1145/3298689.3346996>`_); a row's own target is there for certain.
Imports no torch.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class SampledItems:
    """M sampled items that stand for all N.

    Parameters
    ----------
    items
        int64 [M], distinct, ascending.
    corrections
        float32 [M], added to their scores.
    entries, values
        int64 and float32 [m], ascending: ``values`` are added at the flat places ``row * M +
        place`` of a score matrix of m rows: they take a target's own correction back.
    targets
        int64 [m], each row's target among `items`.
    """

    items: npt.NDArray[np.int64]
    corrections: npt.NDArray[np.float32]
    entries: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    targets: npt.NDArray[np.int64]


class ItemSampler:
    """Draws items for one step after another.

    Parameters
    ----------
    popularity
        float [N], clicks of each item: how often it is a target.
    count
        How many items there are to be, the targets among them; more where the targets are more, and
        N where it is that or above.
    rng
        Draws.
    """

    def __init__(
        self, popularity: npt.NDArray[np.float32], count: int, rng: np.random.Generator
    ) -> None:
        self._shares = popularity.astype(np.float64) / max(float(popularity.sum()), 1.0)
        self._count = count
        self._rng = rng
        self._places = np.full(len(popularity), -1)

    def draw(self, targets: npt.NDArray[np.int64]) -> SampledItems:
        """Draw for one step, in whose m rows the `targets`, int64 [m], were clicked."""
        n, m = len(self._places), len(targets)
        certain = np.unique(targets)
        others = n - len(certain)
        count = min(max(self._count - len(certain), 0), others)
        drawn = self._rng.choice(others, count, replace=False, shuffle=False)
        # Number i of the others has as many targets before it as there are below its item.
        drawn += np.searchsorted(certain - np.arange(len(certain)), drawn, side="right")
        items = np.sort(np.concatenate((certain, drawn)))
        self._places[items] = np.arange(len(items))
        places = self._places[targets]
        self._places[items] = -1
        missing = (1.0 - count / max(others, 1)) * (1.0 - self._shares[items]) ** m
        corrections = -np.log1p(-np.minimum(missing, 1.0 - 1e-9))
        return SampledItems(
            items,
            corrections.astype(np.float32),
            np.arange(m) * len(items) + places,
            -corrections[places].astype(np.float32),
            places,
        )

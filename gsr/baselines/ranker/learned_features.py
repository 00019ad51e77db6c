"""Features of candidates that are learned together with the ranker, as the ranker sees them."""

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from gsr.baselines.counted_clicks import CountedClicks


class Lookups(NamedTuple):
    """What learned features of n clicks are computed from.

    Parameters
    ----------
    recent
        int32 [n, L], items that the user clicked before, newest first; -1 where there is none.
    ages
        float32 [n, L], seconds since each of them.
    candidates
        int32 [n, K], items; -1 where there is none.
    clicked
        int32 [n], the item that was clicked then.
    """

    recent: npt.NDArray[np.int32]
    ages: npt.NDArray[np.float32]
    candidates: npt.NDArray[np.int32]
    clicked: npt.NDArray[np.int32]

    def part(self, rows: slice | npt.NDArray[np.intp]) -> "Lookups":
        """Return some of the rows."""
        return Lookups(
            self.recent[rows], self.ages[rows], self.candidates[rows], self.clicked[rows]
        )

    def copy(self) -> "Lookups":
        """Return a copy."""
        return Lookups(
            self.recent.copy(), self.ages.copy(), self.candidates.copy(), self.clicked.copy()
        )


class LearnedFeatures(Protocol):
    """What computes Q features of candidates, and learns to."""

    @property
    def count(self) -> int:
        """Q."""

    @property
    def releases(self) -> int:
        """How often `release` was called."""

    def reserve(self, rows: int) -> None:
        """Make room for the items of the rows below `rows`."""

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Forget the items of `rows`, which are to be given to other items."""

    def lookups(
        self,
        clicks: CountedClicks,
        rows: npt.NDArray[np.int64],
        candidates: npt.NDArray[np.int32],
    ) -> Lookups:
        """Return what the features of candidates, int32 [n, K], of clicks `rows` [n] depend on."""

    def features(self, lookups: Lookups) -> npt.NDArray[np.float32]:
        """Return the features, float32 [n, K, Q]; 0 where there is no candidate."""

    def learn(self, lookups: Lookups, by_features: npt.NDArray[np.float32], since: int) -> None:
        """Take one step.

        Parameters
        ----------
        lookups
            Of n clicks.
        by_features
            float32 [n, K, Q], the gradient of the ranker's mean loss by the features.
        since
            What `releases` was when the clicks were looked up.
        """


class NoLearnedFeatures:
    """None at all: the ranker over counters alone."""

    count = 0
    releases = 0

    def reserve(self, rows: int) -> None:
        """Need no room."""

    def release(self, rows: npt.NDArray[np.int64]) -> None:
        """Know no items."""

    def lookups(
        self,
        clicks: CountedClicks,
        rows: npt.NDArray[np.int64],
        candidates: npt.NDArray[np.int32],
    ) -> Lookups:
        """Return n clicks of which nothing is looked up."""
        nothing = np.zeros((len(rows), 0), dtype=np.int32)
        clicked = clicks.targets[rows].astype(np.int32)
        return Lookups(nothing, nothing.astype(np.float32), candidates, clicked)

    def features(self, lookups: Lookups) -> npt.NDArray[np.float32]:
        """Return float32 [n, K, 0]."""
        return np.zeros((*lookups.candidates.shape, 0), dtype=np.float32)

    def learn(self, lookups: Lookups, by_features: npt.NDArray[np.float32], since: int) -> None:
        """Learn nothing."""

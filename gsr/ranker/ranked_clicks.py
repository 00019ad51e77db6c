"""Clicks with their candidates, on their way from the test to the learner."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.ranker.lookups import Lookups


class RankedClicks(NamedTuple):
    """Clicks that were ranked and wait to be learned; n rows.

    Features that wait are in half precision, which is finer than the noise in them.

    Parameters
    ----------
    features
        Floats [n, K, F + Q], not standardised, with the learned ones as they were in the test.
    context
        float32 [n, C].
    present
        bool [n, K], places that hold a candidate.
    targets
        int64 [n], the place of the clicked item, -1 where it is not among the candidates.
    lookups
        See `Lookups`.
    users
        uint64 [n], hashes of the user ids.
    """

    features: npt.NDArray[np.floating[Any]]
    context: npt.NDArray[np.float32]
    present: npt.NDArray[np.bool_]
    targets: npt.NDArray[np.int64]
    lookups: Lookups
    users: npt.NDArray[np.uint64]

    @property
    def clicks(self) -> int:
        """How many clicks there are."""
        return len(self.targets)

    def part(self, rows: slice | npt.NDArray[np.intp]) -> "RankedClicks":
        """Return some of the rows."""
        return RankedClicks(
            self.features[rows],
            self.context[rows],
            self.present[rows],
            self.targets[rows],
            self.lookups.part(rows),
            self.users[rows],
        )

    def without(self, rows: npt.NDArray[np.int64]) -> "RankedClicks":
        """Return the clicks on other items; item `rows`, which have left, are looked up nowhere."""
        kept = np.flatnonzero(~np.isin(self.lookups.clicked, rows))
        found = self.part(kept)
        return found._replace(lookups=found.lookups.without(rows))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all columns by name."""
        own = {name: getattr(self, name) for name in _OWN}
        return own | self.lookups._asdict()


def hardest(clicks: RankedClicks, scores: npt.NDArray[np.float32], candidates: int) -> RankedClicks:
    """Return clicks with their best `candidates` alone, the clicked one always among them.

    What is ranked far below teaches next to nothing: its share of the softmax is next to zero.

    Parameters
    ----------
    clicks
        With all their candidates.
    scores
        float32 [n, K], by which these were ranked.
    candidates
        Of each click.
    """
    if candidates >= clicks.present.shape[1]:
        return clicks._replace(features=clicks.features.astype(np.float16))
    wanted = np.where(clicks.present, scores, -np.inf)
    clicked = np.flatnonzero(clicks.targets >= 0)
    wanted[clicked, clicks.targets[clicked]] = np.inf
    width = min(candidates, wanted.shape[1])
    best = np.argpartition(-wanted, width - 1, axis=1)[:, :width]
    at_target = best == clicks.targets[:, None]
    targets = np.where(at_target.any(axis=1), at_target.argmax(axis=1), -1)
    lookups = clicks.lookups._replace(
        candidates=np.take_along_axis(clicks.lookups.candidates, best, axis=1)
    )
    return clicks._replace(
        features=np.take_along_axis(clicks.features, best[..., None], axis=1).astype(np.float16),
        present=np.take_along_axis(clicks.present, best, axis=1),
        targets=targets,
        lookups=lookups,
    )


_OWN = ("features", "context", "present", "targets", "users")


def from_arrays(arrays: dict[str, npt.NDArray[Any]]) -> RankedClicks:
    """Return the clicks whose columns `RankedClicks.arrays` returned."""
    lookups = Lookups(*(arrays[name] for name in Lookups._fields))
    own = {name: arrays[name] for name in _OWN}
    return RankedClicks(lookups=lookups, **own)


def join(parts: Sequence[RankedClicks]) -> RankedClicks:
    """Return the clicks of all parts, of which there is one at least."""
    arrays = [part.arrays() for part in parts]
    return from_arrays({name: np.concatenate([one[name] for one in arrays]) for name in arrays[0]})

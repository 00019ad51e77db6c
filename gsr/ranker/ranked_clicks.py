"""Clicks with their candidates, on their way from the test to the learner."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.ranker.lookups import Lookups
from gsr.ranker.network import ABSENT

BEST_SHARE: Final = 0.4
"""Of the candidates that a click is learned with, those that are the best ones."""

GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: multiples of it are spread evenly."""


class RankedClicks(NamedTuple):
    """Clicks that were ranked and wait to be learned; n rows.

    Features that wait are in half precision, which is finer than the noise in them.

    Parameters
    ----------
    features
        Floats [n, K, F + Q], not standardised, with the learned ones as they were in the test.
    context
        float32 [n, C].
    log_weights
        float32 [n, K], see `gsr.ranker.network.Examples`.
    targets
        int64 [n], the place of the clicked item, -1 where it is not among the candidates.
    lookups
        See `Lookups`.
    users
        uint64 [n], hashes of the user ids.
    """

    features: npt.NDArray[np.floating[Any]]
    context: npt.NDArray[np.float32]
    log_weights: npt.NDArray[np.float32]
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
            self.log_weights[rows],
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


def thin_out(
    clicks: RankedClicks, scores: npt.NDArray[np.float32], candidates: int
) -> RankedClicks:
    """Return clicks with some of their candidates, which stand for all.

    The clicked item and the best ones stand for themselves; of the others, which hold little of
    the softmax each, every s-th by score stands for s, beginning with a random one. So the softmax
    over these is that over all of them but for chance, as in sampled softmax [1]_, and it costs as
    much less as there are fewer. The best ones alone would leave out what keeps the others low.

    Parameters
    ----------
    clicks
        With all their candidates.
    scores
        float32 [n, K], by which these were ranked.
    candidates
        Of each click.

    References
    ----------
    .. [1] Bengio, Senécal: Adaptive Importance Sampling to Accelerate Training of a Neural
       Probabilistic Language Model. IEEE Transactions on Neural Networks 19, 2008.
    """
    if candidates >= clicks.log_weights.shape[1]:
        return clicks._replace(features=clicks.features.astype(np.float16))
    present = clicks.log_weights > ABSENT
    wanted = np.where(present, scores, -np.inf)
    clicked = np.flatnonzero(clicks.targets >= 0)
    wanted[clicked, clicks.targets[clicked]] = np.inf
    order = np.argsort(-wanted, axis=1)
    best = max(round(BEST_SHARE * candidates), 1)
    drawn = candidates - best
    each = np.maximum(present.sum(axis=1) - best, drawn) / drawn
    begin = _uniform(clicks.users, clicks.lookups.clicked)
    drawn_places = best + (np.arange(drawn) + begin[:, None]) * each[:, None]
    taken = np.concatenate(
        (order[:, :best], np.take_along_axis(order, drawn_places.astype(np.int64), axis=1)), axis=1
    )
    log_weights = np.take_along_axis(clicks.log_weights, taken, axis=1)
    log_weights[:, best:] += np.log(each).astype(np.float32)[:, None]
    at_target = taken == clicks.targets[:, None]
    lookups = clicks.lookups._replace(
        candidates=np.take_along_axis(clicks.lookups.candidates, taken, axis=1)
    )
    return clicks._replace(
        features=np.take_along_axis(clicks.features, taken[..., None], axis=1).astype(np.float16),
        log_weights=log_weights,
        targets=np.where(at_target.any(axis=1), at_target.argmax(axis=1), -1),
        lookups=lookups,
    )


def _uniform(
    users: npt.NDArray[np.uint64], items: npt.NDArray[np.int32]
) -> npt.NDArray[np.float64]:
    """Return numbers in [0, 1), float64 [n], that users' hashes and items decide alone.

    So a click is thinned out alike whenever it comes, and a restart has no state of draws to keep.
    """
    mixed = users + items.astype(np.uint64) * GOLDEN
    return (mixed >> np.uint64(40)).astype(np.float64) * 2.0**-24


_OWN = ("features", "context", "log_weights", "targets", "users")


def from_arrays(arrays: dict[str, npt.NDArray[Any]]) -> RankedClicks:
    """Return the clicks whose columns `RankedClicks.arrays` returned."""
    lookups = Lookups(*(arrays[name] for name in Lookups._fields))
    own = {name: arrays[name] for name in _OWN}
    return RankedClicks(lookups=lookups, **own)


def join(parts: Sequence[RankedClicks]) -> RankedClicks:
    """Return the clicks of all parts, of which there is one at least."""
    arrays = [part.arrays() for part in parts]
    return from_arrays({name: np.concatenate([one[name] for one in arrays]) for name in arrays[0]})

"""Negatives: the items that a clicked one is compared with in learning. Imports no torch."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.counters.items.item_graph import ItemGraph


class SharedNegatives(NamedTuple):
    """Distinct item rows drawn for a run of clicks.

    Parameters
    ----------
    rows
        int64 [K], -1 in unused places at the end.
    log_inclusion
        float32 [K], log of the chance that a row was drawn at all (its score is corrected by it).
    """

    rows: npt.NDArray[np.int64]
    log_inclusion: npt.NDArray[np.float32]


class NegativeSource:
    """Draws items, some by popularity, some uniformly among the living.

    What depends on the size of the catalogue is done here, once; a draw costs K log N.

    Parameters
    ----------
    popularity
        float64 [N].
    alive
        bool [N].
    uniform_share
        Share of draws that are uniform.
    """

    def __init__(
        self,
        popularity: npt.NDArray[np.float64],
        alive: npt.NDArray[np.bool_],
        uniform_share: float,
    ) -> None:
        mass = np.where(alive, popularity, 0.0)
        total = float(mass.sum())
        chance = alive * (uniform_share / max(int(alive.sum()), 1))
        if total > 0.0:
            chance += mass * ((1.0 - uniform_share) / total)
        self._ends = chance.cumsum()

    def draw(self, count: int, rng: np.random.Generator) -> SharedNegatives:
        """Draw `count` times with replacement and return the distinct rows.

        A row's chance is ``1 - (1 - q) ** count`` for its chance q per draw (Horvitz-Thompson).
        """
        rows = np.full(count, -1, np.int64)
        log_inclusion = np.zeros(count, np.float32)
        total = self._ends[-1] if len(self._ends) else 0.0
        if total > 0.0:
            drawn = np.searchsorted(self._ends, rng.random(count) * total, side="right")
            drawn = np.unique(drawn[drawn < len(self._ends)])
            below = np.where(drawn > 0, self._ends[drawn - 1], 0.0)
            chance = np.minimum((self._ends[drawn] - below) / total, 1.0 - 1e-12)
            rows[: len(drawn)] = drawn
            log_inclusion[: len(drawn)] = np.log(-np.expm1(count * np.log1p(-chance)))
        return SharedNegatives(rows, log_inclusion)


def draw_negatives(
    popularity: npt.NDArray[np.float64],
    alive: npt.NDArray[np.bool_],
    count: int,
    uniform_share: float,
    rng: np.random.Generator,
) -> SharedNegatives:
    """Draw once: see `NegativeSource`."""
    return NegativeSource(popularity, alive, uniform_share).draw(count, rng)


@kernel
def _contains(rows: npt.NDArray[np.int64], row: int) -> bool:
    for other in rows:  # noqa: SIM110 - numba compiles no generators
        if other == row:
            return True
    return False


@kernel
def _list_heaviest(
    graph: ItemGraph,
    target: int,
    dense: npt.NDArray[np.float32],
    touched: npt.NDArray[np.int64],
    seen: npt.NDArray[np.int64],
    best: npt.NDArray[np.float32],
    listed: npt.NDArray[np.int64],
) -> None:
    """Fill `listed` with the items that got most votes, heaviest first."""
    last = len(listed) - 1
    voted = 2 * len(graph.half_lives)
    for item in touched:
        score = dense[item, :voted].sum()
        if item == target or not graph.alive[item] or score <= best[last]:
            continue
        if _contains(seen, item):
            continue
        place = last
        while place > 0 and best[place - 1] < score:
            best[place] = best[place - 1]
            listed[place] = listed[place - 1]
            place -= 1
        best[place] = score
        listed[place] = item


@kernel
def list_candidates(
    graph: ItemGraph,
    target: int,
    dense: npt.NDArray[np.float32],
    touched: npt.NDArray[np.int64],
    touched_count: int,
    own: int,
    seen: npt.NDArray[np.int64],
    shared: npt.NDArray[np.int64],
    shared_log_inclusion: npt.NDArray[np.float32],
    candidates: npt.NDArray[np.int64],
    log_inclusion: npt.NDArray[np.float32],
) -> None:
    """Fill one sample's `candidates` and `log_inclusion` [1 + own + K].

    Place 0 holds the target, the next `own` the items with most votes from the user's clicks
    (those in `dense`, summed), the rest the shared negatives. No item is listed twice, and none of
    `seen` (the items that the user may not get again) unless it is the target.
    """
    candidates[:] = -1
    log_inclusion[:] = 0.0
    candidates[0] = target
    listed = candidates[1 : 1 + own]
    if own > 0:
        best = np.zeros(own, np.float32)
        _list_heaviest(graph, target, dense, touched[:touched_count], seen, best, listed)
    for k in range(len(shared)):
        item = shared[k]
        if item < 0 or item == target or _contains(seen, item) or _contains(listed, item):
            continue
        candidates[1 + own + k] = item
        log_inclusion[1 + own + k] = shared_log_inclusion[k]

"""What a clicked item is compared with in learning. Imports no torch."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gsr.channels import GraphArrays
from gsr.compiled import kernel
from gsr.item_graph import ItemGraph


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


NO_NEGATIVES = SharedNegatives(np.empty(0, np.int64), np.empty(0, np.float32))


def popularity_at(graph: ItemGraph, scale: int, now: float) -> npt.NDArray[np.float64]:
    """Return every item's popularity on one time scale, float64 [N]."""
    exponent = graph.popularity_references[:, scale] - now / graph.half_lives[scale]
    found: npt.NDArray[np.float64] = graph.popularity[:, scale] * np.exp2(
        np.clip(exponent, -1000.0, 100.0)
    )
    return found


def draw_negatives(
    popularity: npt.NDArray[np.float64],
    alive: npt.NDArray[np.bool_],
    count: int,
    uniform_share: float,
    rng: np.random.Generator,
) -> SharedNegatives:
    """Draw `count` items, some by `popularity` [N], some uniformly among the living.

    Draws are with replacement and then made distinct, so a row's chance is
    ``1 - (1 - q) ** count`` for its chance q per draw (Horvitz-Thompson).
    """
    rows = np.full(count, -1, np.int64)
    log_inclusion = np.zeros(count, np.float32)
    living = int(alive.sum())
    if living == 0:
        return SharedNegatives(rows, log_inclusion)
    mass = np.where(alive, popularity, 0.0)
    total = float(mass.sum())
    chance = np.where(alive, uniform_share / living, 0.0)
    chance += mass * ((1.0 - uniform_share) / total) if total > 0.0 else 0.0
    ends = chance.cumsum()
    drawn = np.unique(np.searchsorted(ends, rng.random(count) * ends[-1], side="right"))
    drawn = drawn[drawn < len(chance)]
    included = -np.expm1(count * np.log1p(-np.minimum(chance[drawn] / ends[-1], 1.0 - 1e-12)))
    rows[: len(drawn)] = drawn
    log_inclusion[: len(drawn)] = np.log(included)
    return SharedNegatives(rows, log_inclusion)


@kernel
def _contains(rows: npt.NDArray[np.int64], row: int) -> bool:  # pragma: no cover
    for other in rows:  # noqa: SIM110 - numba compiles no generators
        if other == row:
            return True
    return False


@kernel
def _list_heaviest(
    graph: GraphArrays,
    target: int,
    dense: npt.NDArray[np.float32],
    touched: npt.NDArray[np.int64],
    seen: npt.NDArray[np.int64],
    best: npt.NDArray[np.float32],
    listed: npt.NDArray[np.int64],
) -> None:  # pragma: no cover
    """Fill `listed` with the items of heaviest graph channels, heaviest first."""
    last = len(listed) - 1
    for item in touched:
        score = dense[item].sum()
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
    graph: GraphArrays,
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
) -> None:  # pragma: no cover
    """Fill one sample's `candidates` and `log_inclusion` [1 + own + K].

    Place 0 holds the target, the next `own` the heaviest items of the user's graph channels
    (`dense`, summed), the rest the shared negatives. No item is listed twice, and none of `seen`
    (the items that the user may not get again) unless it is the target.
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

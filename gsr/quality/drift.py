"""Drift: alarms on a falling hit rate, and how far popularity, embeddings and graph have moved."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.counters.items.item_graph import ItemGraph
from gsr.quality.page_hinkley import PageHinkley

PSI_BINS: Final = 10
PSI_FLOOR: Final = 1e-4
"""Share that an empty bin counts as, so that the index stays finite."""


DETECTORS: Final = ("adwin", "page_hinkley")


@dataclass(frozen=True, slots=True)
class Alarm:
    """The hit rate of served recommendations has fallen.

    Parameters
    ----------
    outcome
        Number, from 0, of the outcome that raised the alarm.
    detector
        One of `DETECTORS`.
    before, after
        The detector's own estimate of the hit rate before the fall and since.
    """

    outcome: int
    detector: str
    before: float
    after: float


class OutcomeDetector:
    """Watches single hits and misses for a fall of the hit rate, by ADWIN and Page-Hinkley.

    Means of windows hide what single outcomes show: fed with means of 200 outcomes, ADWIN finds
    no change at all. ADWIN finds small changes, Page-Hinkley (see `gsr.quality.page_hinkley`) falls
    that last. A detector begins anew after an alarm, so each one is read at once, and counted here.
    A rise is drift as well, but nothing to be alarmed by.

    Parameters
    ----------
    delta
        ADWIN's confidence: smaller means fewer false alarms and later true ones.
    kept_outcomes
        How many of the newest outcomes to remember, to rebuild the detectors after a restart.

    References
    ----------
    A. Bifet and R. Gavaldà, Learning from time-changing data with adaptive windowing, SDM 2007.

    Examples
    --------
    >>> detector = OutcomeDetector()
    >>> outcomes = np.arange(4000) % 10 < np.where(np.arange(4000) < 2000, 5, 1)
    >>> alarm = detector.update(outcomes)[0]
    >>> alarm.outcome >= 2000, alarm.after < alarm.before
    (True, True)
    >>> sum(detector.alarms.values()) >= 1
    True
    """

    def __init__(self, delta: float = 0.002, kept_outcomes: int = 20_000) -> None:
        self.outcomes = 0
        self.alarms = dict.fromkeys(DETECTORS, 0)
        self._delta = delta
        self._recent: deque[bool] = deque(maxlen=kept_outcomes)
        self._adwin: Any = None
        self._page_hinkley = PageHinkley()

    def update(self, outcomes: npt.NDArray[np.bool_]) -> list[Alarm]:
        """Take bool [n] outcomes, oldest first, and return the alarms that they raised."""
        self._begin()
        alarms = []
        for outcome in outcomes.tolist():
            self._recent.append(outcome)
            for detector, before, after in self._feed(outcome):
                alarms.append(Alarm(self.outcomes, detector, before, after))
                self.alarms[detector] += 1
            self.outcomes += 1
        return alarms

    @property
    def hit_rate(self) -> float:
        """ADWIN's estimate of the present hit rate."""
        self._begin()
        return float(self._adwin.estimation)

    def recent(self) -> npt.NDArray[np.bool_]:
        """Return the newest outcomes, oldest first; `rebuild` takes them."""
        return np.array(self._recent, dtype=np.bool_)

    def rebuild(
        self, recent: npt.NDArray[np.bool_], outcomes: int, alarms: Mapping[str, int]
    ) -> None:
        """Continue after a restart from what was saved."""
        self._recent.clear()
        self._recent.extend(recent.tolist())
        self._adwin = None
        self.outcomes = outcomes
        self.alarms = {name: int(alarms.get(name, 0)) for name in DETECTORS}

    def _begin(self) -> None:
        """Make the detectors, and have them hear what is remembered; only the first use does."""
        if self._adwin is not None:
            return
        # Its import takes a second, which the start of a trainer need not wait for.
        from river.drift import ADWIN  # noqa: PLC0415 - see above

        # river leaves its constructors untyped.
        self._adwin = cast(Any, ADWIN)(delta=self._delta)
        self._page_hinkley = PageHinkley()
        for outcome in self._recent:
            self._feed(outcome)

    def _feed(self, outcome: bool) -> list[tuple[str, float, float]]:
        """Take an outcome; return name, rate before and rate since of each detector that fell."""
        falls = []
        before = self.hit_rate
        self._adwin.update(int(outcome))
        if self._adwin.drift_detected and self.hit_rate < before:
            falls.append(("adwin", before, self.hit_rate))
        if self._page_hinkley.update(outcome):
            known = self._page_hinkley
            falls.append(("page_hinkley", known.mean, known.recent_mean))
        return falls


def population_stability_index(
    before: npt.NDArray[np.float64], after: npt.NDArray[np.float64], bins: int = PSI_BINS
) -> float:
    """Return how far popularity has moved between items (the PSI).

    Items are put into bins of about equal share of `before`, most popular first, with a last bin
    for items that had none; the index compares the bins' shares. Below 0.1 is stable, up to 0.25
    worth a look, above it a shift.

    Parameters
    ----------
    before, after
        float64 [N], popularity of the same N items, on any scale; `after` may be longer.

    Examples
    --------
    >>> population_stability_index(np.ones(100), np.ones(100))
    0.0
    >>> moved = population_stability_index(np.ones(100), np.arange(100.0) ** 2)
    >>> moved > 0.25
    True
    """
    known = np.zeros(len(after))
    known[: len(before)] = before[: len(after)]
    if known.sum() <= 0.0 or after.sum() <= 0.0:
        return 0.0
    order = np.argsort(-known, kind="stable")
    shares = known[order] / known.sum()
    # Half of an item's own share centres it, so that one huge item does not skip a bin.
    bin_of = np.minimum(((np.cumsum(shares) - shares / 2) * bins).astype(np.int64), bins - 1)
    bin_of[shares == 0.0] = bins
    expected = np.bincount(bin_of, weights=shares, minlength=bins + 1)
    actual = np.bincount(bin_of, weights=after[order] / after.sum(), minlength=bins + 1)
    expected = np.maximum(expected, PSI_FLOOR)
    actual = np.maximum(actual, PSI_FLOOR)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def embedding_movement(before: npt.NDArray[np.float32], after: npt.NDArray[np.float32]) -> float:
    """Return the mean cosine distance of the rows that both [N, d] tables have, 0 to 2.

    Examples
    --------
    >>> table = np.eye(3, dtype=np.float32)
    >>> embedding_movement(table, table), embedding_movement(table, -table)
    (0.0, 2.0)
    """
    rows = min(len(before), len(after))
    if rows == 0:
        return 0.0
    a, b = before[:rows].astype(np.float64), after[:rows].astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    used = lengths > 0.0
    if not used.any():
        return 0.0
    cosines = (a * b).sum(axis=1)[used] / lengths[used]
    return float(1.0 - cosines.mean())


@kernel
def _mean_jaccard_distance(before: npt.NDArray[np.int64], after: npt.NDArray[np.int64]) -> float:
    rows, width = before.shape
    total, counted = 0.0, 0
    for row in range(rows):
        shared, first, second = 0, 0, 0
        for j in range(after.shape[1]):
            second += after[row, j] >= 0
        for i in range(width):
            if before[row, i] < 0:
                continue
            first += 1
            for j in range(after.shape[1]):
                if after[row, j] == before[row, i]:
                    shared += 1
        union = first + second - shared
        if first > 0 and union > 0:
            total += 1.0 - shared / union
            counted += 1
    return total / counted if counted > 0 else 0.0


def graph_churn(before: npt.NDArray[np.int64], after: npt.NDArray[np.int64]) -> float:
    """Return how much of the items' top neighbours has changed, 0 (nothing) to 1 (everything).

    Parameters
    ----------
    before, after
        int64 [N, k], each item's strongest neighbours, -1 where there are fewer; rows past the
        shorter table are left out, as are items that had no neighbours before.

    Examples
    --------
    >>> graph_churn(np.array([[1, 2]]), np.array([[2, 3]]))
    0.666...
    """
    rows = min(len(before), len(after))
    return float(_mean_jaccard_distance(before[:rows], after[:rows]))


@kernel
def _top_neighbours(
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int32],
    neighbours: npt.NDArray[np.uint32],
    weights: npt.NDArray[np.float32],
    scale: int,
    out: npt.NDArray[np.int64],
) -> None:
    width = out.shape[1]
    best = np.empty(width, np.float32)
    for row in range(len(starts)):
        best[:] = 0.0
        for slot in range(starts[row], starts[row] + lengths[row]):
            weight = weights[slot, scale]
            if weight <= best[width - 1]:
                continue
            place = width - 1
            while place > 0 and best[place - 1] < weight:
                best[place] = best[place - 1]
                out[row, place] = out[row, place - 1]
                place -= 1
            best[place] = weight
            out[row, place] = neighbours[slot]


def top_neighbours(graph: ItemGraph, scale: int, count: int = 10) -> npt.NDArray[np.int64]:
    """Return each item's heaviest neighbours on one time scale, int64 [N, count], -1 for none."""
    out = np.full((graph.items, count), -1, dtype=np.int64)
    _top_neighbours(
        graph.row_starts, graph.row_lengths, graph.neighbours, graph.weights, scale, out
    )
    return out

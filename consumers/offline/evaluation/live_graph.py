"""Ranks by a graph that goes on counting clicks after learning has ended."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.counters.interactions import Interactions
from gsr.learning.batch_learner import BatchLearner
from gsr.quality.protocols import Stage, ends_at

MOMENTS: Final = 100
"""Where a live graph grows with time, it is counted anew for at most so many groups of cases."""


def live_ranks(
    learner: BatchLearner, interactions: Interactions, stage: Stage, *, mask_seen: bool
) -> npt.NDArray[np.int32]:
    """Return the ranks of a stage's m cases by the live graph, int32 [m].

    A case never sees a click at or after its target's time, except of its own history, which is
    not read from the graph.
    """
    ranks = np.empty(len(stage.cases), np.int32)
    for rows, ends in _groups(interactions, stage):
        counted = learner.count(ends)
        ranks[rows] = learner.ranks(stage.cases[rows], counted, mask_seen=mask_seen)
    return ranks


def _groups(
    interactions: Interactions, stage: Stage
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Yield rows of cases, and up to where the graph may know each user's clicks for them."""
    if not stage.live_by_time:
        yield np.arange(len(stage.cases)), stage.live_ends
        return
    times = interactions.times[stage.cases.positions]
    order = np.argsort(times, kind="stable")
    for rows in np.array_split(order, min(MOMENTS, len(order))):
        # The group's first time: what came between it and a later target stays unknown.
        before = float(np.nextafter(times[rows[0]], -np.inf))
        yield np.sort(rows), np.minimum(stage.live_ends, ends_at(interactions, before))

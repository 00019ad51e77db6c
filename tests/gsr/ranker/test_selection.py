"""Choosing the best candidates, against sorting."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.ranker.selection import keep_best

NUMBERS = st.lists(st.integers(-5, 5), min_size=1, max_size=30)


@settings(deadline=None)
@given(scores=NUMBERS, width=st.integers(1, 12), data=st.data())
def test_the_best_candidates_are_kept(scores: list[int], width: int, data: st.DataObject) -> None:
    """As many as there is room for, none worse than one left out, and the target is found."""
    first = data.draw(st.integers(0, len(scores)))
    starts = np.array([0, first, len(scores)])
    targets = np.array([-1, data.draw(st.integers(first, len(scores)))])
    targets[targets == len(scores)] = -1
    kept = np.empty((2, width), dtype=np.int64)
    places = np.empty(2, dtype=np.int64)
    values = np.zeros(len(scores), dtype=np.float32)
    keep_best(np.array(scores, dtype=np.float32), starts, targets, values, kept, places)
    for click in range(2):
        own = list(range(starts[click], starts[click + 1]))
        chosen = kept[click][kept[click] >= 0].tolist()
        assert len(set(chosen)) == len(chosen) == min(width, len(own))
        best = sorted((scores[row] for row in own), reverse=True)[:width]
        assert sorted((scores[row] for row in chosen), reverse=True) == best
        found = np.flatnonzero((kept[click] == targets[click]) & (targets[click] >= 0))
        assert places[click] == (found[0] if len(found) else -1)

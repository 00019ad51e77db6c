"""Choosing the best candidates, against sorting."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.ranker.selection import keep_best, list_best

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


@settings(deadline=None)
@given(scores=NUMBERS, length=st.integers(1, 12), data=st.data())
def test_lists_are_in_order(scores: list[int], length: int, data: st.DataObject) -> None:
    """The best first, of equal ones the earlier, and nothing where there is no candidate."""
    there = data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))
    candidates = np.where(there, 100 + np.arange(len(scores)), -1).astype(np.int32)[None]
    places, rows = np.empty((2, 1, length), dtype=np.int64)
    best = np.empty((1, length), dtype=np.float32)
    list_best(np.array([scores], dtype=np.float32), candidates, places, rows, best)
    order = sorted(np.flatnonzero(there).tolist(), key=lambda place: -scores[place])[:length]
    rest = length - len(order)
    assert places[0].tolist() == order + [0] * rest
    assert rows[0].tolist() == [100 + place for place in order] + [-1] * rest
    assert best[0].tolist() == [scores[place] for place in order] + [0] * rest

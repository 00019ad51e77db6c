"""Counts between items are what was clicked, decayed."""

import numpy as np
import pytest

from gsr.ranker.edge_counts import edge_counts, popularity_counts
from tests.gsr.ranker.world import START, STATE, Stream, clicks_of

HOUR = 3600.0


def test_counts_are_decayed_clicks() -> None:
    """Edges have a direction, what was close by has none, and no edge counts nothing."""
    stream = Stream()
    rows = [("ann", "a", 0.0), ("ann", "b", HOUR), ("bob", "a", 0.0), ("bob", "b", HOUR)]
    stream.record(clicks_of(sorted([*rows, ("cid", "c", HOUR)], key=lambda row: row[2])))
    graph = stream.counters.graph()
    a, b, c = (stream.row(item) for item in "abc")
    pairs = edge_counts(graph, np.array([a, b, a]), np.array([b, a, c]), START + 2 * HOUR)
    hours = np.array(STATE.half_lives) / HOUR
    forward = 2.0 * STATE.window_weights[0] * 0.5 ** (1.0 / hours)
    assert pairs[0].followed == pytest.approx(forward, rel=1e-5)
    assert not pairs[1].followed.any()
    assert pairs[0].together == pytest.approx(pairs[1].together, rel=1e-5)
    assert (pairs[0].together > 0.0).all()
    assert not pairs[2].followed.any()
    assert not pairs[2].together.any()
    clicks = popularity_counts(graph, np.array([a, c]), START + 2 * HOUR)
    assert clicks[0] == pytest.approx(2.0 * 0.5 ** (2.0 / hours), rel=1e-5)
    assert clicks[1] == pytest.approx(0.5 ** (1.0 / hours), rel=1e-5)

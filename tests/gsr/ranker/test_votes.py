"""Votes long before and long after what was counted."""

import numpy as np
import pytest

from gsr.ranker.features import HISTORY_SHARES, LAST_SHARES, feature_layout
from gsr.ranker.votes import forget_votes, let_vote, no_votes
from tests.gsr.ranker.world import ITEMS, START, STATE, Stream, walks


@pytest.mark.parametrize("time", [0.0, START - 1e6, START + 1e4, START + 1e12])
def test_votes_are_finite_whenever_they_are_asked_for(time: float) -> None:
    """Also of clicks that come very late, and where all that was counted has faded to nothing."""
    stream = Stream()
    stream.record(walks(300))
    graph = stream.counters.graph()
    layout = feature_layout(STATE.half_lives, STATE.close_half_lives)
    scales, close = len(STATE.half_lives), len(STATE.close_half_lives)
    votes = no_votes(
        graph.items, ITEMS + 1, layout.places.votes, scales=scales + close, close=close
    )
    history = np.array([stream.row(item) for item in ("i1", "i2", "i3")])
    count = let_vote(graph, layout.places, layout.close_scales, time, history, 3, votes)
    sums = votes.sums[:count].copy()
    assert 0 < votes.newest[0] <= count
    assert np.isfinite(sums).all()
    assert (sums >= 0.0).all()
    assert (sums.max(axis=0)[: layout.places.own_clicks] > 0.0).all() == (time < START + 1e9)
    assert not sums[votes.newest[0] :, LAST_SHARES : LAST_SHARES + 3].any()
    assert (sums[:, HISTORY_SHARES] <= 1.0 + 0.9 + 0.81).all()
    forget_votes(votes, count)
    assert not votes.sums.any()
    assert not votes.places.any()

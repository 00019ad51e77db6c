"""Clicks as baselines take them: those that were accepted, each with its own edges."""

import numpy as np

from gsr.counters.users.histories import Histories
from gsr.loop.accepted_clicks import accepted_clicks, uncounted_clicks
from gsr.loop.mirror import Mirror
from tests.gsr.loop.world import STATE, WEIGHTS, batch_of

CLICKS = [("u", "a", 0.0), ("u", None, 1.0), ("u", "b", 2.0), ("u", "c", 3.0), ("v", "b", 4.0)]


def test_baselines_count_accepted_clicks_alone() -> None:
    """Forget rows are left out; edges lie where their clicks are."""
    applied, _ = Mirror(STATE, WEIGHTS).push(batch_of(CLICKS))
    assert applied.accepted_rows.tolist() == [0, 2, 3, 4]
    hashes = np.arange(10, 15, dtype=np.uint64)
    clicks = accepted_clicks(applied, applied.accepted_rows, np.array(WEIGHTS), hashes)
    assert clicks.targets.tolist() == [0, 1, 2, 1]
    assert clicks.users.tolist() == [10, 12, 13, 14]
    assert clicks.lengths.tolist() == [0, 0, 1, 0]
    assert clicks.weights.tolist() == [1.0] * 4
    assert np.diff(clicks.edge_starts).tolist() == [0, 0, 1, 0]
    assert (clicks.edge_sources.tolist(), clicks.edge_targets.tolist()) == ([1], [2])


def test_clicks_that_are_ranked_only_add_nothing() -> None:
    """They have no weight and no edges."""
    histories = Histories(
        np.array([[3, -1], [4, 5]]),
        np.array([[1.0, 0.0], [1.0, 2.0]]),
        np.zeros((2, 2), dtype=np.uint8),
        np.array([1, 2]),
        np.array([7.0, 8.0]),
    )
    clicks = uncounted_clicks(histories, np.array([6, -1]), np.array([1, 2], dtype=np.uint64))
    assert clicks.times.tolist() == [7.0, 8.0]
    assert clicks.targets.tolist() == [6, -1]
    assert not clicks.weights.any()
    assert clicks.edge_starts.tolist() == [0, 0, 0]
    assert len(clicks.edge_sources) == 0

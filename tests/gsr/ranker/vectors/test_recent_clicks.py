"""Newest clicks first."""

import numpy as np

from gsr.ranker.vectors.recent_clicks import newest_first


def test_histories_are_turned_round_and_cut() -> None:
    """Behind the oldest click there is nothing; a time before the clock's is no age below 0."""
    recent = newest_first(
        histories=np.array([[5, 6, 7, -1], [8, -1, -1, -1], [-1, -1, -1, -1], [1, 2, 3, 4]]),
        history_times=np.array([[1.0, 2.0, 9.0, 0.0], [20.0, 0, 0, 0], [0.0] * 4, [1.0] * 4]),
        lengths=np.array([3, 1, 0, 4]),
        times=np.array([10.0, 15.0, 3.0, 2.0]),
        clicks=3,
    )
    assert recent.items.tolist() == [[7, 6, 5], [8, -1, -1], [-1, -1, -1], [4, 3, 2]]
    assert recent.ages.tolist() == [[1, 8, 9], [0, 0, 0], [0, 0, 0], [1, 1, 1]]

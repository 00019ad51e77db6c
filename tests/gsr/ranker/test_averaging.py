"""Averages of weights that move."""

import numpy as np
import pytest

from gsr.ranker.averaging import follow


def test_early_steps_are_soon_forgotten_and_late_ones_averaged() -> None:
    """Of one step half stays; later as much as is asked for; 0 keeps nothing."""
    average, weights = np.zeros(2, dtype=np.float32), np.ones(2, dtype=np.float32)
    follow([average], [weights], 0.9, 10)
    assert average == pytest.approx(0.5)
    follow([average], [weights], 0.9, 10_000)
    assert average == pytest.approx(0.55)
    follow([average], [3.0 * weights], 0.0, 10_000)
    assert average == pytest.approx(3.0)


def test_an_average_is_nearer_to_the_middle_than_what_swings() -> None:
    """Noise of the steps goes, and what they agree on stays."""
    rng = np.random.default_rng(0)
    average = np.zeros(50, dtype=np.float32)
    for step in range(1, 2000):
        weights = (2.0 + rng.standard_normal(50)).astype(np.float32)
        follow([average], [weights], 0.99, step)
    assert np.abs(average - 2.0).mean() < 0.2 < np.abs(weights - 2.0).mean()

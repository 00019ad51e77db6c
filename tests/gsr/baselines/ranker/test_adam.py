"""Steps of Adam."""

import numpy as np

from gsr.baselines.ranker.adam import Adam


def test_adam_steps_by_its_rate_at_first() -> None:
    """The first step is as long as the rate, whatever the gradient."""
    weights = np.zeros(2, dtype=np.float32)
    Adam([weights], 0.1).step([np.array([5.0, -0.01], dtype=np.float32)])
    assert np.allclose(weights, [-0.1, 0.1], rtol=1e-3)

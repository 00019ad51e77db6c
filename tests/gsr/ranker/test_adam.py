"""Steps of Adam."""

import numpy as np

from gsr.ranker.adam import Adam


def test_adam_steps_by_its_rate_at_first() -> None:
    """The first step is as long as the rate, whatever the gradient."""
    weights = np.zeros(2, dtype=np.float32)
    Adam([weights], 0.1).step([np.array([5.0, -0.01], dtype=np.float32)])
    assert np.allclose(weights, [-0.1, 0.1], rtol=1e-3)


def test_steps_can_be_taken_back() -> None:
    """Weights, averages and the number of steps are those of before."""
    rng = np.random.default_rng(0)
    weights, other = np.zeros(3, dtype=np.float32), np.zeros(3, dtype=np.float32)
    adam, same = Adam([weights], 0.1), Adam([other], 0.1)
    gradients = [[rng.standard_normal(3).astype(np.float32)] for _ in range(6)]
    for gradient in gradients[:3]:
        adam.step(gradient)
        same.step(gradient)
    before = adam.arrays()
    adam.step([np.full(3, 7.0, dtype=np.float32)])
    adam.load(before)
    for gradient in gradients[3:]:
        adam.step(gradient)
        same.step(gradient)
    assert np.array_equal(weights, other)

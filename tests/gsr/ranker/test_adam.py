"""Steps of Adam."""

import numpy as np
import pytest
import torch

from gsr.ranker.adam import Adam, take_step


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


def test_steps_are_those_of_torch() -> None:
    """Many of them, on arrays of any shape."""
    rng = np.random.default_rng(1)
    weights = [rng.standard_normal(shape).astype(np.float32) for shape in ((3, 4), (5,))]
    theirs = [torch.from_numpy(array.copy()).requires_grad_() for array in weights]
    adam, other = Adam(weights, 0.05), torch.optim.Adam(theirs, 0.05)
    for _ in range(30):
        gradients = [rng.standard_normal(array.shape).astype(np.float32) for array in weights]
        for weight, gradient in zip(theirs, gradients, strict=True):
            weight.grad = torch.from_numpy(gradient)
        adam.step(gradients)
        other.step()
    for mine, weight in zip(weights, theirs, strict=True):
        assert np.allclose(mine, weight.detach().numpy(), atol=1e-5)


def test_a_gradient_of_another_shape_is_refused() -> None:
    weights = np.zeros((2, 3), dtype=np.float32)
    with pytest.raises(ValueError, match="different shapes"):
        take_step(weights, np.zeros((3, 2), np.float32), weights.copy(), weights.copy(), 0.1)

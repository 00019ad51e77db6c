"""The linear score's gradient, against differences of the loss."""

import numpy as np
import pytest

from gsr.ranker.linear_score import NO_NEW_ITEMS, LinearScore, add_gradient

STARTS = np.array([0, 4, 4, 9])
TARGETS = np.array([2, -1, 5])
LEARNABLE = np.array([True, False, True])


def loss(weights: np.ndarray, values: np.ndarray) -> float:
    total = 0.0
    for click in np.flatnonzero(LEARNABLE):
        scores = values[STARTS[click] : STARTS[click + 1]].astype(np.float64) @ weights
        own = scores[TARGETS[click] - STARTS[click]]
        total += float(np.log(np.exp(scores).sum()) - own)
    return total


@pytest.mark.parametrize("new", [NO_NEW_ITEMS, 1])
def test_the_gradient_is_the_slope_of_the_cross_entropy(new: int) -> None:
    """Summed over the clicks that are learned; new items have further weights where wanted."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((9, 3)).astype(np.float32)
    values[:, 1] = rng.integers(0, 2, 9)
    if new != NO_NEW_ITEMS:
        told = np.concatenate((values, values * values[:, [new]]), axis=1)
    else:
        told = values
    width = told.shape[1]
    weights = rng.standard_normal(width)
    gradient = np.zeros(width, dtype=np.float32)
    scores = (told @ weights).astype(np.float32)
    add_gradient(values, scores, STARTS, TARGETS, LEARNABLE, new, gradient)
    for place in range(width):
        step = 1e-5 * np.eye(width)[place]
        slope = (loss(weights + step, told) - loss(weights - step, told)) / 2e-5
        assert abs(gradient[place] - slope) < 1e-4


def test_steps_lower_the_loss_and_need_examples() -> None:
    """A step without anything noted moves nothing."""
    rng = np.random.default_rng(1)
    values = rng.standard_normal((9, 3)).astype(np.float32)
    ones = np.ones(3, dtype=np.float32)
    linear = LinearScore(3)
    linear.step(ones)
    assert (linear.weights == 0.0).all()
    for _ in range(30):
        linear.note(values, linear.scores(values, ones), STARTS, TARGETS, LEARNABLE)
        linear.step(ones)
    assert loss(linear.weights.astype(np.float64), values) < loss(np.zeros(3), values)

"""The linear score's gradient, against differences of the loss."""

import numpy as np

from gsr.ranker.linear_score import LinearScore, add_gradient

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


def test_the_gradient_is_the_slope_of_the_cross_entropy() -> None:
    """Summed over the clicks that are learned."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((9, 3)).astype(np.float32)
    weights = rng.standard_normal(3)
    gradient = np.zeros(3, dtype=np.float32)
    scores = (values @ weights).astype(np.float32)
    add_gradient(values, scores, STARTS, TARGETS, LEARNABLE, gradient)
    for place in range(3):
        step = 1e-5 * np.eye(3)[place]
        slope = (loss(weights + step, values) - loss(weights - step, values)) / 2e-5
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

"""The network's gradients, against differences of its loss; and that it learns."""

import numpy as np

from gsr.ranker.adam import Adam
from gsr.ranker.network import (
    Examples,
    RankingNetwork,
    add_and_rectify,
    log_weights_of,
    score_gradient,
)


def some_examples(rng: np.random.Generator, n: int = 6, k: int = 5, f: int = 3) -> Examples:
    present = np.ones((n, k), dtype=np.bool_)
    present[0, 3:] = False
    log_weights = log_weights_of(present)
    log_weights[1, 3:] = np.log(2.5)  # these two stand for five
    return Examples(
        features=rng.standard_normal((n, k, f)).astype(np.float32),
        context=rng.standard_normal((n, 2)).astype(np.float32),
        log_weights=log_weights,
        targets=rng.integers(0, 3, n),
    )


def loss(scores: np.ndarray, examples: Examples) -> float:
    exact = scores.astype(np.float64) + examples.log_weights
    shares = exact - np.log(np.exp(exact).sum(axis=1, keepdims=True))
    return float(-shares[np.arange(len(shares)), examples.targets].mean())


def test_rows_are_added_to_and_rectified() -> None:
    """Each row of what is added goes to as many rows in turn; what is no number stays that."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((6, 4)).astype(np.float32)
    added = rng.standard_normal((3, 4)).astype(np.float32)
    values[5, 1] = np.nan
    expected = np.maximum(values + np.repeat(added, 2, axis=0), 0.0)
    add_and_rectify(values, added)
    np.testing.assert_array_equal(values, expected)


def test_the_gradient_by_scores_is_that_of_the_cross_entropy() -> None:
    """Places without a candidate have none."""
    rng = np.random.default_rng(0)
    examples = some_examples(rng)
    scores = rng.standard_normal(examples.log_weights.shape).astype(np.float32)
    gradient = score_gradient(scores, examples)
    for place in np.ndindex(*scores.shape):
        moved = [scores.astype(np.float64).copy() for _ in range(2)]
        moved[0][place] -= 1e-4
        moved[1][place] += 1e-4
        slope = (loss(moved[1], examples) - loss(moved[0], examples)) / 2e-4
        assert abs(gradient[place] - slope) < 1e-5


def test_backpropagation_is_the_slope_of_the_loss() -> None:
    """Every weight's gradient, against the difference that moving it makes."""
    rng = np.random.default_rng(1)
    examples = some_examples(rng)
    network = RankingNetwork(3, 2, 4, rng)
    weights = network.weights
    for array in weights:
        array[...] = rng.standard_normal(array.shape)
    gradients = network.gradients(examples)[0]
    for array, gradient in zip(weights, gradients, strict=True):
        for place in np.ndindex(*array.shape):
            before = array[place]
            losses = []
            for step in (-1e-3, 1e-3):
                array[place] = before + step
                losses.append(loss(network.scores(examples.features, examples.context), examples))
            array[place] = before
            assert abs((losses[1] - losses[0]) / 2e-3 - gradient[place]) < 2e-2


def test_the_gradient_by_learned_features_is_the_slope_of_the_loss() -> None:
    """It is that before the step, for the last features alone."""
    rng = np.random.default_rng(3)
    examples = some_examples(rng)
    network = RankingNetwork(3, 2, 4, rng)
    for array in network.weights:
        array[...] = rng.standard_normal(array.shape)
    slopes = np.zeros((*examples.log_weights.shape, 2))
    for place in np.ndindex(*slopes.shape):
        losses = []
        for step in (-1e-3, 1e-3):
            features = examples.features.copy()
            features[(*place[:2], place[2] + 1)] += step
            losses.append(loss(network.scores(features, examples.context), examples))
        slopes[place] = (losses[1] - losses[0]) / 2e-3
    assert np.allclose(network.gradients(examples, 2)[1], slopes, atol=2e-2)


def test_it_learns_what_features_and_context_say_together() -> None:
    """Which feature counts depends on the user, which no linear score can learn."""
    rng = np.random.default_rng(2)
    network = RankingNetwork(2, 1, 16, rng)
    adam = Adam(network.weights, 0.003)
    assert (network.scores(np.ones((1, 4, 2), np.float32), np.ones((1, 1), np.float32)) == 0).all()
    for _ in range(400):
        features = rng.standard_normal((50, 6, 2)).astype(np.float32)
        context = rng.choice([-1.0, 1.0], (50, 1)).astype(np.float32)
        wanted = np.where(context > 0, features[:, :, 0], features[:, :, 1])
        examples = Examples(
            features, context, np.zeros((50, 6), dtype=np.float32), wanted.argmax(axis=1)
        )
        adam.step(network.gradients(examples)[0])
    right = network.scores(features, context).argmax(axis=1) == examples.targets
    assert right.mean() > 0.8

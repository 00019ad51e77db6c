"""A sample of items stands for all of them."""

import numpy as np
import numpy.typing as npt
import pytest

from gsr.learning.sampled_softmax import ItemSampler, SampledItems

ITEMS = 40


def _scores(drawn: SampledItems, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the corrected scores of the sampled items, [m, M]."""
    found = scores[:, drawn.items] + drawn.corrections
    flat = found.ravel()
    flat[drawn.entries] += drawn.values
    return flat.reshape(found.shape)


def test_all_items_are_a_plain_softmax() -> None:
    """Where everything is drawn nothing is corrected."""
    rng = np.random.default_rng(0)
    popularity = rng.integers(0, 9, ITEMS).astype(np.float32)
    targets = np.array([3, 3, 17])
    drawn = ItemSampler(popularity, ITEMS, rng).draw(targets)
    np.testing.assert_array_equal(drawn.items, np.arange(ITEMS))
    np.testing.assert_array_equal(drawn.targets, targets)
    assert (np.diff(drawn.entries) > 0).all()
    np.testing.assert_allclose(_scores(drawn, np.zeros((3, ITEMS))), 0.0, atol=1e-6)


@pytest.mark.parametrize("count", [1, 9, 16])
def test_the_sum_over_the_sample_is_that_over_the_catalogue(count: int) -> None:
    """Over many draws; targets are drawn by popularity, as the correction takes for granted."""
    rng = np.random.default_rng(1)
    popularity = rng.integers(1, 30, ITEMS).astype(np.float32)
    scores = rng.normal(size=ITEMS)
    sampler, m, found = ItemSampler(popularity, count, rng), 6, []
    for _ in range(4000):
        targets = rng.choice(ITEMS, m, p=popularity / popularity.sum())
        drawn = sampler.draw(targets)
        found.append(np.exp(scores[drawn.items] + drawn.corrections).sum())
    assert np.mean(found) == pytest.approx(np.exp(scores).sum(), rel=0.03)


def test_there_are_always_as_many_items() -> None:
    """All targets, and others that are equally likely to be there."""
    rng = np.random.default_rng(3)
    sampler, seen = ItemSampler(np.ones(ITEMS, np.float32), 12, rng), np.zeros(ITEMS)
    targets = np.array([0, 7, 7, 8, 39])
    for _ in range(3000):
        drawn = sampler.draw(targets)
        assert len(drawn.items) == 12
        assert (np.diff(drawn.items) > 0).all()
        seen[drawn.items] += 1
    assert (seen[targets] == 3000).all()
    others = np.delete(seen, targets) / 3000
    np.testing.assert_allclose(others, 8 / (ITEMS - 4), atol=0.04)
    many = sampler.draw(np.arange(20))
    np.testing.assert_array_equal(many.items, np.arange(20))


def test_a_target_is_not_corrected_in_its_own_row() -> None:
    rng = np.random.default_rng(2)
    sampler = ItemSampler(np.ones(ITEMS, np.float32), 5, rng)
    targets = np.array([8, 30])
    drawn = sampler.draw(targets)
    assert (np.diff(drawn.entries) > 0).all()
    np.testing.assert_array_equal(drawn.items[drawn.targets], targets)
    found = _scores(drawn, np.zeros((2, ITEMS)))
    np.testing.assert_allclose(found[[0, 1], drawn.targets], 0.0, atol=1e-6)
    assert (found[[0, 1], drawn.targets[::-1]] > 0.1).all()
